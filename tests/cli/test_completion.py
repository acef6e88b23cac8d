"""Completion as shells do it: the printed script is read by the shell itself, and Tab is pressed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.recipe import PRESETS
from workbench.store import Store
from workbench.store.names import run_names

from .conftest import Cli, environment

Press = Callable[[str, str], list[str]]

_BASH = """
eval "$(mlm-workbench completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
read -ra COMP_WORDS <<< "$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
eval "$(complete -p mlm-workbench | sed 's/.*-F \\([^ ]*\\) .*/\\1/') mlm-workbench"
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh's own widgets need a terminal: `_arguments` is asked what it was given
_ZSH = """
autoload -Uz compinit; compinit -u -D
eval "$(mlm-workbench completion zsh)"
_arguments() { print -r -- $*[-1] }
words=(${(z)1}); [[ $1 == *" " ]] && words+=("")
CURRENT=${#words}
$_comps[mlm-workbench]
"""
_FISH = """
mlm-workbench completion fish | source
complete -C $argv[1]
"""


@pytest.fixture
def press_tab(tmp_path: Path) -> Press:
    """What a shell offers at the end of a line."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "mlm-workbench"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m workbench "$@"\n')
    program.chmod(0o755)

    def press(shell: str, line: str) -> list[str]:
        if not shutil.which(shell):
            pytest.skip(f"no {shell} here")
        command = {
            "bash": ["bash", "--norc", "-c", _BASH, "bash", line],
            "zsh": ["zsh", "-f", "-c", _ZSH, "zsh", line],
            "fish": ["fish", "--no-config", "-c", _FISH, line],
        }[shell]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**environment(), "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stderr == ""
        if shell == "zsh":  # "value":"its help"
            return re.findall(r'"([^"]+)"(?::"[^"]*")?', done.stdout)
        return [one.split("\t")[0] for one in done.stdout.splitlines() if one]

    return press


SHELLS = ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_verbs_presets_and_runs(press_tab: Press, store: Store, shell: str) -> None:
    store.create_run(PRESETS["starter"], "first")
    store.create_run(PRESETS["starter"], "two words; $(touch bad) '[red]")
    assert press_tab(shell, "mlm-workbench ru") == ["runs"]
    assert set(press_tab(shell, "mlm-workbench train --preset ")) == {"starter", "xsum"}
    assert set(press_tab(shell, "mlm-workbench show ")) == {"latest", "first", "1", "2"}


def test_what_goes_wrong_at_a_tab_is_not_told(press_tab: Press, tmp_path: Path) -> None:
    assert press_tab("bash", "mlm-workbench show ") == ["latest"]
    assert not (tmp_path / "experiments.db").exists()
    (tmp_path / "experiments.db").write_bytes(b"no database" * 100)
    assert press_tab("bash", "mlm-workbench show ") == []


def test_the_database_that_the_line_names_is_asked(press_tab: Press, tmp_path: Path) -> None:
    other = Store.open(tmp_path / "other.db")
    other.create_run(PRESETS["starter"], "elsewhere")
    other.close()
    assert "elsewhere" in press_tab("bash", "mlm-workbench --db other.db resume ")
    assert "elsewhere" in press_tab("bash", "mlm-workbench resume --db other.db ")


def test_a_shell_that_is_not_known_is_bad_usage(cli: Cli) -> None:
    assert cli("completion", "tcsh").code == 2


def test_names_are_read_without_a_change(tmp_path: Path) -> None:
    assert run_names(str(tmp_path / "none.db")) == []
    store = Store.open(tmp_path / "a.db")
    run = store.create_run(PRESETS["starter"], "a")
    store.close()
    before = (tmp_path / "a.db").stat().st_mtime_ns
    assert run_names(str(tmp_path / "a.db")) == [(run.id, "a")]
    assert (tmp_path / "a.db").stat().st_mtime_ns == before
