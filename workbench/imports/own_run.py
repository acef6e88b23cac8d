"""A run's own folder made a run again, where the store that had it is lost or elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

from workbench.errors import StoreError, UsageError, WorkbenchError
from workbench.journal.described import JOB, read_described
from workbench.journal.lines import Kind, decode, file_of, numbers
from workbench.private import make_folder
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.store.naming import checked, free_name, slug
from workbench.stored_recipe import StoredRecipe

_LIVE_SECONDS = 15.0
"""A journal that was written to so lately has a worker."""
_LAST_BYTES = 1 << 16
_CHECKPOINTS = "checkpoints"


def own_folders(path: Path) -> list[Path]:
    """The folders of runs at `path`: itself, or those in it (a store's `runs`), oldest first."""
    folder = path.expanduser().absolute()
    if (folder / JOB).is_file():
        return [folder]
    try:
        folders = [inner for inner in folder.iterdir() if (inner / JOB).is_file()]
    except OSError:
        return []
    return sorted(folders, key=lambda inner: (_number(inner), inner.name))


def import_own(store: Store, folder: Path, name: str | None = None) -> Run:
    """A run with all that the folder's journal tells. Raises UsageError and StoreError.

    A folder in the store's own `runs` stays there, and the run has its id again if that is free. Another one
    is copied.
    """
    try:
        described = read_described(folder)
        files = numbers(folder)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder / JOB} cannot be read: {error}.", "It is written by the worker."
        ) from error
    _refuse(store, folder, described, files)
    try:
        StoredRecipe(described["recipe"]).complete()
    except WorkbenchError as error:
        raise UsageError(f"{folder / JOB} has no valid recipe: {error}") from error
    in_place = folder.parent.resolve() == store.runs_folder.resolve()
    taken = {run.id for run in store.runs(include_archived=True)} | set(store.catalog.deleted())
    names = {run.name for run in store.runs(include_archived=True)}
    run_id = store.journals.adopt(
        described,
        folder,
        described["id"] if in_place and described["id"] not in taken else None,
        name=free_name(_usable_name(name, described["name"]), names),
        status=Status.CRASHED,
    )
    try:
        if not in_place:
            _copy(store, run_id, folder)
        store.journals.ingest(run_id)
    except BaseException:
        with contextlib.suppress(UsageError, StoreError):
            store.update_run(run_id, status=Status.FAILED, **({} if in_place else {"folder": ""}))
            if not in_place:
                store.catalog.remove(run_id)
        raise
    return _ended(store, run_id, Path(store.run(run_id).folder), files)


def _usable_name(wanted: str | None, kept: str) -> str:
    if wanted is not None:
        return checked(wanted)
    try:
        return checked(kept)
    except UsageError:
        return "imported run"


def _refuse(store: Store, folder: Path, described: dict[str, Any], files: list[int]) -> None:
    for run in store.runs(include_archived=True):
        if abs(run.created_at - described["created_at"]) < 1e-3:
            raise UsageError(
                f"{folder} is the folder of run {run.id} {run.name}, which this store has.",
                f"To import it anew, first: mlm-workbench delete {run.id}",
            )
    if files and _is_being_written(file_of(folder, files[-1])):
        raise UsageError(
            f"The journal in {folder} was written to a moment ago: its run has a worker.",
            "Import it when the training has ended.",
        )


def _is_being_written(journal: Path) -> bool:
    """Whether it was written to a moment ago, and does not end with how its run ended."""
    if time.time() - journal.stat().st_mtime > _LIVE_SECONDS:
        return False
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - _LAST_BYTES))
        lines = file.read().split(b"\n")
    try:
        return decode(lines[-2])["kind"] != Kind.ENDING
    except (ValueError, IndexError):
        return True


def _ended(store: Store, run_id: int, folder: Path, files: list[int]) -> Run:
    """The run, whose process is not there any more."""
    run = store.run(run_id)
    last = file_of(folder, files[-1]).stat().st_mtime if files else run.created_at
    columns: dict[str, Any] = {"worker_pid": None, "worker_started_at": None}
    if run.status in ACTIVE or (run.status == Status.CRASHED and run.ended_at is None):
        columns |= {
            "status": Status.CRASHED,
            "ended_at": last,
            "error": "It had not ended when its folder was imported.",
            "error_hint": f"`mlm-workbench resume {run_id}` continues from its last checkpoint.",
        }
    store.update_run(run_id, **columns)
    return store.run(run_id)


def _copy(store: Store, run_id: int, folder: Path) -> None:
    """Give the run a folder of the store's. Checkpoints never change: they are linked where that works."""
    target = store.runs_folder / f"{run_id}-{slug(store.run(run_id).name)}"
    try:
        make_folder(target.parent)
        target.mkdir(mode=0o700)
        for inner in folder.iterdir():
            if inner.is_symlink():
                continue
            if inner.is_dir():
                use = _link if inner.name == _CHECKPOINTS else shutil.copy2
                shutil.copytree(inner, target / inner.name, symlinks=True, copy_function=use)
            else:
                shutil.copy2(inner, target / inner.name)
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise StoreError(
            f"{folder} cannot be copied to {target}: {error.strerror or error}.", "Make room there."
        ) from error
    store.update_run(run_id, folder=str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _number(folder: Path) -> int:
    first = folder.name.partition("-")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 18 else 0
