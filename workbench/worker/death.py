"""How a process ended, as far as its parent or the kernel can tell."""

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
"""Exit codes of the workers that this process started, by pid and creation time."""


class Death(NamedTuple):
    """How a process died, and what to do about it ("" if nothing helps)."""

    how: str
    advice: str = ""


def remember_exit(pid: int, created: float, code: int) -> None:
    """Keep an exit code for `death_of`; only a process's parent learns it."""
    _exit_codes[pid, created] = code


def oom_kills() -> int | None:
    """The number of processes that the kernel has killed since boot because memory ran out.

    None where the system does not count them. Kills within a control group count too.
    """
    try:
        counter = re.search(r"^oom_kill (\d+)$", _VMSTAT.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(counter[1]) if counter else None


def death_of(pid: int, created: float, oom_kills_before: int | None) -> Death:
    """How a process of this machine may have died. `oom_kills_before`: `oom_kills()` when it started."""
    code = _exit_codes.get((pid, created))
    if _kernel_says_out_of_memory(pid, created):
        return Death("the kernel killed it, out of memory", _LESS_MEMORY)
    if code is not None and code != -signal.SIGKILL:
        return Death(_ended_with(code))
    killed = "killed by signal 9" if code is not None else "killed"
    now = oom_kills()
    if now is None or oom_kills_before is None:
        return Death(f"{killed}, perhaps out of memory")
    if now > oom_kills_before:
        likely = f"{killed}, likely out of memory (the kernel has killed a process for that since it started)"
        return Death(likely, _LESS_MEMORY)
    return Death(f"{killed}, but not by the kernel's out-of-memory killer")


def _ended_with(code: int) -> str:
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"killed by signal {-code}"


def _kernel_says_out_of_memory(pid: int, created: float) -> bool:
    """Whether the kernel's log, if it can be read, records this kill.

    Its pids are the host's. Inside a container they differ, so nothing matches.
    """
    wanted = f"Killed process {pid} (".encode()
    return any(wanted in record and _seconds(record) >= created for record in _kernel_records())


def _kernel_records() -> Iterator[bytes]:
    """The kernel's log records, oldest first; none if this user may not read them."""
    try:
        log = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        while True:
            try:
                yield os.read(log, _LONGEST_RECORD)  # one read, one record
            except BrokenPipeError:  # overwritten before it was read: try the next one
                continue
            except OSError:  # no more records
                return
    finally:
        os.close(log)


def _seconds(record: bytes) -> float:
    """Seconds from boot to a record, which reads "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT"."""
    try:
        return int(record.split(b",", 3)[2]) / 1e6
    except (IndexError, ValueError):
        return 0.0
