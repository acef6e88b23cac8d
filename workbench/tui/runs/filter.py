"""The filter language: words, `field:value`, comparisons, and `-` to exclude."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.display.status import MARKS

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

Test = Callable[["RunLine"], bool]

_TERM = re.compile(
    r"""(?P<no>[-!])?
        (?:(?P<field>[A-Za-z_]+):)?
        (?P<value>(?:"[^"]*"?|[^\s"])+)""",
    re.VERBOSE,
)
_COMPARISON = re.compile(r"(<=|>=|<|>|=)?(.*)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_YES = {"yes": True, "no": False}


class _Mistake(ValueError):
    """What is wrong with a term."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """All of `tests` must hold. `mistakes`: terms that mean nothing and are ignored, with the reason."""

    tests: tuple[Test, ...] = ()
    mistakes: tuple[str, ...] = ()
    names_archived: bool = field(default=False)
    """Whether the filter itself decides about archived runs."""

    def matches(self, line: RunLine) -> bool:
        return all(test(line) for test in self.tests)


def parse(typed: str) -> RunFilter:
    """Parse a filter. Never raises, since it is parsed at every key press."""
    tests: list[Test] = []
    mistakes: list[str] = []
    names_archived = False
    for term in _TERM.finditer(typed):
        name, value = term["field"], term["value"]
        try:
            test = _test_of(name.lower(), value) if name else _text_anywhere(value)
        except _Mistake as mistake:
            mistakes.append(str(mistake))
            continue
        names_archived |= bool(name) and name.lower() == "archived"
        tests.append(_not(test) if term["no"] else test)
    return RunFilter(tuple(tests), tuple(mistakes), names_archived)


def _not(test: Test) -> Test:
    return lambda line: not test(line)


def _any(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda line: any(test(line) for test in tests)


def _plain(value: str) -> str:
    return value.replace('"', "").casefold()


def _text_anywhere(value: str) -> Test:
    """A word matches the texts in the list and the note."""
    wanted = _plain(value)

    def test(line: RunLine) -> bool:
        return (
            wanted in line.name.casefold()
            or wanted in (line.recipe.model or "").casefold()
            or wanted in (line.recipe.dataset or "").casefold()
            or wanted in line.note.casefold()
            or any(wanted in tag.casefold() for tag in line.tags)
        )

    return test


def _test_of(name: str, value: str) -> Test:
    if name in _TEXTS:
        return _any([_TEXTS[name](_plain(part)) for part in value.split(",")])
    if name in _NUMBERS:
        return _any([_number(name, part) for part in value.split(",")])
    if name in _FLAGS:
        return _flag(name, _plain(value))
    raise _Mistake(f"Unknown field {name}. Fields: {', '.join(FIELDS)}")


def _flag(name: str, value: str) -> Test:
    if name == "archived" and value == "all":
        return lambda line: True
    if value not in _YES:
        # `y` is the beginning of `yes`, still being typed.
        if any(known.startswith(value) for known in _YES):
            value = next(known for known in _YES if known.startswith(value))
        else:
            raise _Mistake(f"{name}: is yes or no{', or all' if name == 'archived' else ''}")
    get, wanted = _FLAGS[name], _YES[value]
    return lambda line: get(line) is wanted


def _number(name: str, value: str) -> Test:
    comparison = _COMPARISON.fullmatch(value)
    assert comparison is not None  # the empty word matches everything
    compare, wanted, get = _COMPARE[comparison[1] or "="], _parse_number(name, comparison[2]), _NUMBERS[name]

    def test(line: RunLine) -> bool:
        known = get(line)
        return known is not None and compare(known, wanted)

    return test


def _parse_number(name: str, text: str) -> float:
    unit = 1.0
    if name == "time" and text[-1:] in _SECONDS:
        unit, text = _SECONDS[text[-1]], text[:-1]
    try:
        return float(text) * unit
    except ValueError:
        example = "time:>10m" if name == "time" else f"{name}:<50"
        raise _Mistake(f"{name}: needs a number, for example {example}") from None


def _status(value: str) -> Test:
    if not any(status.startswith(value) for status in MARKS):
        raise _Mistake(f"status: is {', '.join(MARKS)}")
    return lambda line: line.status.startswith(value)


def _within(get: Callable[[RunLine], str | None]) -> Callable[[str], Test]:
    return lambda value: lambda line: value in (get(line) or "").casefold()


def _seconds(line: RunLine) -> float | None:
    if line.started_at is None or line.ended_at is None:
        return None
    return line.ended_at - line.started_at


_TEXTS: dict[str, Callable[[str], Test]] = {
    "status": _status,
    "name": _within(lambda line: line.name),
    "model": _within(lambda line: line.recipe.model),
    "data": _within(lambda line: line.recipe.dataset),
    "note": _within(lambda line: line.note),
    "tag": lambda value: lambda line: any(tag.casefold().startswith(value) for tag in line.tags),
}
_NUMBERS: dict[str, Callable[[RunLine], float | None]] = {
    "id": lambda line: line.id,
    "chunk": lambda line: line.recipe.chunk_size,
    "mask": lambda line: line.recipe.mask_prob,
    "epochs": lambda line: line.recipe.epochs,
    "batch": lambda line: line.recipe.batch_size,
    "lr": lambda line: line.recipe.learning_rate,
    "seed": lambda line: line.recipe.seed,
    "ppl": lambda line: line.eval_perplexity,
    "best": lambda line: line.best_eval_perplexity,
    "base": lambda line: line.baseline_perplexity,
    "yard": lambda line: line.yardstick_perplexity,
    "time": _seconds,
}
_FLAGS: dict[str, Callable[[RunLine], bool]] = {
    "star": lambda line: line.starred,
    "archived": lambda line: line.archived,
}
FIELDS = (*_TEXTS, *_NUMBERS, *_FLAGS)
"""The names allowed before a colon."""
