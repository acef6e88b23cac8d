"""The columns of the list of runs: what each shows, and how they share the width there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.cells import cell_len

from workbench.text import printable
from workbench.tui import figures
from workbench.tui.status import mark

if TYPE_CHECKING:
    from workbench.store import Run


@dataclass(frozen=True, slots=True)
class Column:
    """`least` cells are always given; a column grows to its widest text while there is room, up to `most`."""

    title: str
    least: int
    most: int
    right: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("id", 2, 6, True),
    Column("status", 10, 10),
    Column("name", 8, 40),
    Column("model", 7, 30),
    Column("data", 6, 30),
    Column("chunk", 5, 6, True),
    Column("mask", 4, 5, True),
    Column("epoch", 5, 9, True),
    Column("test", 6, 8, True),
    Column("best", 6, 8, True),
    Column("time", 7, 7, True),
)
GAP = 1
STATUS = 1
"""Index of the column that carries the status's colour."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run as text, ready to be clipped into its columns."""

    id: int
    status: str
    cells: tuple[str, ...]


def row_of(run: Run, now: float) -> Row:
    """The row of a run; `now` (epoch seconds) is for the time of one that is still going."""
    recipe = run.recipe
    run_id = run.id or 0  # what was read from the store has one
    cells = (
        str(run_id),
        f"{mark(run.status).symbol} {run.status}",
        printable(run.name),
        printable(short_name(str(recipe.get("model", "")))),
        printable(short_name(str(recipe.get("dataset", "")))),
        str(recipe.get("chunk_size", "")),
        figures.decimal(recipe.get("mask_prob")),
        _epochs(run),
        figures.perplexity(run.eval_perplexity),
        figures.perplexity(run.best_eval_perplexity),
        figures.duration(elapsed(run, now)),
    )
    return Row(run_id, run.status, cells)


def _epochs(run: Run) -> str:
    """`3`, or `1.4/3` of a run that has not gone through all of them."""
    wanted = run.recipe.get("epochs", "")
    if run.status == "finished" or not run.epoch:
        return str(wanted)
    return f"{run.epoch:.1f}/{wanted}"


def elapsed(run: Run, now: float) -> float | None:
    """Seconds between start and end, or until now."""
    if run.started_at is None:
        return None
    end = run.ended_at if run.ended_at is not None else now
    return max(end - run.started_at, 0.0)


def short_name(name: str) -> str:
    """The last part of a hub id or of a path: what tells two of them apart."""
    return PurePath(name).name or name


def widths(rows: Sequence[Row], width: int) -> list[int]:
    """Cells for each column. Every column gets its least; what is left goes to those that want more."""
    wanted = [
        min(max([cell_len(column.title), *(cell_len(row.cells[i]) for row in rows)]), column.most)
        for i, column in enumerate(COLUMNS)
    ]
    given = [min(column.least, want) for column, want in zip(COLUMNS, wanted, strict=True)]
    left = width - sum(given) - GAP * (len(COLUMNS) - 1)
    while left > 0 and (lacking := [i for i in range(len(COLUMNS)) if given[i] < wanted[i]]):
        # The narrowest of those that lack something gets the next cell: one long name starves no other.
        given[min(lacking, key=given.__getitem__)] += 1
        left -= 1
    return given
