"""What `doctor` looks at. Each check says how it stands and, if need be, what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from workbench.errors import WorkbenchError

_NEEDED = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "textual", "sqlmodel", "alembic")
_LITTLE, _VERY_LITTLE = 5e9, 5e8
"""Bytes of free space below which there is a warning, and a failure."""
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "lustre",
        "glusterfs",
        "beegfs",
        "fuse.sshfs",
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    status: Literal["ok", "warning", "failure"]
    message: str
    hint: str = ""


def all_checks(location: str | None, *, hub: bool) -> Iterator[Check]:
    """The findings, as they are made. The hub is only asked with `hub`."""
    checks: list[Callable[[], Check]] = [
        _versions,
        _device,
        lambda: _database(location),
        lambda: _file_system(location),
        lambda: _space("space for runs", _runs_folder(location)),
        _cache,
        _starter,
        _terminal,
    ]
    if hub:
        checks.append(_hub)
    for check in checks:
        try:
            yield check()
        except WorkbenchError as error:
            yield Check(check.__name__.strip("_<>"), "failure", error.message, error.hint)


def _versions() -> Check:
    found, missing = [f"Python {platform.python_version()}"], []
    for name in ("mlm-workbench", *_NEEDED):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        hint = f"Install them: pip install {' '.join(missing)}"
        return Check("versions", "failure", f"not installed: {', '.join(missing)}", hint)
    return Check("versions", "ok", ", ".join(found))


def _device() -> Check:
    try:
        from workbench.recipe import PRESETS
        from workbench.training.machine import choose_machine
    except (ImportError, OSError) as error:  # a broken installation of torch, mostly
        return Check("device", "failure", f"PyTorch cannot be loaded: {error}", "Install it afresh.")
    machine = choose_machine(PRESETS["starter"], "bert")
    message = f"{machine.device} ({machine.device_name}), trains in {machine.precision}"
    if shutil.which("nvidia-smi") and not machine.is_cuda:
        hint = "Install the PyTorch build for your driver's CUDA version, or see what nvidia-smi says."
        return Check("device", "warning", f"{message}, though there is an NVIDIA driver", hint)
    return Check("device", "ok", message)


def _database(location: str | None) -> Check:
    from workbench.store import Store
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    if file is not None and not file.exists():
        parent = _existing(file.parent)
        if os.access(parent, os.W_OK):
            return Check("database", "ok", f"{file} is made at the first start")
        hint = "Choose another place with --db PATH or MLM_WORKBENCH_DB."
        return Check("database", "failure", f"{parent} cannot be written", hint)
    try:
        store = Store.open(location)
    except WorkbenchError as error:
        return Check("database", "failure", error.message, error.hint)
    problems = store.integrity_problems()
    count = len(store.runs(include_archived=True))
    store.close()
    if problems:
        hint = "Keep a copy of the file, and recover it with `sqlite3 FILE .recover`."
        return Check("database", "failure", f"{file}: {'; '.join(problems[:3])}", hint)
    if file is not None and not os.access(file, os.W_OK):
        return Check("database", "failure", f"{file} cannot be written", "Change its permissions.")
    return Check("database", "ok", f"{store.location}, {count} run{'' if count == 1 else 's'}, whole")


def _file_system(location: str | None) -> Check:
    """WAL needs shared memory between processes, which network file systems do not have."""
    import psutil

    folder = _existing(_runs_folder(location).parent)
    holding = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    if not holding:
        return Check("file system", "ok", "not known")
    partition = max(holding, key=lambda part: len(part.mountpoint))
    if partition.fstype.lower() in _NETWORK_FILE_SYSTEMS:
        hint = "Keep the database on a local disk (--db PATH): SQLite can be damaged by two machines at once."
        return Check("file system", "warning", f"{folder} is on a network ({partition.fstype})", hint)
    return Check("file system", "ok", f"{partition.fstype} at {partition.mountpoint}")


def _space(name: str, folder: Path) -> Check:
    place = _existing(folder)
    free = shutil.disk_usage(place).free
    message = f"{free / 1e9:,.1f} GB free at {place}"
    if not os.access(place, os.W_OK):
        return Check(
            name, "failure", f"{place} cannot be written", "Change its permissions, or choose another."
        )
    hint = "A checkpoint takes about three times the model's weights."
    if free < _VERY_LITTLE:
        return Check(name, "failure", message, f"Make room. {hint}")
    if free < _LITTLE:
        return Check(name, "warning", message, hint)
    return Check(name, "ok", message)


def _cache() -> Check:
    from workbench.paths import CACHE_VARIABLE, cache_folder

    found = _space("cache of prepared text", cache_folder())
    if found.status == "ok" or CACHE_VARIABLE in found.hint:
        return found
    return Check(
        found.name, found.status, found.message, f"{found.hint} {CACHE_VARIABLE} names another folder."
    )


def _starter() -> Check:
    from workbench.pretrained.starter import starter_folder

    try:
        folder = starter_folder()
    except WorkbenchError as error:
        # trainings with other models do not need it
        return Check("starter model", "warning", error.message, error.hint)
    return Check("starter model", "ok", f"every file as published, at {folder}")


def _terminal() -> Check:
    term = os.environ.get("TERM", "")
    size = shutil.get_terminal_size(fallback=(0, 0))
    encoding = (sys.stdout.encoding or "").lower()
    colours = "no colours" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "colours by TERM"
    where = ", in tmux" if os.environ.get("TMUX") else ""
    where += ", over SSH" if os.environ.get("SSH_CONNECTION") else ""
    if not sys.stdout.isatty():
        return Check("terminal", "ok", "standard output is no terminal, so there is nothing to see")
    message = f"TERM={term}, {size.columns}x{size.lines}, {encoding}, {colours}{where}"
    if term in ("", "dumb"):
        return Check(
            "terminal", "warning", message, "The screen needs a real terminal; the verbs work in any."
        )
    if "utf" not in encoding:
        return Check(
            "terminal", "warning", message, "Use a UTF-8 locale, such as LANG=C.UTF-8, to see curves."
        )
    if size.columns < 80 or size.lines < 24:
        return Check("terminal", "warning", message, "The screen is made for 80x24 and more.")
    return Check("terminal", "ok", message)


def _hub() -> Check:
    from workbench.pretrained.hub import hub_is_reachable

    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if hub_is_reachable():
        return Check("hub", "ok", f"{endpoint} answers")
    hint = "The model `starter` and local files work offline; see HF_HUB_OFFLINE and your proxy."
    return Check("hub", "warning", f"{endpoint} cannot be reached", hint)


def _runs_folder(location: str | None) -> Path:
    from workbench.store.engine import locate, sqlite_file

    file = sqlite_file(locate(location))
    return (file.parent if file else Path.cwd()) / "runs"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
