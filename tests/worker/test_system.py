"""What the machine does, and how long phases take, told between a training's own events."""

from __future__ import annotations

import time

from workbench.events import Event, Message, Metrics, Phase, PhaseChanged
from workbench.worker.phase_times import PhaseTimes
from workbench.worker.system import Gauges, SystemSampler

from ..conftest import StarterRun


def test_the_machine_s_figures_are_what_they_can_be() -> None:
    gauges = Gauges()
    values = gauges.read()
    assert {"system/cpu", "system/ram", "system/worker_memory"} <= set(values)
    assert 0 <= values["system/cpu"] <= 100 and 0 < values["system/ram"] <= 100
    assert values["system/worker_memory"] > 0.01


def test_samples_come_at_the_step_that_the_run_is_at() -> None:
    told: list[Event] = []
    with SystemSampler(told.append, step=40, epoch=0.5, every=0.02) as listen:
        while not told:
            time.sleep(0.01)
        listen(Metrics(41, 0.6, {"train/loss": 3.0}))
        at = len(told)
        while len(told) == at:
            time.sleep(0.01)
    first, last = told[0], told[-1]
    assert isinstance(first, Metrics) and (first.step, first.epoch) == (40, 0.5)
    assert isinstance(last, Metrics) and (last.step, last.epoch) == (41, 0.6) and "system/cpu" in last.values
    count = len(told)
    time.sleep(0.06)
    assert len(told) == count, "it has ended"


def test_a_listener_that_breaks_ends_the_samples_and_nothing_else() -> None:
    def breaks(event: Event) -> None:
        raise OSError("no")

    sampler = SystemSampler(breaks, every=0.01)
    with sampler:
        sampler.join(10)
        assert not sampler.is_alive()


def test_a_phase_tells_what_it_took_when_it_is_over() -> None:
    told: list[Event] = []
    with PhaseTimes(told.append) as listen:
        listen(PhaseChanged(Phase.STARTING))
        time.sleep(0.05)
        listen(PhaseChanged(Phase.TRAINING))
        listen(Metrics(7, 0.1, {"train/loss": 3.0}))
        listen(PhaseChanged(Phase.TRAINING))
        listen(Message("one"))
    times = [(event.step, *event.values) for event in told if isinstance(event, Metrics)]
    assert times == [(0, "time/starting"), (7, "train/loss"), (7, "time/training")]
    first = next(event for event in told if isinstance(event, Metrics))
    assert first.values["time/starting"] >= 0.05
    # It is told before the phase that follows, and the training's own events pass as they are.
    assert told.index(first) < told.index(PhaseChanged(Phase.TRAINING)) and told[-2] == Message("one")


def test_a_real_run_has_them_in_the_store(starter_run: StarterRun) -> None:
    metrics = starter_run.store.metrics(starter_run.id)
    names = {metric.name for metric in metrics}
    assert {"system/cpu", "system/ram", "system/worker_memory"} <= names
    phases = {name for name in names if name.startswith("time/")}
    assert {f"time/{phase}" for phase in ("loading data", "baseline", "training", "evaluating")} <= phases
    run = starter_run.store.run(starter_run.id)
    assert run.started_at and run.ended_at
    told = sum(metric.value for metric in metrics if metric.name.startswith("time/"))
    assert 0 < told <= run.ended_at - run.started_at + 1
    assert run.step == run.total_steps, "no sample has set the step back"
