"""Keeps the libraries' own talk off the terminal. To be called before they are imported."""

from __future__ import annotations

import os

QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def quieten() -> None:
    """Set what the user has not set."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
