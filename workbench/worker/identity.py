"""Which process trains a run, so that a pid used again by another process is not taken for it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK_TOLERANCE = 1.5
"""Seconds. A process's creation time is boot time plus ticks, and boot time is a rounded figure."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process among all that ever ran. The fields are columns of the run; `worker_started_at` is the
    process's creation time in seconds since 1970."""

    worker_pid: int
    worker_started_at: float
    host: str
    boot_id: str

    def columns(self) -> dict[str, Any]:
        """The columns of the run that name its worker."""
        return asdict(self)


def identity_of(pid: int) -> Identity:
    """The identity of a process of this machine; one that has ended already was created at 0."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        created = 0.0
    return Identity(pid, created, platform.node(), boot_id())


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


def process_exists(pid: int) -> bool:
    """Whether a process of that id runs. One that has ended and waits for its parent does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def is_same_process(pid: int, started_at: float) -> bool:
    """Whether the process of that id runs and was created at that time."""
    try:
        created: float = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return process_exists(pid) and abs(created - started_at) < _CLOCK_TOLERANCE
