"""Sets up a run's process: its log, and quiet libraries."""

from __future__ import annotations

import faulthandler
import logging

from workbench.processes import log_to_standard_error, quieten


def set_up_process(*, quiet: bool = False) -> None:
    """Log to standard error, which is the run's log. quiet: only warnings and errors."""
    faulthandler.enable()
    quieten(bars=False, tokenizer_threads=True)
    log_to_standard_error()
    logging.captureWarnings(True)
    if quiet:
        logging.getLogger("workbench").setLevel(logging.WARNING)
