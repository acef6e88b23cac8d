"""Folders that do not belong to a single run."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "MLM_WORKBENCH_CACHE"
CONFIG_VARIABLE = "MLM_WORKBENCH_CONFIG"


def cache_folder() -> Path:
    """The folder of prepared text: $MLM_WORKBENCH_CACHE, or in the user's cache folder. It may be deleted."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("mlm-workbench")


def config_folder() -> Path:
    """The folder of presets and settings: $MLM_WORKBENCH_CONFIG, or in the user's configuration folder."""
    chosen = os.environ.get(CONFIG_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_config_path("mlm-workbench")
