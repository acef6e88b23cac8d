"""`sweep` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys

from ..cli.conftest import Cli, cli, config  # noqa: F401
from ..worker.conftest import one_thread, recipe, small_model, store, text_file  # noqa: F401
from .conftest import TrainedSweep


def test_a_grid_that_cannot_be_is_refused_before_anything_starts(cli: Cli, config: str) -> None:  # noqa: F811
    done = cli("sweep", "--config", config, "--mask-prob", "0.15,1.5")
    assert done.code == 2 and "mask_prob" in done.err
    assert cli("runs", "--json").json == []


def test_a_sweep_is_listed_and_shown(trained_sweep: TrainedSweep) -> None:
    def shown(*words: str) -> str:
        command = [sys.executable, "-P", "-m", "workbench", "sweep", *words, "--db", trained_sweep.store.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "grid" in shown("list") and "done" in shown("list")
    table = shown("show", "grid", "--plot")
    assert "★" in table and "mask_prob" in table and "Effect of each field" in table
    printed = json.loads(shown("show", "latest", "--json"))
    assert printed["counts"] == {"finished": 8} and len(printed["table"]["entries"]) == 4
