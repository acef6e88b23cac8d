"""The form's row for where a run runs; there where there is a choice."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from workbench.engines.configuration import places
from workbench.engines.place import HERE, SLURM, Place, here
from workbench.engines.script import Layout, preview_script
from workbench.engines.slurm import is_installed
from workbench.errors import WorkbenchError
from workbench.text import printable
from workbench.tui.new_run.choice import Choice


class WhereRow(Horizontal):
    """A choice of places. `problem`: what is wrong with the configuration, to be told once."""

    def __init__(self) -> None:
        super().__init__(classes="row")
        self._places, self.problem = _offered()
        self.display = len(self._places) > 1

    def compose(self) -> ComposeResult:
        yield Static("Where", classes="title", markup=False)
        yield Choice(tuple(self._places), HERE, id="where")

    @property
    def place(self) -> Place:
        """The chosen place."""
        return self._places[self.query_one(Choice).value]


def about_place(place: Place) -> str:
    """Two lines on a place."""
    if place.is_local:
        return "Where the run runs: here is this machine.\nIt is no part of the recipe."
    layout = Layout.of(place)
    asks = [f"{name} {value}".strip() for name, value in place.options.items()]
    size = f"{layout.processes} process{'es' * (layout.processes > 1)}"
    nodes = f" on {place.nodes} nodes" if (place.nodes or 1) > 1 else ""
    return printable(
        f"A job of Slurm, {size}{nodes}: {', '.join(asks) or 'with its defaults'}.\nF7 shows its script.",
        keep_newlines=True,
    )


def script_or_problem(place: Place, name: str | None, processes: int | None) -> str:
    """The script of the run's job, or why there can be none."""
    try:
        return preview_script(place, name, processes)
    except WorkbenchError as error:
        return str(error)


def _offered() -> tuple[dict[str, Place], WorkbenchError | None]:
    """`here`, Slurm where it is installed, and what the configuration names."""
    try:
        offered, problem = places(), None
    except WorkbenchError as error:
        offered, problem = {HERE: here()}, error
    if not is_installed():
        offered.pop(SLURM, None)
    return offered, problem
