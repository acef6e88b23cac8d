"""A job that is started again and again without a new checkpoint is ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import TrainingError
from workbench.worker.restarts import check_restarts


def start(folder: Path, restarts: int, job: str = "7") -> None:
    check_restarts(
        folder,
        {"SLURM_JOB_ID": job, "SLURM_RESTART_COUNT": str(restarts)} if restarts else {"SLURM_JOB_ID": job},
    )


def test_three_restarts_from_the_same_checkpoint(tmp_path: Path) -> None:
    for restarts in (0, 1, 2):
        start(tmp_path, restarts)
    with pytest.raises(TrainingError, match="3 times again without a new checkpoint"):
        start(tmp_path, 3)


def test_a_new_checkpoint_begins_the_count_anew(tmp_path: Path) -> None:
    for restarts in (0, 1, 2):
        start(tmp_path, restarts)
    (tmp_path / "checkpoints" / "step-9").mkdir(parents=True)
    for restarts in (3, 4, 5):
        start(tmp_path, restarts)
    (tmp_path / "checkpoints" / "step-10").mkdir()
    for restarts in (6, 7, 8):
        start(tmp_path, restarts)
    with pytest.raises(TrainingError):
        start(tmp_path, 9)


def test_another_job_and_no_job_do_not_count(tmp_path: Path) -> None:
    for restarts in (0, 1, 2):
        start(tmp_path, restarts)
    start(tmp_path, 0, job="8")
    start(tmp_path, 2, job="8")
    check_restarts(tmp_path, {})
    (tmp_path / "restarts.json").write_text("torn")
    start(tmp_path, 5, job="8")
