"""Runs as jobs of a real Slurm: they finish, stop, wait, are refused, and continue after a requeue."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.project import FULL, Project, Straight, weights
from tests.cluster.slurm import Cluster
from tests.cluster.test_adapter import reaches, sleeper
from workbench.engines import control
from workbench.engines.protocol import Stand
from workbench.engines.slurm import Slurm
from workbench.status import Status
from workbench.store import Run


def test_train_on_slurm_from_the_command_line(straight: Straight) -> None:
    """The submission, the job, its journal and the watcher are all processes of their own here."""
    printed = straight.printed
    assert (printed["status"], printed["place"], printed["waiting_for"]) == ("finished", "slurm", None)
    assert printed["job"].isdigit() and printed["eval_perplexity"] and printed["yardstick_perplexity"]
    log = (Path(printed["folder"]) / "worker.log").read_text()
    assert f"submitted as Slurm job {printed['job']}" in log


def test_requeue_and_stop(cluster: Cluster, project: Project, straight: Straight) -> None:
    """One run is put back into the queue on its way, one is stopped: neither loses a step."""
    requeued, stopped = project.submit("requeued"), project.submit("stopped")
    project.until(requeued, lambda run: (run.step or 0) >= 3, "training")
    control.requeue(project.store, requeued)
    project.until(stopped, lambda run: (run.step or 0) >= 3, "training")
    control.stop(project.store, stopped)
    waits = project.until(requeued, in_the_queue, "back in the queue")
    assert "start time has not come" in (waits.engine_reason or "")
    ended = project.until_ended(stopped)
    assert ended.status == Status.STOPPED and ended.checkpoint
    assert 3 <= (ended.step or 0) < project.recipe.max_steps
    cluster.start_now(waits.job or "")
    if FULL:
        control.resume(project.store, stopped)
    runs = [project.until_ended(run_id) for run_id in ([requeued, stopped] if FULL else [requeued])]
    for run in runs:
        assert (run.status, run.segment) == ("finished", 1), run.error
        assert weights(run) == straight.weights and run.eval_perplexity == straight.printed["eval_perplexity"]
    assert runs[0].job == waits.job, "a requeue keeps the job"


def in_the_queue(run: Run) -> bool:
    return run.status == Status.QUEUED and run.engine_state == "PENDING"


def test_what_slurm_refuses_is_a_failed_run(cluster: Cluster, project: Project) -> None:
    run = project.store.run(project.submit("refused", "partition=nope"))
    assert run.status == Status.FAILED and run.job is None
    assert "invalid partition specified: nope" in (run.error or "") and "sinfo" in (run.error_hint or "")


def test_a_run_that_waits_says_why_and_stop_cancels_it(
    cluster: Cluster, project: Project, tmp_path: Path
) -> None:
    first = Slurm().submit(sleeper(tmp_path / "first", "nodes=2", "exclusive"))
    reaches(Slurm(), first, Stand.RUNNING)
    run_id = project.submit("waits", "nodes=2", "exclusive")
    waits = project.until(run_id, lambda run: "nodes are taken" in (run.engine_reason or ""), "waiting")
    assert waits.status == Status.QUEUED and waits.engine_state == "PENDING"
    assert control.stop(project.store, run_id).status == Status.STOPPED
    assert Slurm().look([waits.job or ""])[waits.job or ""].word == "CANCELLED"


def test_a_job_that_others_cancel_is_told(cluster: Cluster, project: Project) -> None:
    run_id = project.submit("cancelled", "begin=now+1hour")
    Slurm().cancel(project.store.run(run_id).job or "")
    run = project.until_ended(run_id)
    assert run.status == Status.CRASHED
    assert (run.error or "").startswith("Its job was cancelled (CANCELLED).")


def test_a_silent_slurm_marks_nothing(cluster: Cluster, project: Project) -> None:
    run_id = project.submit("waits", "begin=now+1hour")
    project.until(run_id, in_the_queue, "waiting")
    before = cluster.conf.read_text()
    try:  # as if slurmctld had gone: nobody listens at the port that clients are told
        cluster.conf.write_text(re.sub("SlurmctldPort=.*", "SlurmctldPort=1\nMessageTimeout=5", before))
        run = project.look(run_id)
    finally:
        cluster.conf.write_text(before)
    assert run.status == Status.QUEUED and is_silent(run)
    assert in_the_queue(project.until(run_id, lambda run: not is_silent(run), "answered again"))


def is_silent(run: Run) -> bool:
    return (run.engine_reason or "").startswith("Slurm does not answer since")
