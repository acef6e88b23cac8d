"""Which runs are taken for dead. The processes are real ones that train nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.processes import Identity, identity_of, is_same_process, own_identity
from workbench.recipe import PRESETS
from workbench.status import Status
from workbench.store import Run, Store
from workbench.store.tables import LeaseRow
from workbench.worker import elsewhere, liveness
from workbench.worker.scheduler_liveness import is_held


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Something that runs."""
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield started
    started.kill()
    started.wait()


def running(store: Store, identity: Identity, **columns: object) -> Run:
    """A run whose worker is that process."""
    run = store.create_run(PRESETS["starter"])
    known = {"status": Status.RUNNING, "heartbeat_at": time.time(), **identity.columns(), **columns}
    store.update_run(run.id, **known)
    return store.run(run.id)


def after(store: Store, run: Run) -> Run:
    active = {one.id for one in liveness.refresh(store)}
    seen = store.run(run.id)
    assert (seen.id in active) == (seen.status in (Status.QUEUED, Status.RUNNING))
    return seen


def test_a_run_with_its_process_is_running(store: Store, process: subprocess.Popen[bytes]) -> None:
    run = running(store, identity_of(process.pid))
    assert after(store, run).status == Status.RUNNING


def test_a_killed_process_is_a_crash_even_before_its_parent_takes_note(
    store: Store, process: subprocess.Popen[bytes]
) -> None:
    identity = identity_of(process.pid)
    run = running(store, identity)
    process.kill()
    while is_same_process(identity.worker_pid, identity.worker_started_at):  # a zombie from then on
        time.sleep(0.01)
    assert process.returncode is None
    crashed = after(store, run)
    assert crashed.status == Status.CRASHED
    assert crashed.error is not None and f"pid {process.pid}" in crashed.error
    assert crashed.error_hint is not None and f"resume {run.id}" in crashed.error_hint
    assert crashed.ended_at == pytest.approx(run.heartbeat_at)


@pytest.mark.parametrize("heartbeat", [0.0, -60.0, 7200.0], ids=["now", "a minute ago", "from the future"])
def test_a_pid_that_another_process_has_is_a_crash_whatever_the_clock_says(
    store: Store, heartbeat: float
) -> None:
    mine = own_identity()
    earlier = Identity(mine.worker_pid, mine.worker_started_at - 1, mine.host, mine.boot_id)
    crashed = after(store, running(store, earlier, heartbeat_at=time.time() + heartbeat))
    assert crashed.status == Status.CRASHED
    assert crashed.ended_at is not None and crashed.ended_at <= time.time()


@pytest.mark.parametrize(("heartbeat", "lives"), [(0.0, True), (-60.0, False), (7200.0, False)])
def test_a_worker_of_an_earlier_version_lives_while_it_speaks(
    store: Store, heartbeat: float, lives: bool
) -> None:
    mine = own_identity()
    from_1970 = Identity(mine.worker_pid, time.time() - 3600, mine.host, mine.boot_id)
    beat = time.time() + heartbeat
    run = running(store, from_1970, heartbeat_at=beat, created_at=min(beat, time.time()))
    assert (after(store, run).status == Status.RUNNING) is lives


def test_another_time_since_the_machine_was_switched_on_is_a_crash(store: Store) -> None:
    mine = own_identity()
    run = running(store, Identity(mine.worker_pid, mine.worker_started_at, mine.host, "an earlier boot"))
    crashed = after(store, run)
    assert crashed.status == Status.CRASHED and "restarted" in (crashed.error or "")


ELSEWHERE = Identity(1, 1.0, "another-machine", "its boot")


@pytest.mark.parametrize("clock", [-600.0, 7200.0], ids=["behind", "ahead"])
def test_a_worker_on_another_machine_is_judged_by_its_silence(
    store: Store, clock: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "WATCH_SECONDS", 1.0)
    speaking = running(store, ELSEWHERE)
    silent = running(store, ELSEWHERE, heartbeat_at=time.time() + clock, created_at=time.time() + clock)
    assert after(store, speaking).status == Status.RUNNING
    assert after(store, silent).status == Status.CRASHED


@pytest.mark.parametrize("clock", [-600.0, 7200.0], ids=["behind", "ahead"])
def test_a_machine_with_another_time_of_day_still_speaks(
    store: Store, clock: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "WATCH_SECONDS", 60.0)  # it is seen long before
    run = running(store, ELSEWHERE, heartbeat_at=time.time() + clock, created_at=time.time() + clock)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.2):
            store.update_run(run.id or 0, heartbeat_at=time.time() + clock)

    worker = threading.Thread(target=beat)
    worker.start()
    try:
        assert after(store, run).status == Status.RUNNING
        assert after(store, run).status == Status.RUNNING
    finally:
        over.set()
        worker.join()


@pytest.mark.parametrize("clock", [-7200.0, 7200.0])
def test_a_run_whose_start_was_cut_off_can_be_deleted_whatever_the_clock_says(
    store: Store, clock: float
) -> None:
    run = store.create_run(PRESETS["starter"])
    assert run.id is not None
    store.update_run(run.id, created_at=time.time() + clock, heartbeat_at=time.time() + clock)
    assert after(store, run).status == Status.CRASHED
    store.catalog.delete([run.id])
    assert store.catalog.deleted() == [run.id]


def test_who_starts_a_run_answers_for_it_until_it_has_a_worker(
    store: Store, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = identity_of(process.pid)
    run = running(store, identity, status=Status.QUEUED)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86400.0)
    assert after(store, run).status == Status.QUEUED
    process.kill()
    process.wait()
    assert after(store, run).status == Status.CRASHED


def test_a_keeper_from_the_future_keeps_nothing(store: Store) -> None:
    now = time.time()
    keeper = LeaseRow(id=1, pid=1, started_at=1.0, host="another-machine", boot_id="", heartbeat_at=now)
    assert is_held(keeper, store.url)
    keeper.heartbeat_at = now + 7200
    assert not is_held(keeper, store.url)


def test_a_queued_run_may_take_a_while_to_start_but_not_for_ever(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    assert after(store, run).status == Status.QUEUED
    store.update_run(run.id, created_at=time.time() - 600)
    crashed = after(store, run)
    assert crashed.status == Status.CRASHED and "never started" in (crashed.error or "")


def test_runs_that_have_ended_stay_as_they_are(store: Store) -> None:
    gone = Identity(2**22 - 7, 1.0, own_identity().host, own_identity().boot_id)
    run = running(store, gone, status=Status.FINISHED)
    assert after(store, run).status == Status.FINISHED


def test_a_crash_quotes_the_end_of_its_log_without_what_a_terminal_obeys(store: Store) -> None:
    run = running(store, Identity(2**22 - 7, 1.0, own_identity().host, own_identity().boot_id))
    Path(run.folder).mkdir(parents=True)
    log = Path(run.folder) / liveness.LOG
    log.write_text("".join(f"line {number}\n" for number in range(20)) + "10%\r20%\n\x1b[2J[red]gone\n\n")
    error = after(store, run).error or ""
    assert error.splitlines()[-3:] == ["line 19", "20%", "\ufffd[2J[red]gone"]
    assert "line 10\n" not in error


def test_a_log_that_is_not_text_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_bytes(b"\xff\xfe\x00bad\n")
    assert len(liveness.last_lines(tmp_path / "worker.log")) == 1
    assert liveness.last_lines(tmp_path / "none.log") == []


def test_what_the_clock_is_set_to_does_not_matter(store: Store, process: subprocess.Popen[bytes]) -> None:
    run = running(store, identity_of(process.pid))
    real = time.time
    for jump in (-7 * 86400.0, 7 * 86400.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda jump=jump: real() + jump)
            assert after(store, run).status == Status.RUNNING


def test_a_process_that_is_suspended_stalls_until_it_goes_on(
    store: Store, process: subprocess.Popen[bytes]
) -> None:
    run = running(store, identity_of(process.pid), started_at=time.time(), progress_at=time.time())
    assert liveness.stalled(run) == ""
    process.send_signal(signal.SIGSTOP)
    while not liveness.is_suspended(process.pid):
        time.sleep(0.01)
    assert liveness.stalled(run) == f"suspended; `kill -CONT {process.pid}` continues it"
    assert after(store, run).status == Status.RUNNING
    process.send_signal(signal.SIGCONT)
    while liveness.is_suspended(process.pid):
        time.sleep(0.01)
    assert liveness.stalled(run) == ""


def test_a_run_that_comes_no_further_stalls(store: Store, process: subprocess.Popen[bytes]) -> None:
    now, here = time.time(), identity_of(process.pid)
    silent = running(store, here, started_at=now - 60, progress_at=now - 60, heartbeat_at=now - 60)
    # a run that was just begun has no silence behind it
    assert liveness.stalled(silent) == ""
    store.update_run(silent.id, created_at=now - 60)
    assert liveness.stalled(store.run(silent.id)) == "no heartbeat for 60 s, though its process is alive"
    standing = running(store, here, started_at=now - 1000, progress_at=now - 600)
    assert liveness.stalled(standing) == "no progress for 10 min"
    begun_again = running(store, here, started_at=now - 1000, progress_at=now)
    assert liveness.stalled(begun_again) == ""
    store.update_run(standing.id, status=Status.STOPPED)
    assert liveness.stalled(store.run(standing.id)) == ""


def test_a_run_that_waits_for_its_turn_needs_no_process(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    store.update_run(run.id, created_at=time.time() - 600, queue_position=1.0)
    assert after(store, run).status == Status.QUEUED


def test_a_run_that_another_engine_starts_waits_for_hours(store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    store.update_run(run.id, created_at=time.time() - 86_400, place="work", place_engine="work")
    assert after(store, run).status == Status.QUEUED
