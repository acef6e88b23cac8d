"""`train`, `resume` and `stop`, with real workers."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.status import Status
from workbench.store import Run, Store

from ..worker.conftest import wait_for, wait_for_end
from .conftest import COMMAND, Cli, environment

KEYS = {
    "id",
    "name",
    "status",
    "phase",
    "recipe",
    "baseline_perplexity",
    "eval_perplexity",
    "best_eval_perplexity",
    "yardstick_perplexity",
    "train_perplexity",
    "epoch",
    "step",
    "tokens_per_second",
    "checkpoint",
    "error",
    "created_at",
    "started_at",
    "ended_at",
}
"""What section 6 of the design promises."""


def test_train_shows_how_it_goes_and_prints_the_run(cli: Cli, config: str, tmp_path: Path) -> None:
    done = cli("train", "--config", config, "--name", "[red]mine", "--tag", "a", "--tag", "b", "--json")
    assert done.code == 0, done.err
    run = done.json
    assert run.keys() >= KEYS
    assert (run["id"], run["name"], run["status"], run["phase"]) == (1, "[red]mine", "finished", None)
    assert run["tags"] == ["a", "b"] and run["recipe"]["chunk_size"] == 32
    assert run["eval_perplexity"] < run["baseline_perplexity"]
    assert run["created_at"] <= run["started_at"] <= run["ended_at"] and run["ended_at"].endswith("Z")
    assert Path(run["checkpoint"]).is_relative_to(tmp_path / "runs")
    assert "Run 1 [red]mine" in done.err and "before training: test perplexity" in done.err
    assert "training…" in done.err and "\r" not in done.err and "\x1b" not in done.err

    # what the reading verbs say of it
    listed = cli("runs", "--json").json
    assert [one["id"] for one in listed] == [1] and listed[0].keys() >= KEYS
    shown = cli("show", "[red]mine", "--json").json
    assert shown.keys() >= KEYS
    assert {name: shown[name] for name in KEYS} == {name: run[name] for name in KEYS}
    assert shown["metrics"]["eval/perplexity"][0] == {
        "step": 0,
        "epoch": 0.0,
        "value": run["baseline_perplexity"],
    }
    assert shown["checkpoints"][-1]["path"] == run["checkpoint"]
    assert shown["environment"]["command"].startswith("mlm-workbench train --config ")
    assert "'[red]mine'" in shown["environment"]["command"]
    assert "[red]mine" in cli("runs").out
    assert run["checkpoint"] in cli("show", "latest").out

    filled = cli("fill", "--run", "1", "--top-k", "2", "--json", "the [MASK] sat on the mat").json
    assert len(filled["masks"][0]["predictions"]) == 2


def test_a_training_that_fails_ends_with_one_and_says_why(cli: Cli, config: str) -> None:
    done = cli("train", "--config", config, "--dataset", "./missing.txt", "--json")
    assert done.code == 1
    assert done.json["status"] == "failed" and "missing.txt" in done.json["error"]
    assert "missing.txt" in done.err


def test_on_a_terminal_there_is_a_bar(config: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "train", "--config", config],
        cwd=tmp_path,
        env={**environment(), "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b"".join(read_all(ours)).decode()
    assert process.wait(60) == 0, seen
    assert "━" in seen and "Test perplexity" in seen and "resume" not in seen


def read_all(descriptor: int) -> Iterator[bytes]:
    """What comes from a pseudo-terminal until its other side is closed."""
    try:
        while part := os.read(descriptor, 65536):
            yield part
    except OSError:  # how Linux tells the end
        pass
    finally:
        os.close(descriptor)


@contextmanager
def training(store: Store, config: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], Run]]:
    """A `train` in the foreground whose run is past its first step."""
    process = subprocess.Popen(
        [*COMMAND, "train", "--config", config, *more, "--db", store.url],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not store.runs():
            assert process.poll() is None, process.communicate()[1]
        yield process, wait_for(store, 1, lambda run: (run.step or 0) > 0)
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_stops_the_run_with_a_checkpoint(store: Store, endless_config: str, cli: Cli) -> None:
    with training(store, endless_config, "--json") as (process, _):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    run = store.run(1)
    assert run.status == Status.STOPPED and run.checkpoint is not None
    assert f'"checkpoint": "{run.checkpoint}"' in out and '"status": "stopped"' in out
    assert "then stopping" in err and "resume 1" in err and "Traceback" not in err

    # and on it goes, to be stopped from another terminal
    resumed = cli("resume", "latest", "--detach")
    assert (resumed.code, resumed.out) == (0, "1\n")
    wait_for(store, 1, lambda now: (now.step or 0) > (run.step or 0))
    again = cli("resume", "1")
    assert again.code == 2 and "already running" in again.err
    refused = cli("delete", "1", "--yes")
    assert refused.code == 2 and "is running" in refused.err and "mlm-workbench stop 1" in refused.err
    stopped = cli("stop", "1")
    assert stopped.code == 0 and "stopped" in stopped.err
    assert store.run(1).status == Status.STOPPED
    assert cli("stop", "1").code == 0
    folder = Path(store.run(1).folder)
    assert cli("delete", "1").code == 0
    assert not folder.exists()
    assert cli("show", "1").code == 2


def test_a_second_ctrl_c_leaves_it_to_itself(store: Store, endless_config: str) -> None:
    with training(store, endless_config) as (process, run):
        assert run.worker_pid is not None and process.stderr is not None
        os.kill(run.worker_pid, signal.SIGSTOP)  # so that its checkpoint takes as long as this test likes
        try:
            process.send_signal(signal.SIGINT)
            while "then stopping" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 130
            assert "stops on its own" in err
            assert store.run(1).status == Status.RUNNING
        finally:
            os.kill(run.worker_pid, signal.SIGCONT)
    stopped = wait_for_end(store, 1)
    assert stopped.status == Status.STOPPED and stopped.checkpoint is not None


def test_a_worker_that_is_killed_ends_it_with_one(store: Store, endless_config: str) -> None:
    with training(store, endless_config) as (process, run):
        assert run.worker_pid is not None
        os.kill(run.worker_pid, signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert store.run(1).status == Status.CRASHED
    assert "crashed" in err and "resume 1" in err


def test_a_run_goes_on_when_its_terminal_is_closed(store: Store, endless_config: str, cli: Cli) -> None:
    with training(store, endless_config) as (process, run):
        os.killpg(process.pid, signal.SIGHUP)
        process.wait(60)
        assert run.worker_pid is not None
        os.kill(run.worker_pid, signal.SIGHUP)
        wait_for(store, 1, lambda now: (now.step or 0) > (run.step or 0) + 10)
    assert cli("stop", "1").code == 0
    assert wait_for_end(store, 1).status == Status.STOPPED


def test_stopped_by_others_it_ends_with_one(store: Store, endless_config: str, cli: Cli) -> None:
    with training(store, endless_config) as (process, _):
        assert cli("stop", "1").code == 0
        process.communicate(timeout=120)
    assert process.returncode == 1
