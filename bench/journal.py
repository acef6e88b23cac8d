"""What a run's journal costs: python -m bench.journal

Its bytes, the processor's time that a worker spends on it, how fast it is read, and what 200 active runs cost
the process that reads them. No training runs: the events are those of one, made up.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from workbench.events import Metrics
from workbench.journal.lines import Kind, file_of
from workbench.journal.writer import Writer
from workbench.recipe import PRESETS
from workbench.status import PlaceEngine, Status
from workbench.store import Run, Store
from workbench.worker import follow
from workbench.worker.channel import Channel
from workbench.worker.recorder import Recorder
from workbench.worker.run_summary import RunSummary

STEPS = 2_000
RUNS = 200


def step_event(step: int) -> Metrics:
    """What a training tells of every step, with all the digits that figures have."""
    return Metrics(
        step,
        step / 1717,
        {
            "train/loss": 2.0 + 1 / (step + 3),
            "train/learning_rate": 1e-3 * (1 - step / 9999),
            "train/grad_norm": 1.0 + step % 7 / 13,
        },
    )


def new_run(store: Store) -> Run:
    run = store.create_run(PRESETS["starter"])
    Path(run.folder).mkdir(parents=True)
    store.update_run(run.id, status=Status.RUNNING, place_engine=PlaceEngine.SLURM)
    return store.run(run.id)


def report(what: str, value: str) -> None:
    print(f"{what:<72}{value:>16}", flush=True)


def each_step_by_itself(store: Store) -> None:
    """Slow steps: each is written when it is taken."""
    run = new_run(store)
    channel = Channel(store, run)
    channel.open(0)
    with Recorder(channel, 0, RunSummary()) as record:
        record.flush()
        began = time.process_time()
        for step in range(1, STEPS + 1):
            record(step_event(step))
            record.flush()
        spent = time.process_time() - began
    report("a worker's time per step, each written by itself", f"{spent / STEPS * 1e6:.0f} µs")
    size = file_of(Path(run.folder), 0).stat().st_size
    report("journal per 1,000 steps, each written by itself", f"{size / STEPS:.0f} kB")


def many_steps_at_once(store: Store) -> Run:
    """Quick steps: those of a quarter of a second are written together."""
    run = new_run(store)
    channel = Channel(store, run)
    channel.open(0)
    with Recorder(channel, 0, RunSummary()) as record:
        for step in range(1, STEPS + 1):
            record(step_event(step))
    size = file_of(Path(run.folder), 0).stat().st_size
    report("journal per 1,000 steps, many written together", f"{size / STEPS:.0f} kB")
    return run


def reading(store: Store) -> None:
    run = new_run(store)
    writer = Writer(Path(run.folder), {"id": run.id, "created_at": run.created_at}, 0)
    for step in range(1, 10 * STEPS + 1):
        event = step_event(step)
        writer.add(Kind.METRICS, segment=0, rows=[[event.step, event.epoch, event.values]])
        writer.add(Kind.COLUMNS, values={"step": event.step, "epoch": event.epoch})
    writer.flush()
    began = time.perf_counter()
    records = store.journals.ingest(run.id)
    took = time.perf_counter() - began
    report(f"reading a journal of {10 * STEPS:,} steps into the store", f"{took:.2f} s")
    report("the same, records a second", f"{records / took:,.0f}")
    store.update_run(run.id, status=Status.STOPPED)


def many_runs(store: Store) -> None:
    """One look at so many runs: nothing is new, or each has taken a step."""
    for run in store.runs():
        store.update_run(run.id, status=Status.STOPPED)
    writers = []
    for _ in range(RUNS):
        run = new_run(store)
        writers.append(Writer(Path(run.folder), {"id": run.id, "created_at": run.created_at}, 0))
        writers[-1].flush()
    follow.follow(store, at_once=True)
    for what, news in (("without news", False), ("each with a step", True)):
        looks = []
        for look in range(1, 6):
            for writer in writers if news else ():
                event = step_event(look)
                writer.add(Kind.METRICS, segment=0, rows=[[event.step, event.epoch, event.values]])
                writer.add(Kind.COLUMNS, values={"step": look})
                writer.flush()
            began = time.perf_counter()
            follow.follow(store, at_once=True)
            looks.append(time.perf_counter() - began)
        report(f"one look at {RUNS} active runs, {what}", f"{min(looks) * 1e3:.0f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(Path(place) / "experiments.db")
        each_step_by_itself(store)
        many_steps_at_once(store)
        reading(store)
        many_runs(store)
        store.close()


if __name__ == "__main__":
    main()
