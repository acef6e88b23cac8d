"""What the README shows is what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from docs import formats_table
from docs.recipe_table import README, with_table
from docs.reference import FILE, reference
from workbench.cli.app import app
from workbench.corpus.tables import Table, reader_of
from workbench.file_kinds import KINDS
from workbench.recipe import Recipe, preset

TEXT = README.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^mlm-workbench .*$", TEXT, re.MULTILINE)


def test_the_table_of_fields_is_the_recipe() -> None:
    assert with_table(TEXT) == TEXT, "run `make docs`"


def test_the_table_of_files_is_of_this_program() -> None:
    page = formats_table.FILE.read_text(encoding="utf-8")
    assert page == formats_table.with_table(page), "run `make docs`"


def test_every_kind_of_file_has_its_reader() -> None:
    assert all(callable(reader_of(kind)) or isinstance(reader_of(kind), Table) for kind in KINDS)
    suffixes = [suffix for kind in KINDS for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_the_reference_is_of_this_program() -> None:
    assert FILE.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_the_example_of_a_recipe_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert Recipe.from_toml(example, preset("starter")).model == "answerdotai/ModernBERT-base"


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_understood(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: words.index("<")] if "<" in words else words
    group = typer.main.get_command(app)
    if words:
        verb, *rest = words
        group.commands[verb].make_context(verb, rest)  # fails on an option or argument that there is not


def test_every_verb_is_shown() -> None:
    shown = {
        shlex.split(line, comments=True)[1] for line in COMMANDS if len(shlex.split(line, comments=True)) > 1
    }
    group = typer.main.get_command(app)
    assert set(group.commands) <= shown


def test_what_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (Path(README).parent / target).exists(), target
