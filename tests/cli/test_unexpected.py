"""What nobody expected ends in a few lines, never in a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli import app as command
from workbench.paths import CACHE_VARIABLE
from workbench.recipe import PRESETS
from workbench.store import Store


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "workbench", *arguments], text=True, stderr=subprocess.PIPE, **options
    )


def test_without_a_terminal_the_terminal_ui_says_what_to_do(tmp_path: Path) -> None:
    ended = run("--db", str(tmp_path / "a.db"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.startswith("Error: The terminal UI needs a terminal.") and "ssh -t" in ended.stderr
    assert "\x1b" not in ended.stderr


@pytest.mark.parametrize("verb", [("runs", "--json"), ("--help",), ("doctor", "--json"), ("show", "1")])
def test_a_full_disk_behind_standard_output_is_an_error(tmp_path: Path, verb: tuple[str, ...]) -> None:
    store = Store.open(tmp_path / "a.db")
    store.create_run(PRESETS["starter"])
    store.close()
    with Path("/dev/full").open("w") as full:
        ended = run("--db", str(tmp_path / "a.db"), *verb, stdout=full)
    assert ended.returncode == 1
    assert "could not be written: No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr


def test_a_fault_of_the_program_keeps_its_traceback_in_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a sentence of the user's, \udcff")

    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(command, "app", broken)
    for _ in range(2):
        assert command.main([]) == 1
    said = capsys.readouterr().err
    (file,) = (tmp_path / "cache" / "faults").glob("*.txt")
    assert "fault of mlm-workbench" in said and str(file) in said and "ValueError" in said
    assert "Traceback" not in said and "sentence of the user" not in said
    assert "a sentence of the user's" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_fault_of_which_no_traceback_can_be_kept_is_said_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(command, "app", lambda **_: 1 / 0)
    assert command.main([]) == 1
    assert "could not be written" in capsys.readouterr().err
