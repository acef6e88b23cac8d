"""The command as a person runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.recipe import Recipe

from ..worker.conftest import endless, one_thread, recipe, small_model, store, text_file  # noqa: F401

COMMAND = (sys.executable, "-P", "-m", "workbench")


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Done]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run the command in `tmp_path`, where the store's experiments.db is the default."""

    def run(*arguments: str, stdin: str | None = None) -> Done:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            timeout=300,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def config(recipe: Recipe, tmp_path: Path) -> str:  # noqa: F811
    """A recipe file that trains for a second."""
    return write(recipe, tmp_path / "short.toml")


@pytest.fixture
def endless_config(endless: Recipe, tmp_path: Path) -> str:  # noqa: F811
    """A recipe file that trains until it is stopped."""
    return write(endless.with_changes(checkpoint_every=0), tmp_path / "endless.toml")


def write(recipe: Recipe, path: Path) -> str:  # noqa: F811
    path.write_text(recipe.to_toml(), encoding="utf-8")
    return str(path)


def environment() -> dict[str, str]:
    """That of the tests, without the database of whoever runs them; the tests' server is kept."""
    given = os.environ.get("MLM_WORKBENCH_DB", "")
    return {n: v for n, v in os.environ.items() if n != "MLM_WORKBENCH_DB" or "://" in given}
