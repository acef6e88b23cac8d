"""The whole way through the program over a real SSH connection, which is cut in the middle of a training."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import StarterRun
from tests.e2e.sshd import INSTALLED, SshServer, ssh_server
from tests.e2e.terminal import TMUX, Terminal
from workbench.status import ACTIVE
from workbench.store import Store

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(TMUX is None, reason="tmux is not installed"),
    pytest.mark.skipif(not INSTALLED, reason="OpenSSH is not installed"),
]

ROOT = Path(__file__).parents[2]
TERMS = ["xterm-256color", "screen-256color", "xterm-16color"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "ssh") as started:
        yield started


@pytest.fixture
def log_in(server: SshServer, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Open the workbench on a database over SSH, in a terminal of the kind that TERM names."""
    opened: list[Terminal] = []

    def start(term: str, database: Path) -> Terminal:
        folder = tmp_path / f"terminal{len(opened)}"
        folder.mkdir()
        inside = folder / "inside.sh"
        inside.write_text(
            f"cd {ROOT}\nexport LANG=C.UTF-8 OMP_NUM_THREADS=1\n"
            f"exec {sys.executable} -m workbench --db {database}\n"
        )
        opened.append(Terminal(folder, f"TERM={term} {server.command} sh {inside}"))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("term", TERMS)
def test_every_screen_over_ssh(log_in: Callable[..., Terminal], starter_run: StarterRun, term: str) -> None:
    terminal = log_in(term, starter_run.database)
    terminal.wait_for("starter-run")
    terminal.press("Enter")
    terminal.wait_for("before training")
    terminal.press("c")
    terminal.wait_for("Fill masks")
    terminal.type("Return the [MASK] of the list.")
    terminal.press("Enter")
    terminal.wait_for(lambda screen: screen.count("%") >= 5 or screen.count("0.") >= 5, seconds=120)
    terminal.press("Escape")
    terminal.wait_for("before training")
    terminal.press_until("/ Filter", "Escape")  # in the footer of the list alone
    terminal.press("n")
    terminal.wait_for("Chunk size")
    terminal.press_until("/ Filter", "Escape")
    terminal.press("q")
    terminal.wait_for("ended with 0")


def test_a_connection_that_is_cut_loses_no_training(
    log_in: Callable[..., Terminal], server: SshServer, tmp_path: Path
) -> None:
    database = tmp_path / "experiments.db"
    terminal = log_in("xterm-256color", database)
    terminal.wait_for("No runs yet")
    terminal.press("n")
    terminal.wait_for("Chunk size")
    terminal.press("C-s")
    terminal.wait_for("tokens/s", seconds=180)
    server.cut()
    terminal.wait_for("ended with")

    store = Store.open(database)
    (run,) = store.runs()
    assert run.status in ACTIVE
    store.close()
    again = log_in("screen-256color", database)
    again.wait_for("running")
    again.press("Enter")
    again.wait_for("tokens/s")
    again.press("x")  # asked to stop from here: it listens
    again.wait_for("stopped", seconds=120)
    again.press("q")
    again.wait_for("ended with 0")
