"""Processes: whether one lives, what it may say, and whether it lacks memory."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from workbench.processes import (
    GPU_MEMORY_WORDS,
    HOST_MEMORY_WORDS,
    QUIET_SECONDS_ELSEWHERE,
    Life,
    lacks_memory,
    life_of,
    own_identity,
    quieten,
)
from workbench.store.tables import LeaseRow
from workbench.worker.explain import explain
from workbench.worker.scheduler_liveness import is_held


def test_a_process_lives_as_far_as_can_be_seen() -> None:
    mine, long = own_identity(), 10 * QUIET_SECONDS_ELSEWHERE
    assert life_of(mine, long) is Life.ALIVE  # what can be seen here needs no word
    assert life_of(replace(mine, worker_started_at=mine.worker_started_at - 60), 0.0) is Life.GONE
    assert life_of(replace(mine, worker_pid=2**22 - 7), 0.0) is Life.GONE
    assert life_of(replace(mine, boot_id="an earlier boot"), 0.0) is Life.RESTARTED
    assert life_of(replace(mine, boot_id=""), 0.0) is Life.ALIVE
    elsewhere = replace(mine, host="another-machine", boot_id="its boot")
    assert life_of(elsewhere, 1.0) is Life.ALIVE and life_of(elsewhere, long) is Life.SILENT


def test_the_scheduler_lives_by_the_same_rules_as_a_worker() -> None:
    url = "sqlite:///none.db"
    mine = own_identity()
    here = {"pid": mine.worker_pid, "host": mine.host, "boot_id": mine.boot_id}
    assert is_held(LeaseRow(**here, started_at=mine.worker_started_at), url)
    assert not is_held(LeaseRow(**here, started_at=mine.worker_started_at - 60), url)
    assert not is_held(LeaseRow(**{**here, "host": "another-machine"}, started_at=1.0, heartbeat_at=1.0), url)
    assert not is_held(None, url) and not is_held(LeaseRow(), url)


@pytest.mark.parametrize("words", GPU_MEMORY_WORDS)
def test_a_gpu_without_memory_is_told_from_a_machine_without(words: str, tmp_path: Path) -> None:
    error = RuntimeError(f"{words}. Tried to allocate 2 GiB")
    assert lacks_memory(error) == "GPU"
    assert explain(error, tmp_path)["error"] == "The GPU is out of memory."


@pytest.mark.parametrize("words", HOST_MEMORY_WORDS)
def test_a_machine_without_memory(words: str, tmp_path: Path) -> None:
    error = RuntimeError(f"[enforce fail] {words}: you tried to")
    assert lacks_memory(error) == "host"
    assert explain(error, tmp_path)["error"] == "The machine has no memory left for this run."


def test_lack_of_memory_by_the_kind_of_the_error() -> None:
    assert lacks_memory(torch.OutOfMemoryError("anything")) == "GPU"
    assert lacks_memory(MemoryError()) == lacks_memory(OSError(errno.ENOMEM, "x")) == "host"
    for other in (RuntimeError("CUDA error: an illegal access"), OSError(errno.ENOSPC, "x"), ValueError()):
        assert lacks_memory(other) == ""


def test_a_log_tells_no_secret_and_moves_no_cursor() -> None:
    script = (
        "import logging; from workbench.processes import log_to_standard_error\n"
        "log_to_standard_error(); logging.getLogger('workbench.x').info('hunter22 \\x1b[2J')\n"
        "logging.getLogger('other').info('not ours')"
    )
    environment = {**os.environ, "A_PASSWORD": "hunter22"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.rstrip().endswith("INFO    *** \ufffd[2J") and "not ours" not in done.stderr


def test_libraries_are_quiet_where_the_user_has_not_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKENIZERS_PARALLELISM", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # restored afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "info")
    quieten()
    assert "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ
    assert (os.environ["TOKENIZERS_PARALLELISM"], os.environ["HF_HUB_DISABLE_TELEMETRY"]) == ("false", "1")
    quieten(bars=False, tokenizer_threads=True)
    assert os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] == "1"
    assert (os.environ["TOKENIZERS_PARALLELISM"], os.environ["TRANSFORMERS_VERBOSITY"]) == ("false", "info")
