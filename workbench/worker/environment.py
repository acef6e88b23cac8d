"""The facts that a run's metrics depend on: versions, machine, commit. Never environment variables."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from workbench.worker.death import oom_kills

PACKAGES = (
    "mlm-workbench",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "accelerate",
    "safetensors",
    "numpy",
)
_GIT_SECONDS = 5.0


def facts() -> dict[str, Any]:
    """What is known before the training libraries are loaded; JSON values only."""
    return {
        "python": platform.python_version(),
        "packages": package_versions(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "oom_kills": oom_kills(),  # a higher count after a crash points to its cause
        "executable": sys.executable,
        "git": git_commit(Path.cwd()),
    }


def device_facts() -> dict[str, Any]:
    """The devices and threads that PyTorch reports. Imports torch."""
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpus": gpus,
        "cuda": torch.version.cuda,
    }


def package_versions() -> dict[str, str]:
    """Versions of the installed packages, by name."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def git_commit(folder: Path) -> dict[str, Any] | None:
    """{"commit", "changed"} of the repository that `folder` is in; None without a repository or git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    # skip untracked files: a data folder may hold millions
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "changed": None if changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
