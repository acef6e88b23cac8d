"""A sweep as a picture: its heat map, and a bar for each value of each field."""

from __future__ import annotations

from xml.sax.saxutils import escape

from workbench.analysis.heat_map import HeatMap, heat_map
from workbench.analysis.sweep_table import Entry, SweepTable
from workbench.metrics import change
from workbench.text import printable

_SHADES = (
    ("#fde725", "#000"),
    ("#5ec962", "#000"),
    ("#21918c", "#000"),
    ("#3b528b", "#fff"),
    ("#440154", "#fff"),
)
_WIDTH, _CELL_WIDTH, _CELL_HEIGHT, _LINE, _LABEL, _EDGE = 720, 104, 40, 22, 150, 20
_UNKNOWN = ("#eee", "#555")


def sweep_svg(table: SweepTable, name: str) -> str:
    """An SVG document; all text in it is escaped."""
    picture = heat_map(table)
    parts = [_text(_EDGE, 30, f"{name}: perplexity on the yardstick", size=16, weight="bold")]
    top, width = 50, _WIDTH
    if picture:
        width = max(width, _LABEL + _CELL_WIDTH * len(picture.across_labels) + 2 * _EDGE)
        parts += _map(picture, top)
        top += _CELL_HEIGHT * (len(picture.down_labels) + 1) + _LINE
        parts.append(
            _text(_EDGE, top, "★ best   ≈ not distinguishable from it (95 %, corrected for their number)")
        )
        top += _LINE
        if picture.several:
            parts.append(
                _text(_EDGE, top, "Other fields differ too: each cell shows the best of its recipes.")
            )
            top += _LINE
    if table.effects:
        top += _LINE
        parts.append(_text(_EDGE, top, "Effect of each field, all else equal", size=14, weight="bold"))
        most = max(effect.reach for effect in table.effects) or 1.0
        for effect in table.effects:
            top += _LINE
            parts.append(_text(_EDGE, top, effect.field, weight="bold"))
            for level in effect.levels:
                top += _LINE
                bar = 300 * level.effect / most
                label = f"{100 * change(level.effect):+.1f} %" if level.effect else "best"
                parts.append(_text(_EDGE + 12, top, level.label))
                parts.append(
                    f'<rect x="{_LABEL}" y="{top - 13}" width="{bar:.1f}" height="16" fill="#3b528b"/>'
                )
                parts.append(_text(_LABEL + bar + 6, top, f"{label}, {level.n} runs"))
    for note in table.notes:
        top += _LINE
        parts.append(_text(_EDGE, top, note))
    height = top + _EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _map(picture: HeatMap, top: int) -> list[str]:
    title = f"{picture.down} \\ {picture.across}" if picture.down else picture.across
    parts = [_text(_EDGE, top + 25, title, weight="bold")]
    for column, label in enumerate(picture.across_labels):
        middle = _LABEL + _CELL_WIDTH * column + _CELL_WIDTH / 2
        parts.append(_text(middle, top + 25, label, weight="bold", anchor="middle"))
    for row, (label, cells) in enumerate(zip(picture.down_labels, picture.cells, strict=True)):
        y = top + _CELL_HEIGHT * (row + 1)
        parts.append(_text(_EDGE, y + 25, label, weight="bold"))
        for column, entry in enumerate(cells):
            if entry is not None:
                parts += _cell(entry, picture, _LABEL + _CELL_WIDTH * column, y)
    return parts


def _cell(entry: Entry, picture: HeatMap, x: int, y: int) -> list[str]:
    fill, front = _UNKNOWN
    text = next(iter(entry.statuses), "")
    if entry.perplexity is not None:
        part = picture.depth(entry.perplexity)
        fill, front = _SHADES[min(int(part * len(_SHADES)), len(_SHADES) - 1)]
        text = f"{entry.perplexity:.4g}{ {'best': ' ★', 'alike': ' ≈'}.get(entry.mark, '') }"
    edge = ' stroke="#000" stroke-width="3"' if entry.mark == "best" else ""
    box = f'<rect x="{x + 2}" y="{y + 2}" width="{_CELL_WIDTH - 4}" height="{_CELL_HEIGHT - 4}" '
    middle = _text(x + _CELL_WIDTH / 2, y + 25, text, colour=front, anchor="middle")
    return [f'{box}fill="{fill}"{edge}/>', middle]


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    weight: str = "normal",
    colour: str = "#222",
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(printable(text))}</text>'
    )
