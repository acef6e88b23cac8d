"""The queue and its schedulers: real processes, whose runs end as soon as they have begun."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.errors import UsageError
from workbench.store import Store
from workbench.store.sweeps import MOST_RESUMES, RESUMED
from workbench.sweeps.ordering import move_by, passed
from workbench.sweeps.queueing import continue_sweep, extend_sweep
from workbench.sweeps.scheduler import Scheduler
from workbench.worker import devices, liveness, scheduler_liveness

from ..postgres import on_both
from .conftest import kept_by_another, of_a_newer_version, statuses, until, waiting_sweep

SCHEDULER = (sys.executable, "-P", "-m", scheduler_liveness.MODULE, "--db")


@pytest.fixture(autouse=True)
def started_long_ago() -> Iterator[None]:
    """No test waits for the scheduler of another one."""
    scheduler_liveness._started.clear()
    yield
    scheduler_liveness._started.clear()


def start_order(store: Store) -> list[int]:
    begun = [run for run in store.sweeps.runs(1) if run.started_at is not None]
    return [run.id for run in sorted(begun, key=lambda run: run.started_at or 0.0)]


@on_both
def test_what_was_moved_trimmed_and_extended_is_what_the_keeper_starts(store: Store) -> None:
    sweep = waiting_sweep(store, fails=False)
    extend_sweep(store, store.sweeps.sweep(1), {"chunk_size": (256, 1024)})
    assert store.sweeps.move([4], "first") == [4, 1, 2, 3, 5]
    assert store.sweeps.trim(1, {2}) == 1
    assert list(store.sweeps.lines.queue()) == [4, 1, 3, 5]
    assert store.lease.holder() is None, "a paused sweep needs no scheduler"
    of_a_newer_version(store, sweep)
    continue_sweep(store, 1)
    until(lambda: statuses(store) == ["failed"] * 4, store)
    assert start_order(store) == [4, 1, 3, 5]
    until(lambda: store.lease.holder() is None)


def test_a_paused_sweep_starts_no_more_and_goes_on_where_it_was(store: Store) -> None:
    waiting_sweep(store)
    continue_sweep(store, 1)
    until(lambda: "failed" in statuses(store), store)
    store.sweeps.pause(1, True)
    until(lambda: store.lease.holder() is None)  # the scheduler has nothing to do, and ends
    before = statuses(store)
    assert before.count("queued") >= 2
    scheduler_liveness._started.clear()
    liveness.refresh(store)
    assert store.lease.holder() is None and statuses(store).count("queued") == before.count("queued")
    continue_sweep(store, 1)
    until(lambda: statuses(store) == ["failed"] * 4, store)
    assert start_order(store) == [1, 2, 3, 4]


def test_trimming_all_leaves_what_has_begun(store: Store) -> None:
    waiting_sweep(store)
    store.update_run(1, status="finished", queue_position=None)
    assert store.sweeps.trim(1) == 3 and statuses(store) == ["finished"]
    with pytest.raises(UsageError, match="does not wait"):
        store.sweeps.move([1], "first")


@on_both
def test_what_vanished_is_resumed_here_twice_at_most_and_in_no_paused_sweep(store: Store) -> None:
    waiting_sweep(store, (64,))
    store.sweeps.pause(1, False)
    store.change_status(1, {"queued"}, status="crashed", queue_position=None, host=platform.node())
    for times, resumed in ((0, True), (MOST_RESUMES - 1, True), (MOST_RESUMES, False)):
        store.update_run(1, environment={RESUMED: times})
        assert ([run.id for run in store.sweeps.crashed()] == [1]) is resumed is store.sweeps.work_left()
    store.update_run(1, environment={})
    store.sweeps.pause(1, True)
    assert not store.sweeps.work_left()
    store.sweeps.pause(1, False)
    store.update_run(1, host="another machine")
    assert not store.sweeps.work_left()
    store.update_run(1, host=platform.node(), sweep_id=None)
    assert not store.sweeps.work_left(), "a run by itself is its person's"


@on_both
def test_of_two_keepers_one_keeps(store: Store) -> None:
    waiting_sweep(store, (64, 128))
    store.sweeps.pause(1, False)
    schedulers = [
        subprocess.Popen([*SCHEDULER, store.url], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [scheduler.communicate(timeout=120)[1] for scheduler in schedulers]
    assert [scheduler.returncode for scheduler in schedulers] == [0, 0]
    # the scheduler ends when it has started the last run, which may not have failed by then
    until(lambda: statuses(store) == ["failed"] * 2, store)
    started = [line for log in said for line in log.splitlines() if "starting run" in line]
    assert len(started) == 2, said


@on_both
def test_of_many_who_reach_for_the_lease_at_once_one_gets_it(store: Store) -> None:
    others = [Store.open(store.url) for _ in range(6)]

    def take(number: int) -> bool:
        process = {"pid": 1000 + number, "started_at": float(number), "host": "here", "boot_id": "b"}
        return others[number].lease.take(None, **process)

    with ThreadPoolExecutor(len(others)) as pool:
        won = list(pool.map(take, range(len(others))))
    assert sum(won) == 1
    holder = store.lease.holder()
    assert holder is not None and holder.pid == 1000 + won.index(True)
    assert not store.lease.beat(1000 + won.index(False), float(won.index(False))), "the others know it"
    for other in others:
        other.close()


def test_whoever_looks_starts_a_keeper_in_the_place_of_a_killed_one(store: Store) -> None:
    waiting_sweep(store, (64,))
    with kept_by_another(store):
        store.sweeps.pause(1, False)
        liveness.refresh(store)
        assert statuses(store) == ["queued"]
    liveness.refresh(store)
    until(lambda: statuses(store) == ["failed"])


def test_a_command_that_only_lists_starts_it_too(store: Store) -> None:
    waiting_sweep(store, (64,))
    with kept_by_another(store):
        store.sweeps.pause(1, False)
        liveness.refresh(store)
        assert statuses(store) == ["queued"]
    listed = subprocess.run(
        [sys.executable, "-P", "-m", "workbench", "runs", "--db", store.url], capture_output=True, timeout=120
    )
    assert listed.returncode == 0
    until(lambda: statuses(store) == ["failed"])


def test_as_many_at_once_as_devices_each_on_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    waiting_sweep(store, (64, 128))
    store.update_run(2, recipe={**store.run(2).recipe, "train_size": 100})  # it has a text of its own
    store.sweeps.pause(1, False)
    done = subprocess.run([*SCHEDULER, store.url], stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 0
    until(lambda: statuses(store) == ["failed"] * 2, store)
    runs = store.sweeps.runs(1)
    # had the first ended before, the second would have been given the same one
    assert {run.environment["visible_device"] for run in runs} == {"GPU-a", "GPU-b"}


def test_moving_past_a_run_or_a_whole_sweep() -> None:
    queue = {1: "a", 2: "a", 3: "b", 4: "b", 5: "c"}
    single = {run: run for run in queue}
    assert passed(single, {3}, -1) == 2 and passed(single, {3}, 1) == 5
    assert passed(single, {1, 2}, 1) == 4 and passed(single, {4, 5}, 1) is None
    assert passed(queue, {3, 4}, -1) == 1 and passed(queue, {3, 4}, 1) == "last"
    assert passed(queue, {1, 2}, -1) is None and passed(queue, {5}, -1) == 3
    assert passed(queue, set(), 1) is None


@on_both
def test_moving_in_a_real_queue(store: Store) -> None:
    waiting_sweep(store)
    assert move_by(store, {3}, -1) and list(store.sweeps.lines.queue()) == [1, 3, 2, 4]
    assert move_by(store, {1, 3}, 1) and list(store.sweeps.lines.queue()) == [2, 1, 3, 4]
    assert not move_by(store, {2}, -1)


def test_a_gpu_is_chosen_that_nobody_trains_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0, 2,3,-1,5")
    assert devices.gpus() == ["0", "2", "3"], "as CUDA reads it"
    waiting_sweep(store, fails=False)
    given, first, named, cpu = store.sweeps.runs(1)
    given.environment = {devices.ASSIGNED: "3"}
    named.recipe["device"], cpu.recipe["device"] = "cuda:1", "cpu"
    first.processes = 1
    assert devices.choose(["0", "2", "3"], [given, first]) == ["2"]
    assert devices.choose(["0", "2", "3"], [first, named, cpu]) == ["3"]
    assert devices.choose(["0"], []) == [], "there is nothing to choose"
    assert devices.variables(["2"]) == {"CUDA_VISIBLE_DEVICES": "2"}
    assert devices.choose(["0", "2", "3"], [first], 2) == ["2", "3"]
    assert devices.choose(["0", "2", "3"], [given, first], 2) is None, "it waits for two free ones"
    assert devices.choose(["0", "2", "3"], [given, first], 2, shared=True) == ["2", "0"]
    first.processes = None
    assert devices.choose(["0", "2", "3"], [first]) is None, "it trains on all of them"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert devices.variables(["2", "3"])["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_no_second_run_prepares_a_text_that_another_one_prepares(store: Store) -> None:
    waiting_sweep(store, fails=False)
    first, second, *_ = store.sweeps.runs(1)
    scheduler = Scheduler(store)
    assert scheduler._is_being_prepared(second.recipe, 1, [first])
    assert not scheduler._is_being_prepared({**second.recipe, "train_size": 5}, 1, [first]), (
        "it is another text"
    )
    store.update_run(3, data={"train_tokens": 1})
    assert not scheduler._is_being_prepared(second.recipe, 1, [first]), "it is prepared"
