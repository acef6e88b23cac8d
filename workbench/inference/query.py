"""What to compute for a text, and the prompt's commands that change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from workbench.errors import UsageError
from workbench.inference.candidates import split_words

MOST_MODELS = 4
COMMAND = ":"
COMMANDS = """\
:candidates bbc, police   only these words; without words: any word again
:surprisal [TEXT]         how unexpected each word of TEXT is; without TEXT: switch this on or off
:top 10                   number of words for each mask
:model M [M...]           query other models, up to four: hub id, folder, starter, run:RUN, run:RUN@best
:help                     this list"""


@dataclass(frozen=True, slots=True)
class Query:
    """`top_k` words for each mask, or only the `candidates`; or the surprisal of the whole text."""

    top_k: int = 5
    candidates: tuple[str, ...] = ()
    surprisal: bool = False


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command. `models`: to query from now on; `text`: to query now."""

    query: Query
    message: str = ""
    models: tuple[str, ...] = ()
    text: str = ""


def run_command(line: str, query: Query) -> CommandResult:
    """Run the command in a line that starts with `:`. Raises UsageError for an unknown command."""
    name, _, rest = line.removeprefix(COMMAND).strip().partition(" ")
    matches = [command for command in _COMMANDS if name and command.startswith(name)]
    if len(matches) != 1:
        raise UsageError(f"There is no command {COMMAND}{name}.", f"{COMMAND}help lists them.")
    return _COMMANDS[matches[0]](rest.strip(), query)


def _candidates(rest: str, query: Query) -> CommandResult:
    words = split_words(rest)
    message = f"Only these words: {', '.join(words)}." if words else "Any word again."
    return CommandResult(replace(query, candidates=words, surprisal=False), message)


def _surprisal(rest: str, query: Query) -> CommandResult:
    if rest:
        return CommandResult(replace(query, surprisal=True), text=rest)
    message = (
        "Masks are filled again." if query.surprisal else "Each line shows how unexpected its words are."
    )
    return CommandResult(replace(query, surprisal=not query.surprisal), message)


def _top(rest: str, query: Query) -> CommandResult:
    if not (rest.isascii() and rest.isdigit()) or not int(rest):
        raise UsageError(f"{COMMAND}top needs a number of at least 1.", f"For example {COMMAND}top 10.")
    return CommandResult(replace(query, top_k=int(rest)), f"{rest} words for each mask.")


def _model(rest: str, query: Query) -> CommandResult:
    models = tuple(rest.split())
    if not 1 <= len(models) <= MOST_MODELS:
        raise UsageError(f"{COMMAND}model needs one to four models.", f"For example {COMMAND}model starter.")
    return CommandResult(query, models=models)


def _help(rest: str, query: Query) -> CommandResult:
    return CommandResult(query, COMMANDS)


_COMMANDS: dict[str, Callable[[str, Query], CommandResult]] = {
    "candidates": _candidates,
    "surprisal": _surprisal,
    "top": _top,
    "model": _model,
    "help": _help,
}
