"""What can be known of how a process ended: from its parent, or from the kernel."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_VMSTAT = Path("/proc/vmstat")
_KERNEL_LOG = "/dev/kmsg"
_LONGEST_RECORD = 8192
_LESS_MEMORY = (
    "Lower batch_size (raise gradient_accumulation to match) or chunk_size, or give it more memory."
)
_exit_codes: dict[tuple[int, float], int] = {}
"""How the workers ended that this process started, by pid and creation time."""


class Death(NamedTuple):
    """`how` it came, in words, and what to do against it, if there is something."""

    how: str
    advice: str = ""


def remember_exit(pid: int, created: float, code: int) -> None:
    """Only a process's parent learns its exit code: keep it for `death_of`."""
    _exit_codes[pid, created] = code


def oom_kills() -> int | None:
    """Processes that the kernel has killed for want of memory since the machine was switched on.

    None where the system does not count them. Kills within a control group count too.
    """
    try:
        found = re.search(r"^oom_kill (\d+)$", _VMSTAT.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def death_of(pid: int, created: float, oom_kills_before: int | None) -> Death:
    """How a process of this machine may have ended; `oom_kills_before`: what `oom_kills` said at first."""
    code = _exit_codes.get((pid, created))
    if _kernel_says_out_of_memory(pid, created):
        return Death("the kernel killed it, out of memory", _LESS_MEMORY)
    if code is not None and code != -signal.SIGKILL:
        return Death(_ended_with(code))
    told = "killed by signal 9" if code is not None else "killed"
    now = oom_kills()
    if now is None or oom_kills_before is None:
        return Death(f"{told}, perhaps for want of memory")
    if now > oom_kills_before:
        likely = f"{told}, likely out of memory (the kernel has ended a process for that since it started)"
        return Death(likely, _LESS_MEMORY)
    return Death(f"{told}, though not by the kernel for want of memory")


def _ended_with(code: int) -> str:
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


def _kernel_says_out_of_memory(pid: int, created: float) -> bool:
    """Whether the kernel's log, where it may be read, tells of this kill.

    The pids in it are the machine's own: within a container they may be others, and nothing is found.
    """
    wanted = f"Killed process {pid} (".encode()
    return any(wanted in record and _seconds(record) >= created for record in _kernel_records())


def _kernel_records() -> Iterator[bytes]:
    """What the kernel has logged, oldest first; nothing where that is not for this user to read."""
    try:
        log = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        while True:
            try:
                yield os.read(log, _LONGEST_RECORD)  # one read, one record
            except BrokenPipeError:  # overwritten before it was read: the next one is there
                continue
            except OSError:  # there are no more
                return
    finally:
        os.close(log)


def _seconds(record: bytes) -> float:
    """When a record was written, since the boot: "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT"."""
    try:
        return int(record.split(b",", 3)[2]) / 1e6
    except (IndexError, ValueError):
        return 0.0
