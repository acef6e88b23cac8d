"""Writes the table of recipe fields into README.md, from the recipe itself: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from workbench.recipe import GROUPS, PRESETS, Recipe

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- recipe fields: written by make docs -->", "<!-- end of recipe fields -->"


def table() -> str:
    """One Markdown table per group: field, what it is, what it may be, and its value in each preset."""
    schema = Recipe.model_json_schema()["properties"]
    parts = []
    for group in GROUPS:
        parts.append(
            f"**{group}**\n\n| field | what | allowed | {' | '.join(f'`{name}`' for name in PRESETS)} |"
        )
        parts.append("| --- " * (3 + len(PRESETS)) + "|")
        for name, field in schema.items():
            if field["group"] == group:
                what = field["description"].replace("|", r"\|")
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
    field = Recipe.model_fields[name]
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [(sign, getattr(bound, key, None)) for bound in field.metadata for key, sign in signs.items()]
    return ", ".join(f"{sign} {limit:,}" for sign, limit in bounds if limit is not None)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
