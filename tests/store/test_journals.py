"""Journals go into the store: every record once, also when several processes read at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench.journal.lines import Cursor, Kind, file_of
from workbench.journal.writer import Writer
from workbench.recipe import PRESETS
from workbench.status import Status
from workbench.store import Run, Store, Yardstick
from workbench.store import journals as journals_module
from workbench.store.records import score_values

PROCESS = {"worker_pid": 5, "worker_started_at": 1.5, "host": "n1", "boot_id": "b"}


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    opened = Store.open(location)
    yield opened
    opened.close()


@pytest.fixture
def run(store: Store) -> Run:
    created = store.create_run(PRESETS["starter"])
    Path(created.folder).mkdir(parents=True)
    return created


def writer_of(run: Run, segment: int = 0) -> Writer:
    return Writer(Path(run.folder), {"id": run.id, "created_at": run.created_at}, segment)


def measure(writer: Writer, *steps: int, segment: int = 0) -> None:
    for step in steps:
        rows = [[step, step / 10, {"train/loss": float(step), "train/grad_norm": 1.0}]]
        writer.add(Kind.METRICS, segment=segment, rows=rows)
        writer.add(Kind.COLUMNS, values={"step": step, "epoch": step / 10})
    writer.flush()


def steps(store: Store, run: Run, name: str = "train/loss") -> list[int]:
    return [metric.step for metric in store.metrics(run.id, [name])]


def a_score(run_id: int | None) -> Yardstick:
    return Yardstick(
        run_id=run_id,
        step=4,
        model="step-4",
        weights_fingerprint="w",
        protocol="p",
        text_fingerprint="t",
        tokenizer_fingerprint="k",
        masks_fingerprint="m",
        chunks=2,
        masked_tokens=9,
        loss_sum=18.5,
        chunk_losses=np.array([8.0, 10.5]).tobytes(),
        chunk_tokens=np.array([4, 5], dtype=np.int32).tobytes(),
        chunk_hashes=np.array([1, 2**64 - 1], dtype=np.uint64).tobytes(),
        chunk_documents=np.array([0, 0, 1], dtype=np.int32).tobytes(),
    )


def test_every_kind_of_record_reaches_its_rows(store: Store, run: Run) -> None:
    writer = writer_of(run)
    writer.add(Kind.CLAIM, process=PROCESS, phase="starting")
    environment = {"python": "3", "gpus": []}
    writer.add(Kind.COLUMNS, values={"environment": environment, "unknown": 1, "total_steps": 8})
    measure(writer, 1, 2, 3, 4)
    saved = {"step": 4, "epoch": 0.4, "path": "step-4", "eval_perplexity": 7.5, "best": True}
    writer.add(Kind.CHECKPOINT, **saved)
    writer.add(Kind.SCORE, **score_values(a_score(run.id)))
    writer.add(Kind.SCORE, **score_values(a_score(None)))
    writer.add(Kind.COLUMNS, values={"eval_perplexity": float("inf"), "yardstick_perplexity": 7.8})
    writer.add(Kind.MESSAGE, text="[red]a word", level="info")
    writer.add("of a later version", anything=[1])
    writer.flush()
    assert store.journals.ingest(run.id) == writer.cursor.records
    found = store.run(run.id)
    assert (found.status, found.host, found.worker_pid, found.phase) == ("running", "n1", 5, "starting")
    assert found.started_at is not None and abs(found.started_at - time.time()) < 600
    assert found.environment == environment and found.total_steps == 8
    assert (found.step, found.eval_perplexity, found.yardstick_perplexity) == (4, float("inf"), 7.8)
    assert found.checkpoint == str(Path(run.folder) / "step-4")
    assert steps(store, run) == [1, 2, 3, 4]
    assert [one.best for one in store.checkpoints(run.id)] == [True]
    (score,) = store.yardsticks.of_run(run.id)
    assert (score.chunk_hashes, score.loss_sum) == (a_score(1).chunk_hashes, 18.5)
    assert len(store.yardsticks.of_base("step-4")) == 1
    writer.add(Kind.ENDING, status="failed", error="It broke.", error_hint="Mend it.")
    writer.flush()
    assert store.journals.ingest(run.id) == 1
    found = store.run(run.id)
    assert (found.status, found.phase, found.error) == ("failed", "starting", "It broke.")
    assert found.ended_at is not None and found.ended_at >= found.started_at
    assert store.journals.ingest(run.id) == 0 and store.journals.trouble(run.id) is None


def test_a_run_goes_back_to_its_checkpoint(store: Store, run: Run) -> None:
    writer = writer_of(run)
    measure(writer, 1, 2, 3, 4)
    for step in (2, 4):
        writer.add(
            Kind.CHECKPOINT, step=step, epoch=0.1, path=f"step-{step}", eval_perplexity=None, best=False
        )
    writer.add(Kind.ENDING, status="queued", reason="terminated")
    writer.flush()
    second = writer_of(run, 1)
    second.add(Kind.CLAIM, process=PROCESS, phase="starting")
    second.add(Kind.BACK, step=2, checkpoint="step-2", values={"segment": 1, "step": 2, "epoch": 0.2})
    measure(second, 3, segment=1)
    second.flush()
    store.journals.ingest(run.id)
    found = store.run(run.id)
    assert (found.segment, found.step, found.status) == (1, 3, "running")
    assert found.checkpoint == str(Path(run.folder) / "step-2")
    assert steps(store, run) == [1, 2, 3]
    assert [one.step for one in store.checkpoints(run.id)] == [2]


def test_what_an_earlier_process_wrote_does_not_end_a_run_that_was_queued_again(
    store: Store, run: Run
) -> None:
    writer = writer_of(run)
    writer.add(Kind.ENDING, status="stopped", phase=None)
    writer.flush()
    store.journals.ingest(run.id)
    assert store.run(run.id).status == Status.QUEUED


def test_a_run_that_was_queued_again_may_have_finished_all_the_same(store: Store, run: Run) -> None:
    """A cluster takes a node for lost and puts the job back, while the process there comes to the end."""
    writer = writer_of(run)
    writer.add(Kind.CLAIM, process=PROCESS, phase="training")
    writer.flush()
    store.journals.ingest(run.id)
    store.update_run(run.id, status=Status.QUEUED)
    writer.add(Kind.ENDING, status="finished", phase=None)
    writer.flush()
    store.journals.ingest(run.id)
    assert store.run(run.id).status == Status.FINISHED


def test_many_readers_at_once_apply_each_record_once(store: Store, run: Run) -> None:
    stores = [Store.open(store.url) for _ in range(4)]
    over = threading.Event()
    failures: list[BaseException] = []

    def read(own: Store) -> None:
        try:
            while not over.is_set():
                own.journals.ingest(run.id)
            own.journals.ingest(run.id)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    writer = writer_of(run)
    for step in range(1, 301):
        measure(writer, step)
        if step % 100 == 0:
            writer = writer_of(run)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert steps(store, run) == list(range(1, 301))
    assert steps(store, run, "train/grad_norm") == list(range(1, 301))
    for one in stores:
        one.close()


def test_a_worker_that_applies_its_records_itself_moves_the_same_cursor(store: Store, run: Run) -> None:
    writer = writer_of(run)
    before, record = Cursor(), writer.add(Kind.COLUMNS, values={"step": 3})
    store.journals.begin(run.id, before := Cursor(writer.number, writer.cursor.identity, 1))
    assert store.journals.apply(run.id, before, [record], writer.cursor)
    assert not store.journals.apply(run.id, before, [record], writer.cursor)
    writer.flush()  # written after it was applied
    assert store.journals.ingest(run.id) == 0
    measure(writer, 4)
    assert store.journals.ingest(run.id) == 2 and store.run(run.id).step == 4


def test_trouble_is_kept_until_it_is_over(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = writer_of(run)
    measure(writer, 1, 2)
    store.journals.ingest(run.id)
    path = file_of(Path(run.folder), 0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert store.journals.ingest(run.id) == 0
    assert "shorter than what was read" in (store.journals.trouble(run.id) or "")
    path.write_bytes(whole)
    assert store.journals.ingest(run.id) == 0 and store.journals.trouble(run.id) is None
    # the rest of a file never comes: after some minutes the next one is read
    measure(writer, 3)
    third = writer_of(run, 1)
    measure(third, 4, segment=1)
    path.write_bytes(whole)
    assert store.journals.ingest(run.id) == 0
    assert "2 records of journal-0000.jsonl are missing" in (store.journals.trouble(run.id) or "")
    assert steps(store, run) == [1, 2]
    monkeypatch.setattr(journals_module, "LATE_SECONDS", 0.0)
    store.journals.ingest(run.id)
    store.journals.ingest(run.id)
    assert steps(store, run) == [1, 2, 4] and store.journals.trouble(run.id) is None


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "metrics", "segment": 0, "rows": [["1", 0.1, {"train/loss": 1.0}]]},
        {"kind": "metrics", "segment": 0, "rows": [[2**70, 0.1, {"train/loss": 1.0}]]},
        {"kind": "metrics", "rows": []},
        {"kind": "columns", "values": {"step": "many"}},
        {"kind": "columns", "values": {"environment": None}},
        {"kind": "checkpoint", "step": 1, "epoch": 1, "path": "../x", "eval_perplexity": None, "best": 1},
        {"kind": "checkpoint", "step": 1, "epoch": 1, "path": "/etc", "eval_perplexity": None, "best": 1},
        {"kind": "ending", "status": "running"},
        {"kind": "score", "of_run": True, "values": {"chunk_losses": "?"}},
        {"kind": "claim", "process": {"host": 3}, "phase": "starting"},
    ],
)
def test_a_record_with_other_contents_changes_nothing(store: Store, run: Run, record: dict) -> None:  # type: ignore[type-arg]
    writer = writer_of(run)
    measure(writer, 1)
    store.journals.ingest(run.id)
    before = store.run(run.id)
    with file_of(Path(run.folder), 0).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"n": 3, "at": 1.0, **record}) + "\n")
    assert store.journals.ingest(run.id) == 0
    assert "cannot be read" in (store.journals.trouble(run.id) or "")
    assert store.run(run.id) == before and steps(store, run) == [1]


def test_the_journal_of_another_run_is_refused(store: Store, run: Run) -> None:
    other = store.create_run(PRESETS["starter"])
    writer = Writer(Path(run.folder), {"id": other.id, "created_at": other.created_at}, 0)
    measure(writer, 1)
    assert store.journals.ingest(run.id) == 0 and steps(store, run) == []
    assert "another run" in (store.journals.trouble(run.id) or "")


def test_a_run_without_a_folder_or_a_journal_has_no_news(store: Store) -> None:
    created = store.create_run(PRESETS["starter"])
    assert store.journals.ingest(created.id) == 0
    assert store.journals.trouble(created.id) is None
    assert store.journals.ingest(999) == 0


def test_a_runs_cursor_goes_with_it(store: Store, run: Run) -> None:
    measure(writer_of(run), 1)
    store.journals.ingest(run.id)
    store.update_run(run.id, status=Status.STOPPED)
    store.catalog.remove(run.id)
    assert store.journals.cursor(run.id) == Cursor()
