"""Writes the table of recipe fields into README.md, from the recipe itself: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.recipe import GROUPS, PRESETS
from workbench.recipe_fields import FIELDS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- recipe fields: written by make docs -->", "<!-- end of recipe fields -->"


def table() -> str:
    """One Markdown table per group: field, what it is, what it may be, and its value in each preset."""
    parts = []
    for group in GROUPS:
        parts.append(
            f"**{group}**\n\n| field | what | allowed | {' | '.join(f'`{name}`' for name in PRESETS)} |"
        )
        parts.append("| --- " * (3 + len(PRESETS)) + "|")
        for name, field in FIELDS.items():
            if field.group == group:
                what = field.help.replace("|", r"\|")
                values = " | ".join(written(getattr(recipe, name)) for recipe in PRESETS.values())
                parts.append(f"| `{name}` | {what} | {allowed(name)} | {values} |")
        parts.append("")
    return "\n".join(parts).strip()


def with_table(readme: str) -> str:
    """The README's text with the table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def written(value: Any) -> str:
    """A value as a table shows it."""
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value}"


def allowed(name: str) -> str:
    """The choices or the bounds of a field."""
    field, signs = FIELDS[name], {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return ", ".join(field.choices or (f"{signs[key]} {limit:,}" for key, limit in field.bounds.items()))


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
