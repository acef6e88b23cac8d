"""What `doctor` learns about the places where runs can run: one check for each that is a cluster's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from workbench.cli.check import Check
from workbench.engines.configuration import config_file, places
from workbench.engines.place import SLURM, Place
from workbench.engines.script import SCRIPT, preview_script
from workbench.engines.slurm import Slurm, is_installed
from workbench.errors import WorkbenchError


def place_checks() -> list[tuple[str, Callable[[], Check]]]:
    """A check for each place by its name; Slurm's own only where it is installed."""
    try:
        known = [place for place in places().values() if not place.is_local]
    except WorkbenchError as error:
        return [("places", partial(Check, "failure", error.message, error.hint))]
    wanted = [place for place in known if place.name != SLURM or is_installed()]
    return [(f"place {place.name}", partial(_accepted, place)) for place in wanted]


def _accepted(place: Place) -> Check:
    """Whether Slurm would take a job there. Nothing is submitted."""
    if not is_installed():
        hint = "Run it on a login node of the cluster, or put Slurm's commands on the PATH."
        return Check("warning", f"sbatch is not on this machine; {config_file()} names it", hint)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / SCRIPT
        script.write_text(preview_script(place, None), encoding="utf-8")
        try:
            said = Slurm().check(script)
        except WorkbenchError as error:
            # nobody has asked for the place that is there whenever sbatch is
            return Check("warning" if place.name == SLURM else "failure", error.message, error.hint)
    return Check("ok", said.splitlines()[-1].removeprefix("sbatch: ") if said else "sbatch accepts a job")
