"""Where things lie that belong to no single run."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "MLM_WORKBENCH_CACHE"
CONFIG_VARIABLE = "MLM_WORKBENCH_CONFIG"


def cache_folder() -> Path:
    """The folder of prepared text: $MLM_WORKBENCH_CACHE, or the user's own; it can be deleted."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("mlm-workbench")


def config_folder() -> Path:
    """The folder of what a person has saved for all projects: $MLM_WORKBENCH_CONFIG, or the user's own."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_config_path("mlm-workbench")
