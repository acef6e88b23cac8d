"""The form's further keys: presets that are saved, the preview, the command to copy."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, Static

from workbench import presets
from workbench.preview.results import Piece, Preview, PreviewedChunk
from workbench.recipe import PRESETS
from workbench.tui.app import WorkbenchApp
from workbench.tui.new_run.preview_pane import PreviewPane, chunks_text
from workbench.tui.new_run.save_preset import SavePreset
from workbench.tui.new_run.screen import NewRunScreen
from workbench.tui.widgets.confirm import Confirm

from .support import screen_text, settle, toasts, type_text, until


async def open_form(app: WorkbenchApp) -> NewRunScreen:
    form = NewRunScreen()
    app.push_screen(form)
    return form


async def test_saving_using_and_deleting_a_preset(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        form = await open_form(app)
        await settle(pilot)
        await pilot.press("end", "0", "f3")  # 1280
        await settle(pilot)
        assert isinstance(app.screen, SavePreset)
        await type_text(pilot, "xsum")
        await pilot.press("enter")
        await settle(pilot)
        assert "is a built-in preset" in " ".join(screen_text(pilot).split())
        await pilot.press(*["backspace"] * 4)
        await type_text(pilot, "long chunks")
        await pilot.press("enter")
        await settle(pilot)
        assert app.screen is form and "● long chunks" in screen_text(pilot)
        assert presets.load("long chunks") == PRESETS["starter"].with_changes(chunk_size=1280)
        await pilot.press("ctrl+t", "ctrl+t", "ctrl+t")
        await settle(pilot)
        assert form.query_one("#field-chunk_size Input", Input).value == "1280"
        await pilot.press("f8")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        await pilot.press("y")
        await settle(pilot)
        assert presets.saved() == [] and "long chunks" not in screen_text(pilot).splitlines()[2]
        await pilot.press("f8")
        await settle(pilot)
        assert "starter is built in and cannot be deleted." in toasts(app)


async def test_a_preset_file_that_is_broken_is_said_to_be(app: WorkbenchApp) -> None:
    presets.save("mine", PRESETS["starter"])
    (presets.presets_folder() / "mine.toml").write_text("epochs = 0\n", encoding="utf-8")
    async with app.run_test(size=(80, 24)) as pilot:
        form = await open_form(app)
        await settle(pilot)
        await pilot.press("ctrl+t", "ctrl+t")
        await settle(pilot)
        assert form._preset == "xsum"
        assert any("epochs" in f"{one.title} {one.message}" for one in app._notifications)


async def test_the_command_is_copied(app: WorkbenchApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_form(app)
        await settle(pilot)
        await pilot.press("end", "backspace", "ctrl+y")  # 12
        await settle(pilot)
        assert app.clipboard == "mlm-workbench train --preset starter --chunk-size 12"
        await pilot.press("backspace", "ctrl+y")
        await settle(pilot)
        assert "Fix “Chunk size” first: must be at least 8; got 1" in toasts(app)


async def test_the_preview_follows_what_is_typed(app: WorkbenchApp, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("".join(f"The harbour was sold in spring, number {i}.\n" for i in range(300)))
    async with app.run_test(size=(120, 40)) as pilot:
        form = NewRunScreen(PRESETS["starter"].with_changes(dataset=str(text), chunk_size=16))
        app.push_screen(form)
        await settle(pilot)
        assert not form.query_one(PreviewPane).display
        await pilot.press("f2")
        await until(pilot, lambda: "tokens masked" in screen_text(pilot))
        shown = screen_text(pilot)
        assert "[" in shown and "harbour" in shown and "of 48 tokens" in shown
        assert "steps (" in str(form.query_one("#cost", Static).content), "the text was counted"
        await pilot.press("end", "backspace", "backspace", *"32")
        await until(pilot, lambda: "of 96 tokens" in screen_text(pilot))
        await pilot.press("pagedown", "pageup")
        form._set_value("dataset", "./nowhere.txt")
        await until(pilot, lambda: "There is no file or folder ./nowhere.txt" in screen_text(pilot))
        await pilot.press("f2")
        await settle(pilot)
        assert not form.query_one(PreviewPane).display


def test_fates_are_told_apart_without_colour_and_text_is_harmless() -> None:
    pieces = (
        Piece(" [red]plain"),
        Piece(" masked", "mask"),
        Piece(" own", "random", " other\x1b[2J"),
        Piece(" kept", "kept"),
        Piece("語", "mask"),
    )
    text = chunks_text(Preview((PreviewedChunk(7, pieces, 9, 4),), None))
    assert text.plain == "7  [red]plain [masked] own→other�[2J =kept=[語] … and 4 more tokens"
