"""The checks of `doctor`. Each returns the state of one thing and, if needed, what to do."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.check import Check
from workbench.cli.place_checks import place_checks
from workbench.cli.terminal_checks import terminal_checks
from workbench.errors import WorkbenchError
from workbench.mounts import file_system_of
from workbench.paths import CACHE_VARIABLE, cache_folder
from workbench.pretrained.hub import hub_is_reachable
from workbench.pretrained.starter import starter_folder
from workbench.private import UMASK_VARIABLE, umask_applies

if TYPE_CHECKING:
    from workbench.store import Store

_NEEDED = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "textual", "sqlmodel", "alembic")
_LITTLE, _VERY_LITTLE = 5e9, 5e8
"""Bytes of free space below which `doctor` warns, and fails."""


def all_checks(location: str | None, *, hub: bool) -> Iterator[tuple[str, Check]]:
    """The findings by name, one at a time. The hub is contacted only with `hub`."""
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("versions", _versions),
        ("device", _device),
        ("database", lambda: _database(location)),
        ("privacy", lambda: _privacy(location)),
        ("file system", lambda: _file_system(location)),
        ("space for runs", lambda: _space(_runs_folder(location))),
        ("cache of prepared text", _cache),
        ("starter model", _starter),
        *place_checks(),
        *terminal_checks(),
    ]
    if hub:
        checks.append(("hub", _hub))
    for name, check in checks:
        try:
            yield name, check()
        except WorkbenchError as error:
            yield name, Check("failure", error.message, error.hint)
        except Exception as error:  # an error in a check is a finding, and the other checks continue
            first_line = (str(error).strip() or "no reason given").splitlines()[0]
            yield name, Check("failure", f"cannot be checked: {type(error).__name__}: {first_line}")


def _versions() -> Check:
    versions, missing = [f"Python {platform.python_version()}"], []
    for name in ("mlm-workbench", *_NEEDED):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        hint = f"Install them: pip install {' '.join(missing)}"
        return Check("failure", f"not installed: {', '.join(missing)}", hint)
    return Check("ok", ", ".join(versions))


def _device() -> Check:
    try:
        import torch

        from workbench.recipe import PRESETS
        from workbench.training.machine import choose_machine
    except (ImportError, OSError) as error:  # mostly a broken installation of torch
        return Check("failure", f"PyTorch cannot be loaded: {error}", "Reinstall it.")
    machine = choose_machine(PRESETS["starter"], "bert")
    try:
        (torch.ones(8, 8, device=machine.device) @ torch.ones(8, 8, device=machine.device)).sum().item()
    except RuntimeError as error:
        first_line = str(error).strip().splitlines()[0]
        hint = "Check nvidia-smi; CUDA_VISIBLE_DEVICES= trains on the CPU meanwhile."
        return Check("failure", f"{machine.device} ({machine.device_name}) fails: {first_line}", hint)
    message = f"{machine.device} ({machine.device_name}), trains in {machine.precision}"
    if shutil.which("nvidia-smi") and not machine.is_cuda:
        hint = "Install the PyTorch build for your driver's CUDA version, or check nvidia-smi."
        return Check("warning", f"{message}, though there is an NVIDIA driver", hint)
    return Check("ok", message)


def _database(location: str | None) -> Check:
    from workbench.store import Store
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    if file is not None and not file.exists():
        parent = _existing(file.parent)
        if os.access(parent, os.W_OK):
            return Check("ok", f"{file} will be created at the first start")
        hint = "Choose another place with --db PATH or MLM_WORKBENCH_DB."
        return Check("failure", f"{parent} is not writable", hint)
    try:
        store = Store.open(location)
    except WorkbenchError as error:
        return Check("failure", error.message, error.hint)
    if file is None:
        return _server(store)
    problems = store.integrity_problems()
    count = len(store.runs(include_archived=True))
    store.close()
    if problems:
        hint = (
            "`mlm-workbench restore FILE` puts a backup in its place; `sqlite3 FILE .recover` may save more."
        )
        return Check("failure", f"{file}: {'; '.join(problems[:3])}", hint)
    if not os.access(file, os.W_OK):
        return Check("failure", f"{file} is not writable", "Change its permissions.")
    return Check("ok", f"{store.location}, {_counted(count)}, intact")


def _server(store: Store) -> Check:
    from workbench.store.postgres_condition import condition

    server = condition(store.database.engine)
    message = f"{store.location}, {_counted(len(store.runs(include_archived=True)))}; {server.facts}"
    store.close()
    if server.troubles:
        messages, hints = zip(*server.troubles, strict=True)
        return Check("warning", f"{message}; but {'; '.join(messages)}", " ".join(hints))
    return Check("ok", message)


def _counted(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"


def _privacy(location: str | None) -> Check:
    """Whether other users can read runs; a log may quote private texts."""
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    places = [path for path in (file, _runs_folder(location)) if path is not None and path.exists()]
    open_to_others = [str(path) for path in places if path.stat().st_mode & 0o077]
    if umask_applies():
        return Check("ok", f"the umask decides, as {UMASK_VARIABLE} says")
    if open_to_others:
        hint = f"chmod -R go= {shlex.join(open_to_others)}, or allow it with {UMASK_VARIABLE}=apply."
        return Check("warning", f"other users can read {', '.join(open_to_others)}", hint)
    return Check("ok", "only you can read your runs")


def _file_system(location: str | None, mounts: Path | None = None) -> Check:
    """WAL needs shared memory between processes, which network file systems lack."""
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    if file is None:
        return Check("ok", f"no database file here; runs lie in {_runs_folder(location)}")
    file_system = file_system_of(file, mounts)
    if file_system is None:
        return Check("ok", "not known")
    if file_system.is_network:
        hint = "Keep the database on a local disk (--db PATH); several machines at once need PostgreSQL."
        message = f"{file.parent} is on a network ({file_system.kind}): no WAL, one machine at a time"
        return Check("warning", message, hint)
    return Check("ok", f"{file_system.kind} at {file_system.mount_point}")


def _space(folder: Path) -> Check:
    place = _existing(folder)
    free = shutil.disk_usage(place).free
    message = f"{free / 1e9:,.1f} GB free at {place}"
    if not os.access(place, os.W_OK):
        return Check("failure", f"{place} is not writable", "Change its permissions, or choose another.")
    hint = "A checkpoint takes about three times the model's weights."
    if free < _VERY_LITTLE:
        return Check("failure", message, f"Free some space. {hint}")
    if free < _LITTLE:
        return Check("warning", message, hint)
    return Check("ok", message)


def _cache() -> Check:
    space = _space(cache_folder())
    if space.status == "ok":
        return space
    return Check(space.status, space.message, f"{space.hint} {CACHE_VARIABLE} names another folder.")


def _starter() -> Check:
    try:
        folder = starter_folder()
    except WorkbenchError as error:
        # other models do not need it
        return Check("warning", error.message, error.hint)
    return Check("ok", f"all files as published, at {folder}")


def _hub() -> Check:
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if hub_is_reachable():
        return Check("ok", f"{endpoint} answers")
    hint = "The model `starter` and local files work offline; see HF_HUB_OFFLINE and your proxy."
    return Check("warning", f"{endpoint} cannot be reached", hint)


def _runs_folder(location: str | None) -> Path:
    from workbench.store import Store
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    if file is not None:
        return file.parent / "runs"
    store = Store.open(location)
    folder = store.runs_folder
    store.close()
    return folder


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
