"""A sweep as a file: .csv and .json for programs, .md for a report, .svg for a slide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.analysis.effects import label_of
from workbench.analysis.heat_map import heat_map
from workbench.analysis.sweep_table import Entry, SweepTable
from workbench.errors import UsageError
from workbench.exports.sweep_svg import sweep_svg
from workbench.exports.tables import put_in_place, write_table
from workbench.metrics import as_json, change
from workbench.text import printable

ENDINGS = (".csv", ".json", ".md", ".svg")
_MARKS = {"best": "**best**", "alike": "not distinguishable from it", "behind": "behind", "": "not ranked"}


def write_sweep(table: SweepTable, name: str, file: Path) -> None:
    """Write a sweep in the format of the file's ending, whole or not at all.

    Raises UsageError for another ending, WorkbenchError if the disk refuses.
    """
    ending = file.suffix.lower()
    if ending == ".csv":
        write_table([row(entry) for entry in table.ranked()], file)
    elif ending == ".json":
        content = {"sweep": name, **table.to_json()}
        put_in_place((json.dumps(as_json(content), indent=2, allow_nan=False) + "\n").encode(), file)
    elif ending == ".md":
        put_in_place(markdown(table, name).encode("utf-8", errors="replace"), file)
    elif ending == ".svg":
        put_in_place(sweep_svg(table, name).encode("utf-8", errors="replace"), file)
    else:
        raise UsageError(f"{file}: the ending decides the format.", f"Endings: {', '.join(ENDINGS)}.")


def row(entry: Entry) -> dict[str, Any]:
    """A recipe as one row of a table."""
    return {
        **entry.values,
        "yardstick_perplexity": entry.perplexity,
        "spread": entry.spread,
        "n": entry.n,
        "seeds": " ".join(map(str, entry.seeds)),
        "runs": " ".join(map(str, entry.runs)),
        "mark": entry.mark,
        "log_ratio_to_best": entry.log_ratio,
        "ci_low": entry.ci_low,
        "ci_high": entry.ci_high,
        "p_value": entry.p_value,
    }


def markdown(table: SweepTable, name: str) -> str:
    """The heat map, the recipes and the effects as tables of Markdown."""
    parts = [f"# {_text(name)}", "Perplexity on the yardstick, the same test for every run; lower is better."]
    picture = heat_map(table)
    if picture and picture.down:
        head = [f"{picture.down} \\ {picture.across}", *picture.across_labels]
        body = [
            [label, *("" if cell is None else _cell(cell) for cell in cells)]
            for label, cells in zip(picture.down_labels, picture.cells, strict=True)
        ]
        parts.append(_table([head, *body]))
        several = " Other fields differ too: each cell shows the best of its recipes."
        parts.append("★ best, ≈ not distinguishable from it." + (several if picture.several else ""))
    head = [*table.fields, "perplexity", "spread", "runs", "vs. best, 95 %", "p", ""]
    body = [
        [
            *(label_of(entry.values[name]) for name in table.fields),
            _number(entry.perplexity),
            "" if entry.spread is None else f"{100 * entry.spread:.2g} %",
            str(entry.n),
            _ratio(entry),
            "" if entry.p_value is None else f"{entry.p_value:.3g}",
            _MARKS[entry.mark],
        ]
        for entry in table.ranked()
    ]
    parts += ["## Recipes", _table([head, *body])]
    if table.effects:
        body = [
            [effect.field, level.label, f"{100 * change(level.effect):+.1f} %", str(level.n)]
            for effect in table.effects
            for level in effect.levels
        ]
        parts += ["## Effect of each field, all else equal"]
        parts.append(_table([["field", "value", "perplexity vs. best value", "runs"], *body]))
    parts += [f"- {_text(note)}" for note in table.notes]
    return "\n\n".join(parts) + "\n"


def _cell(entry: Entry) -> str:
    sign = {"best": " ★", "alike": " ≈"}.get(entry.mark, "")
    return f"{_number(entry.perplexity)}{sign}"


def _ratio(entry: Entry) -> str:
    if entry.log_ratio is None or entry.ci_low is None or entry.ci_high is None:
        return ""
    ratio, low, high = (100 * change(log) for log in (entry.log_ratio, entry.ci_low, entry.ci_high))
    return f"{ratio:+.1f} % ({low:.1f} to {high:.1f})"


def _table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(map(_text, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _text(text: str) -> str:
    """Text escaped for a table cell."""
    clean = printable(text).replace("\\", "\\\\") if "\\ " not in text else printable(text)
    return clean.replace("|", "\\|").replace("<", "&lt;")
