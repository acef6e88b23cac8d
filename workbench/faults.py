"""An exception that nothing expected: what is said of it, and where its traceback is kept.

The terminal gets neither the traceback nor the exception's words: both may quote a user's texts.
"""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

from workbench.paths import cache_folder
from workbench.private import make_folder, without_secrets, write_whole

_KEPT = 20
"""Tracebacks that are kept; older ones are deleted."""


def explain(error: BaseException) -> str:
    """Sentences about a fault of the program, with the file that its traceback was written to."""
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(__file__).parent in Path(frame.filename).parents] or frames
    place = ours and f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}"
    return "\n".join(
        (
            f"This is a fault of mlm-workbench, not of yours: {kind}{place or ''}.",
            "Runs that are training go on; start mlm-workbench again to see them.",
            _kept(error),
        )
    )


def _kept(error: BaseException) -> str:
    folder = cache_folder() / "faults"
    file = folder / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{os.getpid()}.txt"
    lines = "".join(traceback.format_exception(error))
    try:
        make_folder(folder)
        write_whole(file, without_secrets(lines).encode("utf-8", "backslashreplace"))
        for old in sorted(folder.glob("*.txt"))[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as refused:
        return f"Its traceback could not be written to {file}: {refused.strerror}."
    return f"To report it, send this file; it may quote your texts: {file}"
