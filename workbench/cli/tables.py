"""Tables: fitted to the terminal, or plain aligned columns without one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich import box
from rich.text import Text

from workbench.display.table import table
from workbench.text import printable


def show_table(title: str, rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> None:
    """Print rows, the first one titles; `right`: columns of numbers. Cells are not markup."""
    if not sys.stdout.isatty():
        print(f"{printable(title)}\n{table(rows, right)}\n")
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=Text(printable(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(rows[0]):
        drawn.add_column(Text(printable(name)), justify="right" if index in right else "left")
    for row in rows[1:]:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(drawn)
