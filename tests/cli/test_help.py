"""`--help` of every verb: examples that are understood, on 80 columns."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from workbench.cli.app import app
from workbench.cli.examples import epilog
from workbench.recipe_fields import FIELDS

GROUP = typer.main.get_command(app)
VERBS = sorted(GROUP.commands)  # type: ignore[attr-defined]


def help_of(verb: str) -> str:
    done = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "80"}, prog_name="mlm-workbench")
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_what_it_does_with_examples_on_80_columns(verb: str) -> None:
    shown = help_of(verb)
    assert max(map(len, shown.splitlines())) <= 80
    assert "Examples:" in shown and f"    mlm-workbench {verb}" in shown
    options, _, _ = shown.partition("Examples:")
    assert re.search(r"^  [A-Z].*", options, re.MULTILINE), "it does not say what it does"


@pytest.mark.parametrize("verb", VERBS)
def test_its_examples_are_understood(verb: str) -> None:
    text = (epilog(verb) or "").partition("Exit codes:")[0].replace("\\\n", " ")
    commands = re.findall(r"mlm-workbench (?!--)[^)|>\n]*", text)
    assert commands
    for command in commands:
        words = shlex.split(command.removesuffix('"') if command.count('"') % 2 else command, comments=True)[
            1:
        ]
        words = words[: words.index("<")] if "<" in words else words
        name, *rest = words
        GROUP.commands[name].make_context(name, rest)  # type: ignore[attr-defined]


def test_the_help_of_all_fits_too() -> None:
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}, prog_name="mlm-workbench")
    assert max(map(len, done.output.splitlines())) <= 80
    assert all(f"  {verb} " in done.output for verb in VERBS)


def test_flags_and_their_help_are_those_of_the_fields() -> None:
    shown = " ".join(help_of("train").split())
    for field in (one for one in FIELDS.values() if one.flag):
        assert field.flag in shown and " ".join(field.help.split()[:3]) in shown
    assert "--lr, --learning-rate X" in shown and "auto|fp32|bf16|fp16" in shown


def test_the_help_of_all_waits_for_no_recipe() -> None:
    script = (
        "import sys; from workbench.cli import main; main(['--help']); assert 'pydantic' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "train" in done.stdout, done.stderr
