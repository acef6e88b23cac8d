"""Processes: which one it is and whether it lives, what it may say, and whether it lacks memory."""

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
"""A process on another machine, which cannot be seen from here, is gone after so long a silence."""
_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
FROM_1970 = 1e9
"""Seconds. A creation time above it is counted from 1970: no machine has been on for 31 years."""
_TOLERANCE = 0.005
"""Seconds: half a tick of the kernel's clock, for what a database made of the figure."""
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
    "could not create a primitive",  # all that oneDNN says of it
    "can't start new thread",
    "failed to map segment from shared object",
)


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


class Life(Enum):
    """Whether a process lives, as far as can be seen from here."""

    ALIVE = auto()
    SILENT = auto()  # on another machine, and has said nothing for too long
    RESTARTED = auto()  # the machine was switched on anew since
    GONE = auto()  # no process has its id, or another one has


def life_of(process: Identity, silence: float) -> Life:
    """Whether a process lives. `silence`: seconds since it last said so."""
    if process.host != platform.node():
        return Life.SILENT if silence > QUIET_SECONDS_ELSEWHERE else Life.ALIVE
    if process.boot_id and boot_id() and process.boot_id != boot_id():
        return Life.RESTARTED
    same = is_same_process(process.worker_pid, process.worker_started_at)
    return Life.ALIVE if same else Life.GONE


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
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def process_exists(pid: int) -> bool:
    """Whether a process of that id runs. One that has ended and waits for its parent does not."""
    import psutil

    return _state(pid) not in (None, psutil.STATUS_ZOMBIE)


def is_suspended(pid: int) -> bool:
    """Whether a process is held by a signal (SIGSTOP, Ctrl-Z) or a debugger."""
    import psutil

    return _state(pid) in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


def _state(pid: int) -> str | None:
    """As psutil names it; "" where that is not for this user to know, None where there is no process."""
    import psutil

    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return ""


def is_same_process(pid: int, created: float) -> bool:
    """Whether the process of that id runs and was created then (`Identity.worker_started_at`)."""
    found = started_at(pid)
    return found is not None and abs(found - created) < _TOLERANCE and process_exists(pid)


class _Safe(logging.Formatter):
    """Lines that tell no secret, and that a terminal may show."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(without_secrets(super().format(record)), keep_newlines=True)


def log_to_standard_error() -> None:
    """Of a process whose standard error is its log: our own lines from INFO on, the libraries' warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Safe("%(asctime)s %(levelname)-7s %(message)s", datefmt="%m-%d %H:%M:%S"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("workbench").setLevel(logging.INFO)


def quieten(*, bars: bool = True, tokenizer_threads: bool = False) -> None:
    """Keep the libraries' own talk off the terminal, and their bars unless `bars`, where the user has not
    set otherwise. To be called before they are imported."""
    parallel = {"TOKENIZERS_PARALLELISM": str(tokenizer_threads).lower()}
    for name, value in (_LIBRARIES | parallel | ({} if bars else _NO_BARS)).items():
        os.environ.setdefault(name, value)


def lacks_memory(error: BaseException) -> Literal["GPU", "host", ""]:
    """Which memory was refused, by what an error says: a GPU's or the machine's; "" where it says neither.

    The libraries say that in many ways. PyTorch's own class goes by its name: it must not be imported here.
    """
    text = str(error)
    is_pytorchs = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    if is_pytorchs or any(words in text for words in GPU_MEMORY_WORDS):
        return "GPU"
    refused = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return "host" if refused or any(words in text for words in HOST_MEMORY_WORDS) else ""
