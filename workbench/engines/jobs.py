"""The files of a job: its script, and for a sweep which run each element is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.engines.place import Place
from workbench.engines.script import SCRIPT, Layout, array_script, run_script
from workbench.errors import StoreError
from workbench.private import make_folder, write_whole
from workbench.store import Run, Store
from workbench.worker.job_file import STOP, write_job

MOST_RUNS_IN_A_JOB = 1_000
"""Slurm's usual limit of an array (MaxArraySize 1001)."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A script that can be submitted from its folder. elements: of each run, None for a job of one run."""

    script: Path
    elements: tuple[int | None, ...]


def script_of(run: Run) -> str:
    """The script that runs this run alone."""
    place, folder = Place.from_json(run.placement), Path(run.folder)
    title = f"mlm-workbench: run {run.id} {run.name}, place {place.name}"
    arguments = ["--folder", str(folder)]
    return run_script(
        place, Layout.of(place, run.processes), title, folder, working_folder_of(run), arguments
    )


def working_folder_of(run: Run) -> Path:
    """The folder from which the recipe may name files; the run's own where it is gone."""
    named = run.environment.get("working_folder")
    return Path(str(named)) if named and Path(str(named)).is_dir() else Path(run.folder)


def write_scripts(store: Store, runs: Sequence[Run]) -> Submission:
    """Write what a job of these runs needs: a script, of a job array for several. Raises StoreError."""
    try:
        for run in runs:
            (Path(run.folder) / STOP).unlink(missing_ok=True)
            write_job(store, run)
        if len(runs) == 1:
            script = Path(runs[0].folder) / SCRIPT
            write_whole(script, script_of(runs[0]).encode())
            return Submission(script, (None,))
        return _write_array(store, runs)
    except OSError as error:
        raise StoreError(
            f"The job's script cannot be written: {error.strerror}.", "Make room or change the permissions."
        ) from error


def _write_array(store: Store, runs: Sequence[Run]) -> Submission:
    first = runs[0]
    sweep = store.sweeps.sweep(first.sweep_id) if first.sweep_id is not None else None
    folder = sweep_folder(store, first.sweep_id)
    make_folder(folder)
    number = 1 + len(list(folder.glob("elements-*")))
    elements = f"elements-{number}"
    names = [Path(run.folder).name for run in runs]
    write_whole(folder / elements, "".join(f"{name}\n" for name in names).encode())
    place = Place.from_json(first.placement)
    parallel = sweep.plan.get("parallel") if sweep else None
    text = array_script(
        place,
        Layout.of(place, first.processes),
        f"mlm-workbench: sweep {sweep.id if sweep else ''} {sweep.name if sweep else ''}, place {place.name}",
        folder,
        working_folder_of(first),
        Path(first.folder).parent,
        elements,
        len(runs),
        parallel if isinstance(parallel, int) else None,
    )
    write_whole(folder / SCRIPT, text.encode())
    return Submission(folder / SCRIPT, tuple(range(len(runs))))


def script_file(store: Store, run: Run) -> Path | None:
    """The script that the run's job runs; None: it is not written yet."""
    own, array = Path(run.folder) / SCRIPT, sweep_folder(store, run.sweep_id) / SCRIPT
    if run.job is not None and "_" in run.job and array.is_file():
        return array
    return own if own.is_file() else None


def sweep_folder(store: Store, sweep_id: int | None) -> Path:
    """Where the files of a sweep's job lie, beside its runs' folders."""
    return store.runs_folder / f"sweep-{sweep_id}"
