"""What is asked about a text, and the commands that change it at the prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.errors import UsageError
from workbench.inference.candidates import split_words

MOST_MODELS = 4
COMMAND = ":"
COMMANDS = """\
:candidates bbc, police   only these words; without words: any again
:surprisal [TEXT]         how unexpected each word is; without TEXT: from now on, or no longer
:top 10                   so many words for each mask
:model M [M...]           ask another model, or up to four: a hub id, folder, starter, run:RUN, run:RUN@best
:help                     this list"""


@dataclass(frozen=True, slots=True)
class Asking:
    """`top_k` words for each mask, or only the `candidates`; or, of the whole text, its surprisal."""

    top_k: int = 5
    candidates: tuple[str, ...] = ()
    surprisal: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a command leads to. `models`: to be asked from now on; `text`: to be asked now."""

    asking: Asking
    said: str = ""
    models: tuple[str, ...] = ()
    text: str = ""


def obey(line: str, asking: Asking) -> Turn:
    """Do what a line that begins with `:` says. Raises UsageError when it is no command."""
    name, _, rest = line.removeprefix(COMMAND).strip().partition(" ")
    found = [command for command in _OBEYED if name and command.startswith(name)]
    if len(found) != 1:
        raise UsageError(f"There is no command {COMMAND}{name}.", f"{COMMAND}help lists them.")
    return _OBEYED[found[0]](rest.strip(), asking)


def _candidates(rest: str, asking: Asking) -> Turn:
    words = split_words(rest)
    said = f"Only these words: {', '.join(words)}." if words else "Any word again."
    return Turn(replace(asking, candidates=words, surprisal=False), said)


def _surprisal(rest: str, asking: Asking) -> Turn:
    if rest:
        return Turn(replace(asking, surprisal=True), text=rest)
    said = "Masks are filled again." if asking.surprisal else "Each line: how unexpected its words are."
    return Turn(replace(asking, surprisal=not asking.surprisal), said)


def _top(rest: str, asking: Asking) -> Turn:
    if not (rest.isascii() and rest.isdigit()) or not int(rest):
        raise UsageError(f"{COMMAND}top needs a number from 1 on.", f"For example {COMMAND}top 10.")
    return Turn(replace(asking, top_k=int(rest)), f"{rest} words for each mask.")


def _model(rest: str, asking: Asking) -> Turn:
    models = tuple(rest.split())
    if not 1 <= len(models) <= MOST_MODELS:
        raise UsageError(f"{COMMAND}model needs one to four models.", f"For example {COMMAND}model starter.")
    return Turn(asking, models=models)


def _help(rest: str, asking: Asking) -> Turn:
    return Turn(asking, COMMANDS)


_OBEYED: dict[str, Callable[[str, Asking], Turn]] = {
    "candidates": _candidates,
    "surprisal": _surprisal,
    "top": _top,
    "model": _model,
    "help": _help,
}
