"""What there is to choose from on this machine, and the dialog that offers it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from workbench.file_kinds import KINDS, PACKED
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.pick_source import PickSource
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.widgets.sources import inside, known

from .support import screen_text, settle, type_text


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with texts and other things, in an empty Hugging Face home; it is the current one."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    folder = tmp_path / "texts"
    (folder / "more").mkdir(parents=True)
    (folder / "more" / "deep.jsonl").write_text("{}\n")
    for name in ("notes.txt", "日本語 文書.txt", "table.csv", "picture.png", ".hidden.txt"):
        (folder / name).write_text("text\n")
    return folder


def test_every_kind_that_is_read_can_be_picked(texts: Path) -> None:
    names = {f"a{end}{packing}" for kind in KINDS for end in kind.suffixes for packing in ("", *PACKED)}
    for name in names:
        (texts / name).touch()
    assert names <= {Path(one.value).name for one in inside("dataset", f"{texts}/a")}


def test_a_path_leads_to_what_can_be_read(texts: Path) -> None:
    found = inside("dataset", f"{texts}/")
    assert [(one.value.removeprefix(f"{texts}"), one.opens) for one in found] == [
        ("", False),
        ("/more", True),
        ("/notes.txt", False),
        ("/table.csv", False),
        ("/日本語 文書.txt", False),
    ]
    assert found[0].note == "all 3 files in it"
    assert [one.value for one in inside("dataset", f"{texts}/No")] == [f"{texts}/notes.txt"]
    assert inside("dataset", f"{texts}/nowhere/x") == []


def test_a_folder_with_weights_is_a_model(texts: Path) -> None:
    model = texts / "more" / "model"
    model.mkdir()
    assert [(one.value, one.opens) for one in inside("model", f"{texts}/more/")] == [(str(model), True)]
    (model / "config.json").touch()
    (model / "model.safetensors").touch()
    found = inside("model", f"{texts}/more/")
    assert [(one.value, one.opens, one.note) for one in found] == [(str(model), False, "a model")]


def test_runs_are_models(history: Store, texts: Path) -> None:
    assert [one.value for one in known("model", history)] == ["starter", "run:6", "run:1"]
    assert [one.value for one in known("dataset", history)] == ["python-docs"]


async def test_picking_a_file_by_typing_and_tab(app: WorkbenchApp, texts: Path) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(NewRunScreen())
        await settle(pilot)
        form = app.screen
        assert isinstance(form, NewRunScreen)
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert isinstance(app.screen, PickSource) and "python-docs" in screen_text(pilot)
        field = app.screen.query_one(Input)
        field.value = f"{texts}/mo"
        await pilot.pause()
        await pilot.press("tab")
        assert field.value == f"{texts}/more/"
        await pilot.press("down", "down", "up", "down", "enter")
        await settle(pilot)
        assert app.screen is form and form._values["dataset"] == f"{texts}/more/deep.jsonl"


async def test_filtering_leaving_and_a_name_that_is_not_here(
    app: WorkbenchApp, history: Store, texts: Path
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        form = NewRunScreen()
        app.push_screen(form)
        await settle(pilot)
        await pilot.press("ctrl+o")
        await settle(pilot)
        form.query_one("#field-model Input").focus()
        await pilot.press("ctrl+l")
        await settle(pilot)
        await type_text(pilot, "first")
        await pilot.pause()
        text = screen_text(pilot)
        assert "run:1" in text and "starter-now" not in text
        await pilot.press("enter")
        await settle(pilot)
        assert form._values["model"] == "run:1"
        assert form.query_one("#field-model Input", Input).value == "run:1"
        await pilot.press("ctrl+l")
        await settle(pilot)
        await type_text(pilot, "someone")
        await pilot.pause()
        assert "Enter takes it as typed" in screen_text(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert form._values["model"] == "someone"
        await pilot.press("ctrl+l", "escape")
        await settle(pilot)
        assert app.screen is form and form._values["model"] == "someone"
