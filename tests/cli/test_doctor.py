"""What `doctor` finds where something is wrong."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from workbench.cli import checks, terminal_checks
from workbench.cli.check import Check
from workbench.private import UMASK_VARIABLE
from workbench.recipe import PRESETS
from workbench.store import Store

from .conftest import COMMAND, Cli


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal's variables but those of a test."""
    for name in ("TMUX", "STY", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


def terminal(name: str) -> Check:
    return dict(terminal_checks.terminal_checks())[name]()


def test_every_check_has_its_name_whatever_goes_wrong_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Check:
        raise ZeroDivisionError("division by zero\nat length")

    monkeypatch.setattr(checks, "_versions", broken)
    monkeypatch.setattr(checks, "_device", lambda: Check("ok", "not looked at"))
    found = list(checks.all_checks("nosuch://nowhere/x", hub=False))
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) and not any("lambda" in name for name in names)
    by_name = dict(found)
    assert by_name["versions"].message == "cannot be checked: ZeroDivisionError: division by zero"
    assert by_name["database"].status == "failure" and "not supported" in by_name["database"].message
    assert by_name["starter model"].status == "ok"


@pytest.mark.parametrize(
    ("variables", "colours"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "16 million"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "NO_COLOR"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "vt100"}, "none with TERM=vt100"),
    ],
)
def test_colours(variables: dict[str, str], colours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert colours in terminal("colours").message


def test_what_tmux_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"escape-time": "500", "set-clipboard": "off"}
    monkeypatch.setattr(terminal_checks, "_tmux_option", lambda name: options[name])
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    monkeypatch.setenv("TERM", "tmux-256color")
    assert "500 ms" in terminal("tmux").message and "escape-time" in terminal("tmux").hint
    assert terminal("clipboard").status == "warning" and "set-clipboard on" in terminal("clipboard").hint
    options |= {"escape-time": "10", "set-clipboard": "external"}
    assert terminal("tmux").status == terminal("clipboard").status == "ok"
    monkeypatch.setenv("TERM", "xterm")
    assert "TERM=xterm within tmux" in terminal("tmux").message


def test_a_clipboard_that_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert terminal("clipboard").status == "warning" and "Shift" in terminal("clipboard").hint
    monkeypatch.setenv("TERM", "xterm-kitty")
    assert terminal("clipboard").status == "ok"


def test_runs_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "experiments.db"
    Store.open(file).close()
    assert checks._privacy(str(file)).status == "ok"
    file.chmod(0o644)
    found = checks._privacy(str(file))
    assert found.status == "warning" and f"chmod -R go= {file}" in found.hint
    monkeypatch.setenv(UMASK_VARIABLE, "apply")
    assert checks._privacy(str(file)).status == "ok"


def test_letters_that_the_locale_has_not(cli: Cli, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "experiments.db")
    store.create_run(PRESETS["starter"], "médecine 日本")
    store.close()
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (["runs"], ["show", "1"]):
        command = [*COMMAND, *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        assert "m?decine ??" in done.stdout


def test_a_locale_that_cannot_draw_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert terminal("characters").status == "warning" and "C.UTF-8" in terminal("characters").hint
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert terminal("characters").status == "ok"
