"""Processes: identity, liveness, safe logging, quiet libraries, and out-of-memory errors."""

from __future__ import annotations

import errno
import logging
import os
import platform
from dataclasses import asdict, dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any, Literal

from workbench.private import without_secrets
from workbench.text import printable

QUIET_SECONDS_ELSEWHERE = 120.0
"""A process on another machine is gone after this much silence."""
_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
FROM_1970 = 1e9
"""Seconds. A larger creation time is counted from 1970: no machine has been on for 31 years."""
_TOLERANCE = 0.005
"""Seconds: half a tick of the kernel's clock, since a database may round the time."""
_LIBRARIES = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
_NO_BARS = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
GPU_MEMORY_WORDS = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "HIP out of memory",
    "HIP error: out of memory",
    "MPS backend out of memory",
)
HOST_MEMORY_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "could not create a primitive",  # oneDNN's message
    "can't start new thread",
    "failed to map segment from shared object",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A unique identity of a process. The fields are columns of the run.

    `worker_started_at`: seconds since the machine was booted, which setting the clock does not change (on
    systems other than Linux, since 1970).
    """

    worker_pid: int
    worker_started_at: float
    host: str
    boot_id: str

    def columns(self) -> dict[str, Any]:
        """The columns of the run that name its worker."""
        return asdict(self)


def identity_of(pid: int) -> Identity:
    """The identity of a process of this machine; the creation time of one that has ended is 0."""
    return Identity(pid, started_at(pid) or 0.0, platform.node(), boot_id())


def own_identity() -> Identity:
    """This process."""
    return identity_of(os.getpid())


class Life(Enum):
    """Whether a process is alive, as far as visible from here."""

    ALIVE = auto()
    SILENT = auto()  # on another machine, without a heartbeat for too long
    RESTARTED = auto()  # the machine was rebooted since
    GONE = auto()  # no process has its pid, or another one has


def life_of(process: Identity, silence: float) -> Life:
    """Whether a process is alive. `silence`: seconds since its last heartbeat."""
    if process.host != platform.node():
        return Life.SILENT if silence > QUIET_SECONDS_ELSEWHERE else Life.ALIVE
    if process.boot_id and boot_id() and process.boot_id != boot_id():
        return Life.RESTARTED
    same = is_same_process(process.worker_pid, process.worker_started_at)
    return Life.ALIVE if same else Life.GONE


@cache
def boot_id() -> str:
    """An id of this machine's current boot; "" if the system has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def started_at(pid: int) -> float | None:
    """When a process of this machine was created, as in `Identity`; None if it does not exist."""
    try:
        # psutil returns the time of day, which moves with the clock; proc(5), field 22, counts ticks since
        # boot
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        pass
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def process_exists(pid: int) -> bool:
    """Whether a process with that id is running; a zombie is not."""
    import psutil

    return _state(pid) not in (None, psutil.STATUS_ZOMBIE)


def is_suspended(pid: int) -> bool:
    """Whether a process is stopped by a signal (SIGSTOP, Ctrl-Z) or a debugger."""
    import psutil

    return _state(pid) in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


def _state(pid: int) -> str | None:
    """psutil's status; "" if this user may not read it, None if there is no such process."""
    import psutil

    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return ""


def is_same_process(pid: int, created: float) -> bool:
    """Whether the process with that id is running and was created then (`Identity.worker_started_at`)."""
    start = started_at(pid)
    return start is not None and abs(start - created) < _TOLERANCE and process_exists(pid)


class _Safe(logging.Formatter):
    """Formats log lines without secrets, safe for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(without_secrets(super().format(record)), keep_newlines=True)


def log_to_standard_error() -> None:
    """Log to standard error: our own messages from INFO on, and the libraries' warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Safe("%(asctime)s %(levelname)-7s %(message)s", datefmt="%m-%d %H:%M:%S"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("workbench").setLevel(logging.INFO)


def quieten(*, bars: bool = True, tokenizer_threads: bool = False) -> None:
    """Silence the libraries' messages, and their progress bars unless `bars`, before they are imported.

    Variables that the user has set are not changed.
    """
    parallel = {"TOKENIZERS_PARALLELISM": str(tokenizer_threads).lower()}
    for name, value in (_LIBRARIES | parallel | ({} if bars else _NO_BARS)).items():
        os.environ.setdefault(name, value)


def lacks_memory(error: BaseException) -> Literal["GPU", "host", ""]:
    """Which memory an error says was exhausted: the GPU's or the machine's; "" for other errors.

    Libraries report that in many ways. PyTorch's class is recognized by name: torch must not be imported
    here.
    """
    text = str(error)
    is_pytorchs = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    if is_pytorchs or any(words in text for words in GPU_MEMORY_WORDS):
        return "GPU"
    refused = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return "host" if refused or any(words in text for words in HOST_MEMORY_WORDS) else ""
