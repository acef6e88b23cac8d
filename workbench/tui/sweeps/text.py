"""The texts of a sweep's screen: its recipes, the effect of each field, the curves; and two lines on one
recipe."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.display import numbers
from workbench.display.sweep import SIGNS, behind, described, effect_lines, entry_lines
from workbench.display.sweep_curves import curve_lines
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.analysis.sweep_table import Entry
    from workbench.tui.sweeps.reader import SweepLook

NOTHING_YET = (
    "No run has finished yet. Each is scored on the yardstick, one test for all, when it finishes; the map "
    "fills as they finish."
)


def sections(look: SweepLook, width: int) -> list[list[Text]]:
    """All sections, in `width` cells."""
    table = look.table
    notes = [line for note in table.notes for line in _wrapped(f"Note: {note}", width)]
    scored = any(entry.perplexity is not None for entry in table.entries)
    if not scored:
        return [_wrapped(NOTHING_YET, width), list(entry_lines(table, width))]
    parts = [list(entry_lines(table, width)) + notes]
    if table.fields:
        parts.append(list(effect_lines(table, width)))
    return [*parts, list(curve_lines(table, look.curves, width))]


def about(look: SweepLook, entry: Entry | None, width: int) -> Text:
    """Two lines on the recipe under the cursor: its result, and its runs with their places in the queue."""
    if entry is None:
        return Text("No recipe is planned here.\n", end="")
    name = described(entry.values)
    figure = (
        "" if entry.perplexity is None else f": {numbers.perplexity(entry.perplexity)} {SIGNS[entry.mark]}"
    )
    first = Text(numbers.clip(f"{name}{figure}".rstrip(), width), "bold", no_wrap=True, end="")
    first.append(numbers.clip(f"  {behind(entry)}", max(width - first.cell_len, 0)), "not bold")
    second = " · ".join(_runs(entry, look))
    return first.append("\n").append(numbers.clip(printable(second), width), "not bold")


def _runs(entry: Entry, look: SweepLook) -> list[str]:
    return [
        f"run {run_id} seed {seed} {standing_of(run_id, look)}"
        for run_id, seed in zip(entry.runs, entry.seeds, strict=True)
    ]


def standing_of(run_id: int, look: SweepLook) -> str:
    """`finished 44.2`, `waiting, place 3`, `running`."""
    if run_id in look.places:
        return f"waiting, place {look.places[run_id]}"
    run = look.runs.get(run_id)
    if run is None:
        return "gone"
    score = run.yardstick_perplexity
    return run.status if score is None else f"{run.status} {numbers.perplexity(score)}"


def choices(entry: Entry, look: SweepLook) -> Mapping[int, str]:
    """The runs of a recipe, for a list to choose from."""
    texts = (line.partition(" ")[2] for line in _runs(entry, look))
    return dict(zip(entry.runs, texts, strict=True))


def _wrapped(text: str, width: int) -> list[Text]:
    return [Text(line) for line in wrap(printable(text), max(width, 10))]
