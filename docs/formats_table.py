"""Writes the table of kinds of files into docs/data.md, from the list the program reads by: `make docs`."""

from __future__ import annotations

from pathlib import Path

from workbench.file_kinds import KINDS, PACKED, FileKind

FILE = Path(__file__).parent / "data.md"
BEGIN, END = "<!-- kinds of files: written by make docs -->", "<!-- end of kinds of files -->"


def table() -> str:
    """One row per kind: its names, what a document is, how it is read, and what is refused."""
    rows = [
        "| kind | names | a document is | how it is read | refused |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(map(_cell, _columns(kind)))} |" for kind in KINDS),
    ]
    packed = " ".join(f"`{suffix}`" for suffix in PACKED)
    return "\n".join([*rows, "", f"Any of these may be packed: {packed}. ¹ needs the extra `formats`."])


def with_table(page: str) -> str:
    """The page's text with the table between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _columns(kind: FileKind) -> tuple[str, ...]:
    names = " ".join(f"`{suffix}`" if suffix else "(none)" for suffix in kind.suffixes)
    return kind.name + " ¹" * kind.extra, names, kind.what, kind.how, kind.refused


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(with_table(FILE.read_text(encoding="utf-8")), encoding="utf-8")
