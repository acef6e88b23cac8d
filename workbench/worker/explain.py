"""Explains an error in a training to the person who started it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.private import without_secrets
from workbench.processes import lacks_memory
from workbench.text import printable

_LONGEST = 500
_GPU_WORDS = (
    "CUDA error",
    "CUDA driver",
    "cuDNN error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
    "NCCL error",
    "HIP error",
)
_NO_SPACE = "No space left on device"
_LESS_MEMORY = "Lower batch_size (raise gradient_accumulation to match) or chunk_size."
_KEPT = "Its last checkpoint is kept."


def explain(error: BaseException, folder: Path) -> dict[str, str]:
    """The columns `error` and `error_hint` of a failed run. `folder`: the run's, where its log is."""
    message, hint = _words(error, folder)
    return {
        "error": printable(without_secrets(message), keep_newlines=True),
        "error_hint": printable(without_secrets(hint)),
    }


def _words(error: BaseException, folder: Path) -> tuple[str, str]:
    if isinstance(error, WorkbenchError):
        return error.message, error.hint
    first_line = next(iter(str(error).strip().splitlines()), "")[:_LONGEST]
    for cause in _causes(error):
        number = cause.errno if isinstance(cause, OSError) else None
        where = getattr(cause, "filename", None) or folder
        text, lacking = str(cause), lacks_memory(cause)
        if number in (errno.ENOSPC, errno.EDQUOT) or _NO_SPACE in text:
            return f"The disk is full: {where}.", f"{_KEPT} Make room, then resume the run."
        if number in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = os.strerror(number)
            return f"Cannot use {where}: {reason}.", f"{_KEPT} Change permissions, then resume the run."
        if lacking == "GPU":
            return "The GPU is out of memory.", f"{_KEPT} {_LESS_MEMORY}"
        if type(cause).__name__ == "AcceleratorError" or any(words in text for words in _GPU_WORDS):
            message = f"The GPU or its driver failed: {first_line}"
            return message, f"{_KEPT} Check `nvidia-smi`, then resume the run."
        if lacking:
            return "The machine has no memory left for this run.", f"{_KEPT} {_LESS_MEMORY}"
    return f"{type(error).__name__}: {first_line}", f"The traceback is in {folder / 'worker.log'}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then the errors that led to it."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
