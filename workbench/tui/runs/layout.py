"""Which columns of the list of runs fit, and how wide each is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from workbench.display import numbers
from workbench.display.run import epochs, short_name
from workbench.display.where import HERE, where
from workbench.status import Status
from workbench.tui.runs.columns import BY_KEY, COLUMNS, GAP, LOOSE, PINNED, Column

if TYPE_CHECKING:
    from workbench.store.run_lines import RunLine


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns in order, each with its width. `before`, `after`: hidden loose columns on either side."""

    columns: tuple[Column, ...] = ()
    widths: tuple[int, ...] = ()
    before: int = 0
    after: int = 0


def lay_out(wanted: Sequence[int], width: int, first: int = 0) -> Layout:
    """Which columns are shown in `width` cells, and how wide.

    `wanted`: the cells that each of COLUMNS could use; 0 leaves it out. `first` 0: the most important columns
    that fit; otherwise the pinned columns and the loose ones from number `first` (counted from 1) on.
    """
    want = dict(zip(COLUMNS, wanted, strict=True))
    pinned = sum(_least(column, want[column]) + GAP for column in PINNED)
    room = width - pinned + GAP
    # try all of them: a narrow column may fit where a wider one of a better rank does not
    candidates = sorted(LOOSE, key=lambda column: column.rank) if first == 0 else LOOSE[first - 1 :]
    chosen: list[Column] = []
    for column in candidates:
        if want[column] == 0:  # it says nothing of these runs
            continue
        needed = _least(column, want[column]) + GAP
        if needed <= room:
            chosen.append(column)
            room -= needed
        elif first:
            break
    columns = tuple(column for column in COLUMNS if column.rank == 0 or column in chosen)
    widths = [_least(column, want[column]) for column in columns]
    left = width - sum(widths) - GAP * (len(columns) - 1)
    most = [want[column] for column in columns]
    while left > 0 and (lacking := [i for i in range(len(columns)) if widths[i] < most[i]]):
        # The narrowest column that needs more gets the next cell, so one long name starves no other column.
        widths[min(lacking, key=widths.__getitem__)] += 1
        left -= 1
    shown = [LOOSE.index(column) for column in chosen]
    before = first - 1 if first else 0
    silent = sum(want[column] == 0 for column in LOOSE)
    after = len(LOOSE) - 1 - max(shown, default=-1) if first else len(LOOSE) - silent - len(chosen)
    return Layout(columns, tuple(widths), before, after)


def _least(column: Column, wanted: int) -> int:
    return min(column.least, wanted)


def widths(lines: Sequence[RunLine]) -> list[int]:
    """The cells that each column could use for these runs."""
    texts: dict[str, set[str]] = {
        "id": {str(max((line.id for line in lines), default=0))},
        "name": {line.name for line in lines},
        "chunk": {str(size) for size in {line.recipe.chunk_size for line in lines}},
        "mask": {numbers.decimal(share) for share in {line.recipe.mask_prob for line in lines}},
        "epochs": {_longest_epochs(lines)},
        "ppl": _widest(line.eval_perplexity for line in lines),
        "best": _widest(line.best_eval_perplexity for line in lines),
        "yard": _widest(line.yardstick_perplexity for line in lines),
        "where": {where(line) for line in lines},
        "model": {short_name(model) for model in {line.recipe.model for line in lines}},
        "data": {short_name(data) for data in {line.recipe.dataset for line in lines}},
        "tags": {" ".join(tags) for tags in {line.tags for line in lines}},
    }
    wanted = [
        min(max((_cells(text) for text in (f"{column.title}▲", *texts[column.key])), default=0), column.most)
        if column.key in texts
        else column.least
        for column in COLUMNS
    ]
    if texts["where"] <= {HERE}:
        wanted[COLUMNS.index(BY_KEY["where"])] = 0
    return wanted


def _cells(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)  # measuring all of many texts would take long


def _longest_epochs(lines: Sequence[RunLine]) -> str:
    return max((epochs(line) for line in lines if line.status != Status.FINISHED), key=len, default="")


def _widest(values: Iterable[float | None]) -> set[str]:
    """The widest number: that of the greatest value."""
    return {numbers.perplexity(max((value for value in values if value is not None), default=None))}
