"""The adapter against a real Slurm, with jobs that only sleep."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cluster.slurm import Cluster, wait_for
from workbench.cli.place_checks import place_checks
from workbench.engines.configuration import config_file
from workbench.engines.place import Place, read_options
from workbench.engines.protocol import EngineError, JobState, Stand
from workbench.engines.script import Layout, array_script, run_script
from workbench.engines.slurm import Slurm
from workbench.status import PlaceEngine

_SLEEPS = """trap "echo told to end; exit 0" TERM
echo "ready $1"
while :; do sleep 0.1; done
"""


def sleeper(folder: Path, *options: str, place: Place | None = None) -> Path:
    """A job that waits in place of a training and says when it is told to end."""
    folder.mkdir(parents=True)
    where = place or Place("slurm", PlaceEngine.SLURM)
    where = where.with_more(options=options)
    text = run_script(where, Layout.of(where), "a sleeper", folder, folder, [])
    return _with_task(folder, text, _SLEEPS)


def _with_task(folder: Path, text: str, task: str) -> Path:
    """The script with another task in the place of the worker."""
    (folder / "task.sh").write_text(task)
    start = text.index("\nsrun ") + 1
    line = text[start : text.index("\n", start)]
    script = folder / "job.sh"
    script.write_text(text.replace(line, f'srun bash {shlex.quote(str(folder / "task.sh"))} "${{run:-}}"'))
    return script


def ready(folder: Path) -> None:
    """Wait for the task, which says so in the log."""
    log = folder / "worker.log"
    wait_for(lambda: log.exists() and "ready" in log.read_text(), "the task runs")


def state(slurm: Slurm, job: str) -> JobState | None:
    return slurm.look([job]).get(job)


def reaches(slurm: Slurm, job: str, stand: Stand) -> JobState:
    wait_for(lambda: (seen := state(slurm, job)) is not None and seen.stand is stand, f"{job} is {stand}")
    found = state(slurm, job)
    assert found is not None
    return found


def test_stop_lets_a_running_job_end_by_itself(cluster: Cluster, tmp_path: Path) -> None:
    folder, slurm = tmp_path / "a run's folder", Slurm()
    job = slurm.submit(sleeper(folder))
    assert reaches(slurm, job, Stand.RUNNING).nodes == "n1"
    ready(folder)
    slurm.stop(job)
    assert reaches(slurm, job, Stand.ENDED).word == "COMPLETED"
    assert "told to end" in (folder / "worker.log").read_text()


def test_a_job_that_waits_says_why(cluster: Cluster, tmp_path: Path) -> None:
    slurm = Slurm()
    first = slurm.submit(sleeper(tmp_path / "1", "nodes=2", "exclusive", "time=10"))
    reaches(slurm, first, Stand.RUNNING)
    second = slurm.submit(sleeper(tmp_path / "2", "nodes=2", "exclusive", "time=10"))
    third = slurm.submit(sleeper(tmp_path / "3", "begin=now+1hour"))
    wait_for(lambda: "nodes are taken" in reaches(slurm, second, Stand.WAITING).why, "its reason is known")
    wait_for(lambda: "starts about" in reaches(slurm, second, Stand.WAITING).why, "its start is known")
    assert "1st in the queue" in reaches(slurm, second, Stand.WAITING).why
    assert "start time has not come" in reaches(slurm, third, Stand.WAITING).why
    assert set(slurm.look([first, second, third, "999999"])) == {first, second, third}
    slurm.stop(second)
    assert reaches(slurm, second, Stand.ENDED).why == "its job was cancelled (CANCELLED)"


def test_what_slurm_refuses_is_told_in_its_words(cluster: Cluster, tmp_path: Path) -> None:
    script = sleeper(tmp_path / "refused", "partition=nope")
    for ask in (Slurm().submit, Slurm().check):
        with pytest.raises(EngineError, match="invalid partition specified: nope") as caught:
            ask(script)
        assert "sinfo" in caught.value.hint
    assert "to start at" in Slurm().check(sleeper(tmp_path / "taken"))


def test_options_reach_slurm_as_they_were_given(cluster: Cluster, tmp_path: Path) -> None:
    text = 'a "quoted" \\ $HOME # text'
    options = read_options([f"comment={text}", "--time=1-00:00:00", "exclusive"], "--sbatch")
    place = Place("big", PlaceEngine.SLURM, nodes=2, gpus=2, options=options)
    script = sleeper(tmp_path / "run", place=place)
    job = Slurm().submit(script)
    reaches(Slurm(), job, Stand.RUNNING)
    shown = cluster.show(job)
    wanted = ("1-00:00:00", "2", "4", "1")
    assert tuple(shown[name] for name in ("TimeLimit", "NumNodes", "NumTasks", "Requeue")) == wanted
    assert cluster.comment(job) == text


def test_requeue_keeps_the_job_and_its_log(cluster: Cluster, tmp_path: Path) -> None:
    slurm, folder = Slurm(), tmp_path / "run"
    job = slurm.submit(sleeper(folder))
    ready(folder)
    slurm.requeue(job)
    reaches(slurm, job, Stand.WAITING)
    cluster.start_now(job)
    reaches(slurm, job, Stand.RUNNING)
    assert cluster.show(job)["Restarts"] == "1"
    with pytest.raises(EngineError, match="999999"):
        slurm.requeue("999999")


def test_an_array_gives_each_element_its_run(cluster: Cluster, tmp_path: Path) -> None:
    slurm, sweep, runs = Slurm(), tmp_path / "sweep-1", tmp_path / "the runs"
    names = [f"{number}-run" for number in range(3)]
    for name in names:
        (runs / name).mkdir(parents=True)
    sweep.mkdir()
    (sweep / "elements").write_text("".join(f"{name}\n" for name in names))
    place = Place("slurm", PlaceEngine.SLURM)
    text = array_script(place, Layout.of(place), "s", sweep, sweep, runs, "elements", 3, 2)
    job = slurm.submit(_with_task(sweep, text, _SLEEPS))
    jobs = [f"{job}_{number}" for number in range(3)]
    wait_for(lambda: "as many of the sweep" in reaches(slurm, jobs[2], Stand.WAITING).why, "it says why")
    for number in range(2):
        ready(runs / names[number])
        assert f"ready {runs / names[number]}\n" in (runs / names[number] / "worker.log").read_text()
    slurm.cancel(jobs[0])
    reaches(slurm, jobs[2], Stand.RUNNING)


def test_doctor_asks_whether_a_job_would_be_accepted(cluster: Cluster) -> None:
    config_file().write_text(
        '[places.good]\nengine = "slurm"\ntime = "10"\n[places.bad]\nengine = "slurm"\npartition = "nope"\n'
    )
    found = {name: check() for name, check in place_checks()}
    assert found["place slurm"].status == found["place good"].status == "ok"
    assert "to start at" in found["place good"].message
    assert found["place bad"].status == "failure" and "nope" in found["place bad"].message
    config_file().write_text('[places.bad]\nengine = "pbs"\n')
    ((name, check),) = place_checks()
    assert name == "places" and "engine is 'pbs'" in check().message
