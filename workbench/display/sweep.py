"""A sweep as lines of text: its heat map, the effect of each field, its recipes.

Colour is never the only sign: each value has a bar, higher for worse, and the best ones have a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.analysis.effects import label_of
from workbench.display import numbers
from workbench.display.run import LEVELS
from workbench.display.status import mark
from workbench.metrics import change
from workbench.status import Status
from workbench.text import printable

if TYPE_CHECKING:
    from workbench.analysis.heat_map import HeatMap
    from workbench.analysis.sweep_table import Entry, SweepTable

BEST, ALIKE = "★", "≈"
SIGNS = {"best": BEST, "alike": ALIKE, "behind": " ", "": " "}
LEGEND = f"{BEST} best   {ALIKE} not distinguishable from it (95 %)   no sign: behind"
SHADES = (
    ("#fde725", "black"),
    ("#5ec962", "black"),
    ("#21918c", "black"),
    ("#3b528b", "white"),
    ("#440154", "white"),
)
"""Background and text from the lowest perplexity to the highest: viridis, readable for the colour-blind."""
_CELL = 12
_TITLE_LINES = 2
_WORTH_CUTTING = 8
"""Common prefix of labels, in cells, from which it is left out."""
Place = tuple[int, int]
"""(row, column) of a cell."""
_BAR = 24


def heat_lines(
    picture: HeatMap, width: int, *, shades: bool, sight: Sight | None = None, cursor: Place | None = None
) -> Iterator[Text]:
    """The map, one cell per recipe. `shades`: colour the cells (a terminal with 16 colours or none cannot).

    sight: the visible part, by default as much as fits the width from the first cell on. cursor: the cell
    (row, column) in brackets.
    """
    sight = sight or Sight.of(picture, width)
    yield from _heat_titles(picture, width, sight)
    names = told_apart(list(map(printable, picture.down_labels)))
    for row in range(len(picture.cells))[sight.row : sight.row + sight.rows]:
        line = Text(numbers.fit(names[row], sight.label), no_wrap=True)
        yield line.append_text(_heat_row(picture, row, sight, shades, cursor))
    faint = "dim" if shades else ""
    counts = ((sight.row, "above"), (len(picture.cells) - sight.row - sight.rows, "below"))
    if hidden := [f"{count} more {where}" for count, where in counts if count > 0]:
        yield Text(numbers.clip(", ".join(hidden), width), faint)
    if any(cell and cell.mark for row in picture.cells for cell in row):
        yield Text(numbers.clip(LEGEND, width), faint)
    if picture.several:
        yield Text("Other fields differ too: each cell shows the best of its recipes.")


def _heat_titles(picture: HeatMap, width: int, sight: Sight) -> Iterator[Text]:
    """The names of the two fields, and the labels of the visible columns."""
    before = f"{sight.column}+ " if sight.column else ""
    across = numbers.clip(before + printable(picture.across), width - sight.label - 1)
    yield Text(numbers.fit("", sight.label) + " " + across, "bold", no_wrap=True)
    titles = Text(numbers.fit(printable(picture.down), sight.label) + " ", "bold", no_wrap=True)
    for one in told_apart(list(map(printable, picture.across_labels)))[sight.in_sight]:
        titles.append(numbers.fit(numbers.clip(one, _CELL - 4), _CELL - 3, "right") + "   ", "bold")
    if (hidden := len(picture.across_labels) - sight.column - sight.columns) > 0:
        titles.append(f"+{hidden}")
    yield titles


def _heat_row(picture: HeatMap, row: int, sight: Sight, shades: bool, cursor: Place | None) -> Text:
    """The visible cells of one row, with brackets around the one under the cursor."""
    line = Text(no_wrap=True)
    cells = list(enumerate(picture.cells[row]))[sight.in_sight]
    for column, entry in cells:
        text, style = _cell(entry, picture, shades)
        here, after = cursor == (row, column), cursor == (row, column - 1)
        line.append("[" if here else "]" if after and column > sight.column else " ", "bold")
        line.append(numbers.fit(text, _CELL - 1), f"{style} bold" if here else style)
    return line.append("]" if cursor == (row, sight.column + len(cells) - 1) else " ", "bold")


@dataclass(frozen=True, slots=True)
class Sight:
    """The visible part of a map: `rows` from `row` on, `columns` from `column` on. label: width of the
    rows' names."""

    label: int
    columns: int
    rows: int
    column: int = 0
    row: int = 0

    @property
    def in_sight(self) -> slice:
        """The visible columns."""
        return slice(self.column, self.column + self.columns)

    @classmethod
    def of(cls, picture: HeatMap, width: int, rows: int | None = None) -> Sight:
        """From the first cell on: as many columns as fit, and all rows or `rows` of them."""
        names = (printable(picture.down), *told_apart(list(map(printable, picture.down_labels))))
        label = max(*map(numbers.cell_len, names), 4)
        label = min(label, max(width // 4, 8))
        fit = max((width - label - 1) // _CELL, 1)
        return cls(
            label, min(fit, len(picture.across_labels)), min(rows or len(picture.cells), len(picture.cells))
        )

    def within(self, row: int, column: int) -> Sight:
        """The same part, starting at this row and column at the latest."""
        return replace(self, row=max(min(self.row, row), 0), column=max(min(self.column, column), 0))

    def with_cell(self, cell: Place) -> Sight:
        """The same part, moved just enough to show this cell."""
        row = min(max(self.row, cell[0] - self.rows + 1), cell[0])
        column = min(max(self.column, cell[1] - self.columns + 1), cell[1])
        return replace(self, row=row, column=column)

    def cell_at(self, x: int, y: int) -> Place | None:
        """The cell drawn at this position of the lines, if any."""
        row, column = y - _TITLE_LINES, (x - self.label) // _CELL
        inside = 0 <= row < self.rows and 0 <= column < self.columns and x >= self.label
        return (self.row + row, self.column + column) if inside else None


def _cell(entry: Entry | None, picture: HeatMap, shades: bool) -> tuple[str, str]:
    if entry is None:
        return "", ""
    if entry.perplexity is None:
        state = next(
            (status for status in Status if status in entry.statuses and status != Status.FINISHED), ""
        )
        return (f" {mark(state).symbol} {state}", "") if state else (" no score", "")
    part = picture.depth(entry.perplexity)
    bar = LEVELS[round(part * (len(LEVELS) - 1))]
    text = f"{bar} {numbers.perplexity(entry.perplexity):>6} {SIGNS[entry.mark]}"
    if not shades:
        return text, "bold" if entry.mark == "best" else ""
    back, front = SHADES[min(int(part * len(SHADES)), len(SHADES) - 1)]
    return text, f"{'bold ' if entry.mark == 'best' else ''}{front} on {back}"


def effect_lines(table: SweepTable, width: int) -> Iterator[Text]:
    """The effect of each field: for each value, how much higher the perplexity is than at the best value."""
    yield Text("Effect of each field, all else equal", "bold")
    if not table.effects:
        yield Text("Unknown: too few recipes have a score, or two fields always change together.")
        return
    most = max(effect.reach for effect in table.effects) or 1.0
    labels = [numbers.cell_len(level.label) for effect in table.effects for level in effect.levels]
    names = [numbers.cell_len(effect.field) + 1 for effect in table.effects]
    label = min(max([*labels, *names]) + 2, max(width // 3, 10))
    for effect in table.effects:
        yield Text(f"{numbers.fit(printable(effect.field), label)} up to {percent(effect.reach)}", "bold")
        for level in effect.levels:
            room = max(min(_BAR, width - label - 22), 0)
            bar = "█" * round(room * level.effect / most) if level.effect else "best"
            runs = f"{level.n} run{'' if level.n == 1 else 's'}"
            value = percent(level.effect) if level.effect else ""
            yield Text(
                f"{numbers.fit('  ' + printable(level.label), label)} {value:>9} {runs:>8}  {bar}",
                no_wrap=True,
            )


def entry_lines(table: SweepTable, width: int, most: int = 200) -> Iterator[Text]:
    """The recipes, best first: mean over seeds, spread, number of runs, and distance to the best."""
    yield Text("Recipes, best first; mean over seeds", "bold")
    shown = table.ranked()[:most]
    columns = [
        [printable(name), *told_apart([printable(label_of(entry.values[name])) for entry in shown])]
        for name in table.fields
    ] or [["recipe", *("the recipe" for _ in shown)]]
    # the fields share the remaining width, the wider ones giving way first
    room = max(width - 52, 8 * len(columns))
    widths = [max(map(numbers.cell_len, column)) for column in columns]
    while sum(widths) + 2 * len(widths) > room and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    names = [
        "  ".join(numbers.fit(cell, cells) for cell, cells in zip(row, widths, strict=True))
        for row in zip(*columns, strict=True)
    ]
    yield Text(f"  {names[0]} {'yardstick':>9} {'spread':>7} {'runs':>5}  vs. best", "bold")
    for entry, name in zip(shown, names[1:], strict=True):
        spread = numbers.NOTHING if entry.spread is None else f"{100 * entry.spread:.2g} %"
        count = sum(entry.statuses.values())
        runs = str(entry.n) if entry.n == count else f"{entry.n}/{count}"
        line = (
            f"{SIGNS[entry.mark]} {name} {numbers.perplexity(entry.perplexity):>9} "
            f"{spread:>7} {runs:>5}  {behind(entry)}"
        )
        yield Text(numbers.clip(line, width), "bold" if entry.mark == "best" else "", no_wrap=True)
    if len(table.entries) > most:
        yield Text(f"  and {len(table.entries) - most} more")


def behind(entry: Entry) -> str:
    """How a recipe compares with the best one, in words."""
    if entry.mark == "best":
        return "the best"
    if entry.log_ratio is None or entry.ci_low is None or entry.ci_high is None:
        states = ", ".join(f"{count} {state}" for state, count in entry.statuses.items())
        return "not ranked" if entry.perplexity is not None else states
    reach = f"{percent(entry.log_ratio)} ({percent(entry.ci_low)[:-2]} to {percent(entry.ci_high)[:-2]})"
    if entry.mark != "alike":
        return f"{reach} worse"
    # the interval excludes 0, but not once corrected for seeds and the number of recipes
    beyond = " beyond chance" if entry.ci_low > 0 else ""
    return f"{reach}, no difference shown{beyond}"


def told_apart(labels: Sequence[str]) -> list[str]:
    """The labels without the words that all begin with: paths differ at their ends."""
    alike = [len(set(letters)) == 1 for letters in zip(*labels, strict=False)]
    shared = labels[0][: [*alike, False].index(False)] if labels else ""
    at = max(shared.rfind(letter) for letter in " /-_") + 1
    if len(set(labels)) < 2 or at < _WORTH_CUTTING:
        return list(labels)
    return [f"…{label[at:]}" for label in labels]


def described(values: Mapping[str, object]) -> str:
    """`chunk_size 64, mask_prob 0.15`."""
    return ", ".join(f"{name} {printable(label_of(value))}" for name, value in values.items()) or "the recipe"


def percent(log_ratio: float) -> str:
    """ln(b / a) as `+3.1 %`."""
    share = 100 * change(log_ratio)
    form = "+,.0f" if abs(share) >= 100 else "+.1f" if abs(share) >= 1 else "+.2f"
    return f"{share:{form}} %".replace("inf", "∞")
