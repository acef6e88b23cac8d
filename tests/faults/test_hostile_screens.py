"""A store full of hostile words, looked at in a real terminal, whose title and clipboard stay as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.recipe import PRESETS
from workbench.status import Status
from workbench.store import MetricValue, Store
from workbench.worker import liveness

from ..e2e.terminal import Terminal
from .hostile import NASTY

pytestmark = pytest.mark.e2e
EVIL = (
    "\x1b]0;owned title\x07\x1b]2;owned title\x1b\\\x1b]52;c;b3duZWQ=\x07\x9b31m\x1b[?1049l"
    "[/][red]x[@click=app.bell]"
)


@pytest.fixture
def hostile_store(store: Store) -> Store:
    """Runs with nasty words wherever words can be."""
    for number, nasty in enumerate([EVIL, *NASTY]):
        run = store.create_run(PRESETS["starter"].with_changes(dataset=f"./{nasty}"[:4096]), None, [nasty])
        folder = Path(run.folder)
        folder.mkdir(parents=True)
        (folder / liveness.LOG).write_bytes(nasty.encode("utf-8", "surrogatepass") * 3 + b"\n\xff\xfe\n")
        store.add_metrics(
            run.id, 0, [MetricValue("eval/perplexity", step, step / 10, 9.0) for step in range(3)]
        )
        store.update_run(
            run.id,
            status=[Status.FAILED, Status.CRASHED, Status.FINISHED][number % 3],
            error=nasty,
            error_hint=nasty,
            note=nasty,
            host=nasty,
            environment={"command": nasty, nasty: nasty},
            engine={"device_name": nasty, "architecture": nasty},
        )
    newest = store.create_run(PRESETS["starter"], "[red]newest[/]", [EVIL])
    Path(newest.folder).mkdir()
    (Path(newest.folder) / liveness.LOG).write_text(f"before {EVIL} after\n")
    store.update_run(newest.id, status=Status.FAILED, error=EVIL, error_hint=EVIL, note=EVIL)
    return store


def tmux(terminal: Terminal, *words: str) -> str:
    done = subprocess.run(["tmux", "-S", terminal._socket, *words], capture_output=True, text=True)
    return done.stdout


def test_nothing_that_is_shown_is_obeyed(
    hostile_store: Store, terminals: Callable[[str], Terminal], tmp_path: Path
) -> None:
    window = terminals(f"sleep 1; {sys.executable} -m workbench --db {tmp_path}/experiments.db")
    tmux(window, "set-option", "-s", "set-clipboard", "on")
    title = tmux(window, "display-message", "-p", "#{pane_title}")
    window.wait_for("newest")
    window.press("Enter")
    window.wait_for("after")  # the log's end
    window.press("Escape")
    window.wait_for("newest")
    for _ in range(len(NASTY)):
        window.press("Down")
    window.press("Enter", "Escape")
    window.wait_for(lambda screen: "Traceback" not in screen)
    assert tmux(window, "display-message", "-p", "#{pane_title}") == title
    assert tmux(window, "show-buffer") == ""
    window.press_until("ended with 0", "q")


def test_such_a_terminal_would_have_obeyed(terminals: Callable[[str], Terminal], tmp_path: Path) -> None:
    """The same words as they are do set the title and the clipboard: the test above can fail."""
    (tmp_path / "evil.txt").write_text(EVIL)
    window = terminals(f"sleep 1; cat {tmp_path}/evil.txt; echo; echo done")
    tmux(window, "set-option", "-s", "set-clipboard", "on")
    window.wait_for(lambda screen: "ended with 0" in screen)
    assert "owned title" in tmux(window, "display-message", "-p", "#{pane_title}")
    assert tmux(window, "show-buffer") == "owned"
