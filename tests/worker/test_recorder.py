"""What a training tells is in the store: all of it, once, also when the store refuses for a while."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.events import (
    CheckpointSaved,
    CorpusReady,
    EngineReady,
    Message,
    Metrics,
    Phase,
    PhaseChanged,
    Progress,
)
from workbench.journal.lines import file_of
from workbench.recipe import PRESETS
from workbench.store import Run, Store
from workbench.worker import recorder
from workbench.worker.channel import Channel
from workbench.worker.recorder import Recorder, retry_until_written
from workbench.worker.run_summary import RunSummary

CORPUS = CorpusReady("f1", 4, 1, 400, 100, 3, 1, None, None, False, 0.5)
ENGINE = EngineReady("starter", "B", 5, "cpu", "c", "fp32", "masked-only", "", False, 1, 4, 1, 10, 20)


@pytest.fixture
def run(store: Store) -> Run:
    return store.create_run(PRESETS["starter"])


def recording(store: Store, run: Run, summary: RunSummary | None = None) -> Recorder:
    return Recorder(Channel(store, run), 0, summary or RunSummary())


def test_everything_told_is_in_the_store(store: Store, run: Run) -> None:
    with recording(store, run) as listen:
        listen(CORPUS)
        listen(ENGINE)
        listen(Metrics(0, 0.0, {"eval/perplexity": 3000.0}))
        for step in range(1, 2001):
            listen(Metrics(step, step / 1000, {"train/loss": 1 / step, "train/learning_rate": 1e-3}))
        listen(Metrics(1000, 1.0, {"train/perplexity": 61.0}))
        listen(Metrics(1000, 1.0, {"eval/perplexity": 75.0}))
        listen(CheckpointSaved(Path(run.folder) / "step-1", 1000, 1.0, 75.0, True))
        listen(Metrics(2000, 2.0, {"eval/perplexity": 80.0}))
        listen(Message("[red]a word"))
    losses = store.metrics(run.id, ["train/loss"])
    assert [metric.step for metric in losses] == list(range(1, 2001))
    assert len(store.metrics(run.id)) == 2 * 2000 + 4
    seen = store.run(run.id)
    assert seen.data["train_chunks"] == 3 and seen.engine["head"] == "masked-only"
    assert (seen.total_steps, seen.step, seen.epoch) == (20, 2000, 2.0)
    assert (seen.baseline_perplexity, seen.eval_perplexity, seen.best_eval_perplexity) == (3000.0, 80.0, 75.0)
    assert seen.train_perplexity == 61.0
    assert seen.checkpoint == str(Path(run.folder) / "step-1")
    assert [saved.best for saved in store.checkpoints(run.id)] == [True]


def test_an_event_is_there_for_other_processes_without_waiting_for_the_next(store: Store, run: Run) -> None:
    other = Store.open(store.url)
    with recording(store, run) as listen:
        listen(Metrics(3, 0.1, {"train/loss": 2.0}))
        deadline = time.monotonic() + 30
        while other.run(run.id).step != 3 and time.monotonic() < deadline:  # written after the metrics
            time.sleep(0.01)
        assert [metric.value for metric in other.metrics(run.id)] == [2.0]
        assert other.run(run.id).step == 3
    other.close()


def test_a_new_phase_starts_with_no_progress(store: Store, run: Run) -> None:
    with recording(store, run) as listen:
        listen(PhaseChanged(Phase.TOKENIZING))
        listen(Progress(30, 40, "documents"))
        assert listen.flush(30)
        seen = store.run(run.id)
        assert (seen.phase, seen.progress_done, seen.progress_total) == ("tokenizing", 30, 40)
        listen(Progress(40, 40, "documents"))
        listen(PhaseChanged(Phase.TRAINING))
        assert listen.flush(30)
        seen = store.run(run.id)
        assert (seen.phase, seen.progress_done, seen.progress_unit) == ("training", 0, "")


def test_progress_is_written_a_few_times_a_second_and_the_last_one_always(store: Store, run: Run) -> None:
    store.data_version()
    versions = set()
    with recording(store, run) as listen:
        begun = time.monotonic()
        for done in range(100):
            listen(Progress(done, 100, "steps"))
            time.sleep(0.01)
            versions.add(store.data_version())
        took = time.monotonic() - begun
    assert store.run(run.id).progress_done == 99
    assert len(versions) <= took / recorder.PROGRESS_SECONDS + 3


def test_what_was_measured_before_a_checkpoint_is_in_the_store_by_then(store: Store, run: Run) -> None:
    with recording(store, run) as listen:
        for step in range(1, 501):
            listen(Metrics(step, 0.1, {"train/loss": 1.0}))
        listen(PhaseChanged(Phase.SAVING))
        # the listener has come back, so the training may write its checkpoint now
        assert len(store.metrics(run.id)) == 500


def test_a_locked_database_only_makes_it_wait(
    store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.store.sqlite.BUSY_SECONDS", 0.2)
    impatient = Store.open(store.url)
    other = sqlite3.connect(tmp_path / "experiments.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with recording(impatient, run) as listen:
        for step in range(1, 51):
            listen(Metrics(step, 0.1, {"train/loss": float(step)}))
        assert not listen.flush(1.0)
        threading.Timer(1.0, lambda: other.execute("COMMIT")).start()
    assert [metric.value for metric in store.metrics(run.id)] == [float(step) for step in range(1, 51)]
    other.close()
    impatient.close()


def test_retrying_ends_when_give_up_says_so() -> None:
    asked = []

    def refuse() -> None:
        raise StoreError("No room.")

    def give_up() -> bool:
        asked.append(1)
        return len(asked) == 2

    assert retry_until_written(refuse, give_up) is None
    assert len(asked) == 2


def test_a_figure_that_is_no_number_is_left_out(store: Store, run: Run) -> None:
    with recording(store, run) as listen:
        listen(Metrics(1, 0.1, {"train/grad_norm": float("nan"), "train/loss": 3.0}))
        listen(Metrics(2, 0.1, {"train/perplexity": float("inf")}))
    names = [metric.name for metric in store.metrics(run.id)]
    assert names == ["train/loss", "train/perplexity"]
    assert store.run(run.id).train_perplexity == float("inf")


def test_a_training_does_not_go_on_unrecorded(store: Store, run: Run) -> None:
    told = 0
    with pytest.raises(TypeError), recording(store, run) as listen:
        listen(Metrics(1, 0.1, {"train/loss": "not a number"}))  # type: ignore[dict-item]
        assert listen.flush(30)
        told += 1
        listen(Metrics(2, 0.1, {"train/loss": 1.0}))
        told += 1
    assert told == 1
    with pytest.raises(TypeError), recording(store, run) as listen:
        listen(Metrics(1, 0.1, {"train/loss": "not a number"}))  # type: ignore[dict-item]


def test_throughput_is_all_tokens_by_all_time() -> None:
    summary = RunSummary()
    summary.update(Metrics(100, 0.1, {"speed/tokens_per_second": 1000.0}))  # 100 steps: 1 unit of time
    changed = summary.update(Metrics(400, 0.4, {"speed/tokens_per_second": 3000.0}))  # 300 steps: 1 unit
    assert changed["tokens_per_second"] == pytest.approx(2000.0)


def test_no_secret_of_a_message_is_in_the_journal(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    folder = Path(run.folder)
    folder.mkdir(parents=True)
    channel = Channel(store, run)
    channel.open(0)
    with Recorder(channel, 0, RunSummary()) as listen:
        listen(Message("The hub refused hf_verysecret.", level="warning"))
    written = file_of(folder, 0).read_text(encoding="utf-8")
    assert "The hub refused ***." in written
