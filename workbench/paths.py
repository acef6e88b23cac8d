"""Where things lie that belong to no single run."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "MLM_WORKBENCH_CACHE"


def cache_folder() -> Path:
    """The folder of prepared text: $MLM_WORKBENCH_CACHE, or the user's own; it can be deleted."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("mlm-workbench")
