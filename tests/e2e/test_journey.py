"""A newcomer's way through the program, in a real terminal: from nothing to a filled mask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import StarterRun
from tests.e2e.terminal import TMUX, Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(TMUX is None, reason="tmux is not installed")]

PROGRAM = f"{sys.executable} -m workbench"
TRAINED = 600.0  # seconds that a training may take on a busy machine


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(command: str, **size: int) -> Terminal:
        folder = tmp_path / f"terminal{len(opened)}"
        folder.mkdir()
        opened.append(Terminal(folder, command, **size))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def shown(database: Path, *words: str) -> dict[str, object]:
    """What `show latest --json` prints."""
    command = [sys.executable, "-m", "workbench", *words, "--json", "--db", str(database)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_from_an_empty_store_to_a_filled_mask(open_terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    database = tmp_path / "experiments.db"
    program = f"{PROGRAM} --db {database}"
    terminal = open_terminal(program)
    terminal.wait_for("No runs yet")

    terminal.press("n")
    terminal.wait_for("Chunk size")
    terminal.press("Down", "Down")
    terminal.wait_for("Passes over the whole training text")  # said of the field with the cursor
    terminal.press_until("Cost: shown when", "End", "BSpace")
    terminal.type("0")
    terminal.wait_for("at least 1")  # said at the field, while it is typed
    terminal.press("BSpace")
    terminal.type("1")
    terminal.press("C-s")
    terminal.wait_for("baseline", seconds=120)
    terminal.wait_for("tokens/s")

    # leaving the screen, and the terminal itself, does not end the run
    terminal.press("q")
    terminal.wait_for("ended with 0")
    terminal.close()
    terminal = open_terminal(program)
    terminal.wait_for("python-docs-128")
    terminal.wait_for("finished", seconds=TRAINED)
    run = shown(database, "show", "latest")
    assert run["status"] == "finished"
    assert float(str(run["baseline_perplexity"])) > 1000 > 150 > float(str(run["eval_perplexity"]))

    terminal.press("Enter")
    terminal.wait_for("before training")  # the live view, whose curve begins at the baseline
    terminal.press("c")
    terminal.wait_for("Fill masks")
    terminal.type("Return the [MASK] of the list.")
    terminal.press("Enter")
    terminal.wait_for(lambda screen: screen.count("%") >= 5 or screen.count("0.") >= 5, seconds=120)
    terminal.press("Escape")
    terminal.wait_for("before training")
    terminal.press("q")
    terminal.wait_for("ended with 0")


@pytest.mark.parametrize("term", ["xterm-256color", "screen-256color", "vt100", "dumb"])
def test_the_list_is_readable_in_every_terminal(
    open_terminal: Callable[..., Terminal], starter_run: StarterRun, term: str
) -> None:
    terminal = open_terminal(f"TERM={term} NO_COLOR=1 {PROGRAM} --db {starter_run.database}")
    screen = terminal.wait_for("starter-run")
    assert "finished" in screen
    terminal.press("q")
    terminal.wait_for("ended with 0")


def test_the_inline_console_fills_and_leaves(
    open_terminal: Callable[..., Terminal], starter_run: StarterRun
) -> None:
    terminal = open_terminal(f"{PROGRAM} fill --run latest --db {starter_run.database}")
    terminal.wait_for("[MASK]", seconds=120)
    terminal.type("Return the [MASK] of the list.")
    terminal.press("Enter")
    terminal.wait_for(lambda screen: screen.count("%") >= 5 or screen.count("0.") >= 5, seconds=120)
    terminal.press("C-d")
    terminal.wait_for("ended with 0")
