"""The terminal goes away under the program, or is taken from it: the training does not mind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker import launch

from ..e2e.sshd import INSTALLED, ssh_server
from ..e2e.terminal import TMUX, Terminal
from .conftest import begin, wait_for, wait_for_end, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(TMUX is None, reason="tmux is not installed")]
PROGRAM = f"{sys.executable} -m workbench"


@pytest.fixture
def endless(tiny: Recipe) -> Recipe:
    return tiny.with_changes(epochs=10_000, max_steps=20_000, eval_every=0, checkpoint_every=200)


@pytest.fixture
def config(endless: Recipe, tmp_path: Path) -> Path:
    path = tmp_path / "endless.toml"
    path.write_text(endless.to_toml(), encoding="utf-8")
    return path


@pytest.fixture
def training(store: Store, endless: Recipe, from_nursery: object) -> int:
    """A run that goes on until it is stopped."""
    run_id = begin(store, endless, "goes on")
    wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    return run_id


def goes_on(store: Store, run_id: int) -> None:
    """Its steps still come, and it still listens."""
    now = store.run(run_id).step or 0
    wait_for(store, run_id, lambda run: (run.step or 0) > now + 20)
    launch.stop(store, run_id)
    assert wait_for_end(store, run_id).status == Status.STOPPED


def processes_with(words: str) -> list[psutil.Process]:
    """Those whose command line holds `words`, but for a training's worker."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if words in line and "workbench.worker" not in line and process.pid != os.getpid():
            found.append(process)
    return found


def test_a_hangup_is_not_for_the_worker(store: Store, training: int) -> None:
    pid = store.run(training).worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGHUP)
    goes_on(store, training)


def test_a_tmux_that_is_closed_takes_only_the_screens_along(
    terminals: Callable[[str], Terminal], store: Store, config: Path, tmp_path: Path
) -> None:
    database = tmp_path / "experiments.db"
    follows = terminals(f"{PROGRAM} train --config {config} --name followed --db {database}")
    wait_until(lambda: any(run.step for run in store.runs()), "the first step", 120)
    looks = terminals(f"{PROGRAM} --db {database}")
    looks.wait_for("followed")
    (run,) = store.runs()
    for window in (follows, looks):
        window.close()
    wait_until(lambda: not processes_with(str(database)), "the end of the program")
    goes_on(store, run.id)


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[str]:
    """The command that reaches a real SSH server."""
    if not INSTALLED:
        pytest.skip("OpenSSH is not installed")
    with ssh_server(tmp_path / "ssh") as server:
        yield server.command


def test_an_ssh_connection_that_is_cut_takes_only_the_screen_along(
    terminals: Callable[[str], Terminal], ssh: str, store: Store, config: Path, tmp_path: Path
) -> None:
    database = tmp_path / "experiments.db"
    inside = tmp_path / "inside.sh"
    inside.write_text(
        f"cd {Path(__file__).parents[2]}\nexport OMP_NUM_THREADS=1 LANG=C.UTF-8\n"
        f"{PROGRAM} train --config {config} --name far --detach --db {database}\n"
        f"exec {PROGRAM} --db {database}\n"
    )
    window = terminals(f"{ssh} sh {inside}")
    window.wait_for("far", 120)
    wait_until(lambda: any(run.step for run in store.runs()), "the first step", 120)
    window.wait_for("running")
    (screen,) = processes_with(f"workbench --db {database}")
    # the server's process for this connection, not the server
    sessions = [parent for parent in screen.parents() if "sshd" in parent.name()]
    sessions[0].kill()
    window.wait_for("ended with")
    wait_until(lambda: not processes_with(str(database)), "the end of the screen")
    (run,) = store.runs()
    assert run.status == Status.RUNNING
    goes_on(store, run.id)


def test_ctrl_c_and_ctrl_z_in_the_screen(
    terminals: Callable[[str], Terminal], store: Store, training: int, tmp_path: Path
) -> None:
    window = terminals("env PS1=shell: bash --norc -i")
    window.wait_for("shell:")
    window.type(f"{PROGRAM} --db {tmp_path}/experiments.db")
    window.press("Enter")
    window.wait_for("goes on")
    window.press("C-c")
    window.wait_for("goes on")
    window.press("C-z")
    window.wait_for("Stopped")  # said by the shell
    window.type("echo still a $((40 + 2)) shell")
    window.press("Enter")
    window.wait_for("still a 42 shell")
    window.type("fg")
    window.press("Enter")
    window.wait_for(lambda screen: "goes on" in screen and "still a" not in screen)
    window.press("q")
    window.wait_for("shell:")
    goes_on(store, training)


def test_ctrl_z_on_a_command_that_follows_a_run(
    terminals: Callable[[str], Terminal], store: Store, config: Path, tmp_path: Path
) -> None:
    window = terminals("env PS1=shell: bash --norc -i")
    window.wait_for("shell:")
    window.type(f"{PROGRAM} train --config {config} --name held --db {tmp_path}/experiments.db")
    window.press("Enter")
    wait_until(lambda: any(run.step for run in store.runs()), "the first step", 120)
    window.press("C-z")
    window.wait_for("Stopped")
    (run,) = store.runs()
    goes_on(store, run.id)
    window.type("fg")
    window.press("Enter")
    window.wait_for("resume 1")  # it tells how the run ended meanwhile


def test_what_a_screen_shows_of_a_run_that_was_killed(
    terminals: Callable[[str], Terminal], store: Store, training: int, tmp_path: Path
) -> None:
    window = terminals(f"{PROGRAM} --db {tmp_path}/experiments.db")
    window.wait_for("running")
    run: Run = store.run(training)
    assert run.worker_pid is not None
    os.kill(run.worker_pid, signal.SIGKILL)
    window.wait_for("crashed", seconds=5.0)
