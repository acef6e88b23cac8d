"""What happens to jobs on a cluster: preemption, time limits, kills on either side; for `make cluster`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster.project import FULL, Project, Straight, weights
from tests.cluster.slurm import Cluster, wait_for
from tests.cluster.test_adapter import reaches, sleeper
from tests.cluster.test_runs import in_the_queue
from workbench.engines.protocol import Stand
from workbench.engines.slurm import Slurm
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.worker.scheduler_liveness import is_held

pytestmark = pytest.mark.skipif(not FULL, reason="`make cluster` runs it")


def trains(run: Run) -> bool:
    return (run.step or 0) >= 3


def same_as(straight: Straight, run: Run) -> None:
    assert run.status == Status.FINISHED, f"{run.status}: {run.error}"
    assert weights(run) == straight.weights
    assert run.eval_perplexity == straight.printed["eval_perplexity"]


def test_two_nodes_are_one_process(cluster: Cluster, project: Project, straight: Straight) -> None:
    run = project.until_ended(project.submit("two", nodes=2))
    assert run.status == Status.FINISHED, run.error
    assert run.engine["processes"] == 2
    assert run.eval_perplexity == pytest.approx(straight.printed["eval_perplexity"], rel=1e-4)


def test_an_urgent_job_takes_the_nodes(
    cluster: Cluster, project: Project, straight: Straight, tmp_path: Path
) -> None:
    run_id = project.submit("preempted")
    project.until(run_id, trains, "training")
    urgent = Slurm().submit(sleeper(tmp_path / "urgent", "partition=urgent", "nodes=2", "exclusive"))
    waits = project.until(run_id, in_the_queue, "back in the queue")
    Slurm().cancel(urgent)
    reaches(Slurm(), urgent, Stand.ENDED)
    cluster.start_now(waits.job or "")
    same_as(straight, project.until_ended(run_id))


def test_a_time_limit_twice(cluster: Cluster, project: Project, straight: Straight) -> None:
    """The limit is moved to where its warning, two minutes before, comes within the next minute. The training
    is too short for that: it is held in a step until the warning is there.
    """
    run_id = project.submit("limited", "time=60")
    for again in range(2):
        run = project.until(run_id, lambda run, again=again: trains_again(run, again), "training")
        pid, job = task_of(run, rank=0), run.job or ""
        os.kill(pid, signal.SIGSTOP)
        try:
            hours, minutes, _ = cluster.show(job)["RunTime"].split(":")
            cluster.limit(job, minutes=int(hours) * 60 + int(minutes) + 2)
            wait_for(lambda pid=pid: is_told_to_end(pid), "the warning has come")
        finally:
            with contextlib.suppress(ProcessLookupError):  # Slurm wakes it by itself
                os.kill(pid, signal.SIGCONT)
        waits = project.until(run_id, in_the_queue, "back in the queue")
        assert waits.checkpoint and (waits.step or 0) >= (run.step or 0)
        cluster.limit(job, minutes=60)
        cluster.start_now(job)
    run = project.until_ended(run_id)
    same_as(straight, run)
    assert run.segment == 2 and cluster.show(run.job or "")["Restarts"] == "2"


def trains_again(run: Run, again: int) -> bool:
    return run.status == Status.RUNNING and run.segment == again and (run.step or 0) >= 3 + 6 * again


def is_told_to_end(pid: int) -> bool:
    """Whether a process that was held was told to end: Slurm wakes it for that."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T"
    except OSError:
        return True


def test_a_sweep_is_an_array_and_needs_no_process_here(cluster: Cluster, project: Project) -> None:
    command = [sys.executable, "-m", "workbench", "sweep", "--on", "slurm", "--parallel", "2", "--detach"]
    values = {**project.recipe.model_dump(mode="json"), "max_steps": 4}
    for name, value in values.items():
        command += ["--set", f"{name}={'' if value is None else value}"]
    lists = ["--set", "chunk_size=32,64", "--set", "mask_prob=0.15,0.3", "--set", "learning_rate=1e-3,1e-4"]
    subprocess.run([*command, *lists, "--db", str(project.db)], check=True, timeout=600, capture_output=True)
    store = project.store
    wait_for(lambda: all(run.job for run in store.active_runs()), "all runs have jobs", 600)
    end_scheduler(store)
    runs = store.active_runs()
    assert len(runs) == 8 and len({(run.job or "").partition("_")[0] for run in runs}) == 1
    seen = Slurm().look([run.job or "" for run in runs])
    assert sum(state.stand is Stand.RUNNING for state in seen.values()) <= 2
    journals = [Path(run.folder) for run in runs]
    wait_for(lambda: all("finished" in last_journal(folder) for folder in journals), "all are done", 1800)
    assert not is_held(store.lease.holder(), store.url), "nobody of ours was there"
    ended = [project.until_ended(run.id) for run in runs]
    assert {run.status for run in ended} == {Status.FINISHED}
    assert len({run.eval_perplexity for run in ended}) == 8


def last_journal(folder: Path) -> str:
    """The newest line of a run's journal; "" while there is none."""
    lines = [
        line for file in sorted(folder.glob("journal-*.jsonl")) for line in file.read_text().splitlines()
    ]
    return lines[-1] if lines else ""


def end_scheduler(store: Store) -> None:
    """End the process that holds the lease, if there is one; it is of this test's store."""
    holder = store.lease.holder()
    if holder is None or holder.pid is None or not is_held(holder, store.url):
        return
    os.kill(holder.pid, signal.SIGKILL)
    wait_for(lambda: not is_held(holder, store.url), "it is gone")


def test_kill_9_of_a_rank_ends_the_job(cluster: Cluster, project: Project) -> None:
    run_id = project.submit("killed", nodes=2)
    project.until(run_id, trains, "training")
    os.kill(task_of(project.store.run(run_id), rank=1), signal.SIGKILL)
    run = project.until_ended(run_id)
    assert run.status in (Status.CRASHED, Status.FAILED) and run.error
    assert "Killed" in (Path(run.folder) / "worker.log").read_text()


def task_of(run: Run, rank: int) -> int:
    """The process of a rank of this run, on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        wanted = {f"SLURM_JOB_ID={run.job}".encode(), f"SLURM_PROCID={rank}".encode()}
        if wanted <= set(variables) and b"workbench.worker" in command and b"srun" not in command[0]:
            return int(folder.name)
    raise AssertionError(f"run {run.id} has no rank {rank}")


def test_a_node_that_fails(cluster: Cluster, project: Project, straight: Straight) -> None:
    """Slurm puts the job back into the queue when a node is silent; it continues on the other one."""
    run_id = project.submit("on a bad node", "nodelist=n1")
    project.until(run_id, trains, "training")
    cluster.kill("slurmd-n1")
    job = project.store.run(run_id).job or ""
    try:
        cluster.down("n1")
        project.until(run_id, lambda run: run.engine_state == "PENDING", "back in the queue")
        wait_for(lambda: not Path(f"/proc/{project.store.run(run_id).worker_pid}").exists(), "its end", 120)
    finally:
        cluster.start_node("n1")
    wait_for(lambda: cluster.idle() == 2, "both nodes are idle again")
    cluster.start_now(job)
    same_as(straight, project.until_ended(run_id))


def test_kill_9_of_slurmctld(cluster: Cluster, project: Project, straight: Straight) -> None:
    run_id = project.submit("alone")
    project.until(run_id, trains, "training")
    cluster.kill("slurmctld")
    try:
        run = project.look(run_id)
        assert run.status == Status.RUNNING
        assert (run.engine_reason or "").startswith("Slurm does not answer since")
    finally:
        cluster.start_controller()
    same_as(straight, project.until_ended(run_id))


def test_the_login_side_is_killed_while_the_job_writes(
    cluster: Cluster, project: Project, straight: Straight
) -> None:
    """The reader dies again and again; in the end nothing is missing and nothing is there twice."""
    run_id = project.submit("read by many")
    reader = [sys.executable, "-m", "workbench", "runs", "--json", "--db", str(project.db)]
    while project.store.run(run_id).status in ACTIVE:
        process = subprocess.Popen(reader, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.0 + time.time() % 1.0)
        process.kill()
        process.wait()
        project.watch.look()
    same_as(straight, project.look(run_id))
    steps = [one.step for one in project.store.metrics(run_id, ["train/loss"])]
    assert steps == sorted(set(steps)) and steps[-1] == project.recipe.max_steps


def test_three_requeues_without_a_checkpoint_end_it(cluster: Cluster, project: Project) -> None:
    """Each time the job is put back while Python still starts: it never comes to a checkpoint."""
    run_id = project.submit("never saves")
    run = project.store.run(run_id)
    for _ in range(4):
        if project.look(run_id).status not in ACTIVE:
            break
        reaches(Slurm(), run.job or "", Stand.RUNNING)
        wait_for(lambda: cluster.steps(run.job or "") > 0, "its step runs")
        Slurm().requeue(run.job or "")
        project.until(run_id, in_the_queue, "back in the queue")
        cluster.start_now(run.job or "")
    ended = project.until_ended(run_id)
    assert ended.status == Status.FAILED and "new checkpoint" in (ended.error or "")
