"""The columns of the list of runs: what each shows, and how it sorts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from workbench.display import numbers
from workbench.display.run import STAR, elapsed, epochs, short_name, shown_status
from workbench.display.status import mark
from workbench.display.where import where
from workbench.status import ORDER
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine

GAP = 1
SPARK = 8
"""Cells of the curve."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a cell depends on besides its run: the time, the sparklines in sight, the marked runs."""

    now: float
    sparks: dict[int, str]
    marked: set[int]
    standstills: Mapping[int, str] = field(default_factory=dict)
    """Why a run seems to stall, by id."""

    def status_of(self, line: RunLine) -> str:
        """The status as shown."""
        return shown_status(line, self.standstills.get(line.id, ""))


@dataclass(frozen=True, slots=True)
class Column:
    """At least `least` cells, or left out; it grows to its widest text while there is room, up to `most`.

    `value`: the sort key, None last. `rank`: 0 is always shown; of the others, the highest are left out
    first. `descends`: the direction of the first sort.
    """

    key: str
    title: str
    what: str
    least: int
    most: int
    rank: int
    text: Callable[[RunLine, Context], str]
    value: Callable[[RunLine], Any]
    right: bool = False
    descends: bool = False


def _flags(line: RunLine, context: Context) -> str:
    marked = "◆" if line.id in context.marked else " "
    return f"{marked}{mark(context.status_of(line)).symbol}{STAR if line.starred else ' '}"


def _seconds(line: RunLine) -> float | None:
    # a running run is sorted by its start
    return None if line.started_at is None else (line.ended_at or 2e10) - line.started_at


def _decrease(line: RunLine) -> float | None:
    if line.eval_perplexity is None or not line.baseline_perplexity:
        return None
    return line.eval_perplexity / line.baseline_perplexity


Room = tuple[int, int, int]
"""`least`, `most` and `rank` of a column."""


def _words(
    key: str, what: str, room: Room, words: Callable[[RunLine], str], shown: Callable[[str], str]
) -> Column:
    """A column of text, sorted without regard to case."""
    text: Callable[[RunLine, Context], str] = lambda line, _: printable(shown(words(line)))  # noqa: E731
    return Column(key, key, what, *room, text, lambda line: words(line).casefold())


def _figure(key: str, title: str, what: str, room: Room, column: str, shown: Callable[[Any], str]) -> Column:
    """A column of numbers. `column`: of the run, or of its recipe."""
    value = attrgetter(column)
    return Column(key, title, what, *room, lambda line, _: shown(value(line)), value, right=True)


COLUMNS: tuple[Column, ...] = (
    Column("star", "", "star", 3, 3, 0, _flags, lambda line: line.starred, descends=True),
    Column("id", "id", "id", 6, 6, 0, lambda line, _: str(line.id), lambda line: line.id, True, True),
    _words("name", "name", (16, 40, 0), lambda line: line.name, str),
    Column(
        "status",
        "status",
        "status",
        8,
        8,
        12,
        lambda line, context: printable(context.status_of(line)),
        lambda line: ORDER.get(line.status, len(ORDER)),
    ),
    # Not shown while all runs are here.
    _words("where", "where it runs", (14, 34, 2), where, str),
    _words("model", "model", (7, 30, 9), lambda line: line.recipe.model or "", short_name),
    _words("data", "data set", (6, 30, 10), lambda line: line.recipe.dataset or "", short_name),
    _figure("chunk", "chunk", "chunk size", (5, 6, 6), "recipe.chunk_size", lambda size: str(size or "")),
    _figure("mask", "mask", "mask probability", (4, 5, 7), "recipe.mask_prob", numbers.decimal),
    Column(
        "epochs", "epoch", "epochs", 5, 9, 5, lambda line, _: epochs(line), attrgetter("recipe.epochs"), True
    ),
    Column(
        "curve",
        "curve",
        "how far perplexity fell",
        SPARK,
        SPARK,
        3,
        lambda line, context: context.sparks.get(line.id, ""),
        _decrease,
    ),
    _figure("ppl", "test", "test perplexity, last", (6, 8, 1), "eval_perplexity", numbers.perplexity),
    _figure("best", "best", "test perplexity, best", (6, 8, 2), "best_eval_perplexity", numbers.perplexity),
    _figure("yard", "yard", "yardstick perplexity", (6, 8, 4), "yardstick_perplexity", numbers.perplexity),
    Column(
        "time",
        "time",
        "duration",
        7,
        7,
        8,
        lambda line, context: numbers.duration(elapsed(line, context.now)),
        _seconds,
        True,
        True,
    ),
    Column(
        "tags",
        "tags",
        "tags",
        8,
        40,
        11,
        lambda line, _: printable(" ".join(line.tags)),
        lambda line: " ".join(line.tags).casefold() or None,
    ),
)
BY_KEY = {column.key: column for column in COLUMNS}
PINNED = tuple(column for column in COLUMNS if column.rank == 0)
LOOSE = tuple(column for column in COLUMNS if column.rank > 0)


def order(lines: Sequence[RunLine], key: str, descending: bool) -> list[RunLine]:
    """Sort by a column, unknown values last in either direction; equal ones stay newest first."""
    value = BY_KEY[key].value
    known: list[tuple[Any, RunLine]] = []
    unknown: list[RunLine] = []
    for line in sorted(lines, key=attrgetter("id"), reverse=True):
        if (worth := value(line)) is None:
            unknown.append(line)
        else:
            known.append((worth, line))
    known.sort(key=itemgetter(0), reverse=descending)
    return [line for _, line in known] + unknown
