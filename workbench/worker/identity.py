"""Which process trains a run, so that a pid used again by another process is not taken for it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_TOLERANCE = 0.005
"""Seconds: half a tick of the kernel's clock, for what a database made of the figure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process among all that ever ran. The fields are columns of the run. `worker_started_at`: seconds
    since the machine was switched on, which no setting of the clock changes (elsewhere than on Linux, since
    1970)."""

    worker_pid: int
    worker_started_at: float
    host: str
    boot_id: str

    def columns(self) -> dict[str, Any]:
        """The columns of the run that name its worker."""
        return asdict(self)


def identity_of(pid: int) -> Identity:
    """The identity of a process of this machine; one that has ended already was created at 0."""
    return Identity(pid, started_at(pid) or 0.0, platform.node(), boot_id())


def own_identity() -> Identity:
    """This process."""
    return identity_of(os.getpid())


@cache
def boot_id() -> str:
    """A name for this machine's time since it was switched on; "" where the system gives none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def started_at(pid: int) -> float | None:
    """When a process of this machine was created, on the scale of `Identity`; None when there is none."""
    try:
        # psutil tells the time of day, which moves with the clock; proc(5), field 22, ticks since the boot
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        pass
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def process_exists(pid: int) -> bool:
    """Whether a process of that id runs. One that has ended and waits for its parent does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def is_suspended(pid: int) -> bool:
    """Whether a process is held by a signal (SIGSTOP, Ctrl-Z) or a debugger."""
    try:
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    except psutil.Error:
        return False


def is_same_process(pid: int, created: float) -> bool:
    """Whether the process of that id runs and was created then (`Identity.worker_started_at`)."""
    found = started_at(pid)
    return found is not None and abs(found - created) < _TOLERANCE and process_exists(pid)
