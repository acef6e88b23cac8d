"""Runs whose workers report through a journal alone are read by whoever looks, and their news has an age."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from workbench.display.where import engine_line
from workbench.journal.lines import Kind, file_of
from workbench.journal.writer import Writer
from workbench.recipe import PRESETS
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store
from workbench.worker import follow, liveness


@pytest.fixture
def run(store: Store, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(follow, "FOLLOW_SECONDS", 0.0)
    created = store.create_run(PRESETS["starter"])
    Path(created.folder).mkdir(parents=True)
    columns = {"place_engine": PlaceEngine.SLURM, "place": "a100", "job": "7", "engine_state": "RUNNING"}
    store.update_run(created.id, **columns)
    return store.run(created.id)


@pytest.fixture
def writer(run: Run) -> Writer:
    opened = Writer(Path(run.folder), {"id": run.id, "created_at": run.created_at}, 0)
    process = {"worker_pid": 5, "worker_started_at": 1.0, "host": "n1", "boot_id": ""}
    opened.add(Kind.CLAIM, process=process, phase="starting")
    opened.flush()
    return opened


def aged(run: Run, seconds: float) -> None:
    changed = time.time() - seconds
    os.utime(file_of(Path(run.folder), 0), (changed, changed))


def test_whoever_looks_reads_the_news(store: Store, run: Run, writer: Writer) -> None:
    liveness.refresh(store)
    assert store.run(run.id).status == Status.RUNNING
    for step in (1, 2):
        writer.add(Kind.METRICS, segment=0, rows=[[step, 0.1, {"train/loss": 2.0}]])
        writer.add(Kind.COLUMNS, values={"step": step})
        writer.flush()
        liveness.refresh(store)
        assert store.run(run.id).step == step
    assert [metric.step for metric in store.metrics(run.id)] == [1, 2]


def test_the_age_of_the_news_is_shown(store: Store, run: Run, writer: Writer) -> None:
    aged(run, 12)
    liveness.refresh(store)
    now = store.run(run.id)
    age = follow.age_of_news(now)
    assert age is not None and 11 < age < 100
    assert now.heartbeat_at is not None
    assert "last news 12 s ago" in engine_line(now, now.heartbeat_at + 12)
    assert liveness.stalled(now) == "" or age > liveness.OLD_NEWS_SECONDS
    store.update_run(run.id, heartbeat_at=time.time() - 300)
    assert liveness.stalled(store.run(run.id)) == "last news 5 min ago"


def test_the_clock_of_the_file_system_counts(
    store: Store, run: Run, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert abs(follow.clock_offset(Path(run.folder).parent)) < 60
    monkeypatch.setattr(follow, "clock_offset", lambda folder: 3600.0)  # an hour behind
    aged(run, 3612)
    liveness.refresh(store)
    age = follow.age_of_news(store.run(run.id))
    assert age is not None and 11 < age < 100


def test_a_run_that_is_here_has_no_news_to_wait_for(store: Store) -> None:
    created = store.create_run(PRESETS["starter"])
    store.update_run(created.id, status=Status.RUNNING, heartbeat_at=time.time())
    assert follow.age_of_news(store.run(created.id)) is None


def test_a_late_end_replaces_the_crash(store: Store, run: Run, writer: Writer) -> None:
    """The engine says that the job is gone before the file system shows its last lines."""
    liveness.refresh(store)
    store.change_status(run.id, {Status.RUNNING}, status=Status.CRASHED, ended_at=time.time(), error="gone")
    writer.add(Kind.ENDING, status="finished", phase=None)
    writer.flush()
    liveness.refresh(store)
    now = store.run(run.id)
    assert (now.status, now.error) == (Status.FINISHED, None)


def test_a_folder_that_is_gone_disturbs_nobody(store: Store, run: Run, writer: Writer) -> None:
    shutil.rmtree(run.folder)
    liveness.refresh(store)
    Path(run.folder).write_text("a file")
    liveness.refresh(store)
    assert store.run(run.id).status == Status.QUEUED
