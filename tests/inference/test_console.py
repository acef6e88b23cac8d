"""The inline console in a real terminal of 80 columns, and its lines where there is none."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from workbench.display.answer import beside, render
from workbench.errors import UsageError
from workbench.inference.query import Query, run_command
from workbench.inference.results import Candidate, FillResult, JointFill, MaskFill, Prediction, Surprisal
from workbench.inference.results import TokenSurprisal as Token
from workbench.store import Store

SCRIPT = """
import sys
from workbench.inference.query import Query
from workbench.cli.prompt import run_console
from workbench.inference.resolve import ModelChoice
from workbench.store import Store
store = Store.open(sys.argv[1])
choices = [ModelChoice('the starter', sys.argv[2])]
sys.exit(run_console(store, choices, Query(3), as_json='--json' in sys.argv))
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The console in a pseudo-terminal of 24 rows and 80 columns."""

    def __init__(self, *arguments: str) -> None:
        self.process_id, self._end = pty.fork()
        if self.process_id == 0:
            environment = {**os.environ, "TERM": "xterm", "LANG": "C.UTF-8"}
            os.execve(sys.executable, [sys.executable, "-c", SCRIPT, *arguments], environment)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def wait_for(self, wanted: str, seconds: float = 120) -> str:
        """What was shown since the last wait, up to the end of `wanted`."""
        until = time.monotonic() + seconds
        while wanted not in self.shown:
            assert time.monotonic() < until, f"{wanted!r} did not come; shown:\n{self.shown}"
            if select.select([self._end], [], [], 0.2)[0]:
                self._take()
        end = self.shown.index(wanted) + len(wanted)
        shown, self.shown = self.shown[:end], self.shown[end:]
        return shown

    def _take(self) -> None:
        try:
            self.shown += ESCAPES.sub("", os.read(self._end, 65536).decode(errors="replace"))
        except OSError:  # the other end is closed
            pytest.fail(f"It ended too soon; shown:\n{self.shown}")

    def press_until(self, key: str, wanted: str) -> None:
        """Press a key, and again every second, until `wanted` is shown."""
        until = time.monotonic() + 60
        while wanted not in self.shown:
            assert time.monotonic() < until, f"{wanted!r} did not come; shown:\n{self.shown}"
            self.type(key)
            if select.select([self._end], [], [], 1)[0]:
                self._take()
        self.wait_for(wanted)

    def exit_code(self) -> int:
        """Wait for the end, taking what is still written."""
        while True:
            try:
                if not os.read(self._end, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.process_id, 0)[1])

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "experiments.db")
    yield store
    store.close()


@pytest.fixture
def terminal(store: Store, tmp_path: Path) -> Iterator[Terminal]:
    store.add_fill(model="starter", run_id=None, text="Asked on [MASK] another day.", result={})
    terminal = Terminal(str(tmp_path / "experiments.db"), "starter")
    yield terminal
    terminal.close()


def test_a_sentence_is_filled_and_remembered(terminal: Terminal, store: Store) -> None:
    assert "Filling masks with the starter" in terminal.wait_for("fill> ")
    terminal.type("The [red] \t of the list is an [MASK].\n")  # Tab types the mask
    shown = terminal.wait_for("mask 2 of 2") + terminal.wait_for("fill> ")
    assert "mask 2 of 2" in shown
    assert "The [red] " in shown
    assert all(cell_len(line) <= 80 for line in shown.splitlines())
    newest = store.fills()[0]
    assert (newest.model, newest.text) == ("the starter", "The [red] [MASK] of the list is an [MASK].")
    assert len(newest.result["masks"][0]["predictions"]) == 3

    terminal.type("nothing missing\n")
    assert "Write [MASK] where a word is missing" in terminal.wait_for("fill> ")
    terminal.type("\x1b[A\x1b[A\x1b[A\n")  # the third line from the end is from the other day
    assert "another day." in terminal.wait_for("%")
    terminal.wait_for("fill> ")
    terminal.type("half a line")
    terminal.wait_for("half a line")
    # one that comes between two of its waits Python sees at the next key only: a person presses again
    terminal.press_until("\x03", "Ctrl-D exits.")
    terminal.wait_for("fill> ")
    terminal.type("\x04")
    assert terminal.exit_code() == 0


def test_a_hangup_ends_it(terminal: Terminal) -> None:
    terminal.wait_for("fill> ")
    os.kill(terminal.process_id, signal.SIGHUP)
    assert terminal.exit_code() == -signal.SIGHUP


def ask_lines(tmp_path: Path, lines: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "experiments.db"), *arguments]
    return subprocess.run(command, input=lines, capture_output=True, timeout=300)


def test_lines_without_a_terminal(tmp_path: Path) -> None:
    lines = b"The [MASK] of the list.\n\nno mask\n[red] [MASK] and [MASK]\n"
    plain = ask_lines(tmp_path, lines, "starter")
    assert plain.returncode == 2
    assert plain.stderr.decode().startswith("line 3: The text has no mask.")
    assert b"\x1b" not in plain.stdout
    assert plain.stdout.count(b"%") == 9 + 3  # and the best pairs
    answers = ask_lines(tmp_path, lines, "starter", "--json")
    parsed = [json.loads(line) for line in answers.stdout.splitlines()]
    assert [len(answer["masks"]) for answer in parsed] == [1, 2]
    assert parsed[1]["text"] == "[red] [MASK] and [MASK]"


def result(*words: str) -> FillResult:
    predictions = tuple(Prediction(word, number, 0.5) for number, word in enumerate(words))
    return FillResult("[MASK]", "filled \x1b[2J [bold]text\nmore", (MaskFill(1, predictions),))


@pytest.mark.parametrize("width", [12, 20, 80, 200])
def test_rows_fit_the_terminal(width: int) -> None:
    shown = render(result("x", "a" * 100, "東京" * 30, "\n"), width)
    rows = shown.plain.splitlines()[1:]
    assert len(rows) == 4
    assert all(cell_len(row) <= width for row in rows)


def test_nothing_from_outside_reaches_the_terminal_as_an_order() -> None:
    shown = render(result("\x1b[31m", "[red]", "\r\x9b")).plain
    assert not set("\x1b\r\x9b") & set(shown)
    assert "[bold]text" in shown
    assert "[red]" in shown
    assert len(shown.splitlines()) == 4


@pytest.mark.parametrize("width", [12, 20, 40, 80, 200])
def test_every_kind_of_answer_fits_the_terminal(width: int) -> None:
    candidates = (
        Candidate("東京" * 20, (1, 2), -3.0),
        Candidate("x", (1,), -800.0),
        Candidate("\x1b[2J", why_not="runs into the word beside it"),
    )
    masks = (MaskFill(1, (Prediction("a", 1, 0.9),), candidates), MaskFill(3, (Prediction("b", 1, 1e-6),)))
    together = (JointFill("y", ("東京" * 20, "x"), ((1, 2), (1,)), -2.0),)
    filled = FillResult("[MASK] [MASK]", "x", masks, together)
    tokens = (
        Token(0, 3, 5, "x", 12.0, 7, "[red]\x1b[31m" + "y" * 60, 0.5),
        Token(3, 90, 5, "x", 1e9, 1, "x", 1.0),
        Token(90, 92, 5, "x", None, None, "", 0.0),
    )
    surprised = Surprisal("ab\x1b" + "東" * 100, tokens, 2, -1e6)
    for answer in (filled, surprised):
        shown = render(answer, width).plain
        assert all(cell_len(row) <= max(width, 20) for row in shown.splitlines()[2:])
        assert "\x1b" not in shown
    assert "∞" in render(surprised, 80).plain or "inf" in render(surprised, 80).plain
    assert len(beside([("a", filled), ("b", surprised)], width).columns) == 2


def test_commands_change_what_is_asked() -> None:
    query = Query(5)
    assert run_command(":cand bbc, police", query).query.candidates == ("bbc", "police")
    assert run_command(":candidates", Query(5, ("bbc",))).query.candidates == ()
    assert run_command(":top 10", query).query.top_k == 10
    assert run_command(":surprisal", query).query.surprisal
    assert not run_command(":surprisal", Query(surprisal=True)).query.surprisal
    once = run_command(":s A text.", query)
    assert once.text == "A text." and once.query.surprisal
    assert run_command(":model starter run:3@best", query).models == ("starter", "run:3@best")
    assert ":top" in run_command(":help", query).message
    for wrong in (":", ":nothing", ":top", ":top -1", ":top ²", ":model", ":model a b c d e"):
        with pytest.raises(UsageError) as raised:
            run_command(wrong, query)
        assert raised.value.hint


def test_commands_at_the_prompt(terminal: Terminal, store: Store) -> None:
    terminal.wait_for("fill> ")
    terminal.type(":candidates length,end\n")
    assert "Only these words: length, end." in terminal.wait_for("fill> ")
    terminal.type("The [MASK] of the list.\n")
    shown = terminal.wait_for("%") + terminal.wait_for("fill> ")
    assert "length" in shown and "end" in shown
    terminal.type(":model starter starter\n:surprisal\n")
    assert "Filling masks with starter and starter." in terminal.wait_for("how unexpected")
    terminal.type("The list is sorted.\n")
    shown = terminal.wait_for("bits/token") + terminal.wait_for("fill> ")
    assert shown.count("pseudo-perplexity") == 2
    terminal.type(":nothing\n")
    assert "There is no command :nothing. :help lists them." in terminal.wait_for("fill> ")
    assert store.fills()[0].result["count"] == 5


@pytest.mark.parametrize("share", [0.0, 1e-300, 1e-44, 3e-8, 4.9e-6, 2.4e-4, 5e-4, 0.5, 1.0])
def test_a_share_of_any_size_stands_apart_from_its_word(share: float) -> None:
    shown = render(FillResult("[MASK]", "a", (MaskFill(0, (Prediction("a", 1, share),)),)), bar="")
    line = shown.plain.splitlines()[-1]
    assert re.fullmatch(r"  a +[\d.e-]+ %", line) and len(line) == 3 + 8
