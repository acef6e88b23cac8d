"""The help page is made from the bindings, so it has every key of the footer."""

from __future__ import annotations

import pytest
from textual.widgets._footer import FooterKey

from workbench.store import Store
from workbench.tui.actions import keys_of
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.help import Help, unwrapped
from workbench.tui.widgets.key_footer import KeyFooter

from .support import screen_text, settle


@pytest.mark.parametrize("way", [(), ("enter",), ("n",), ("c",)], ids=["runs", "live", "form", "console"])
async def test_every_key_in_the_footer_is_explained(
    app: WorkbenchApp, history: Store, way: tuple[str, ...]
) -> None:
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(pilot)
        await pilot.press(*way)
        await settle(pilot, besides=("warm",))
        screen = app.screen
        explained = {key.action for key in keys_of(screen)}
        footer = screen.query_one(KeyFooter).query(FooterKey)
        assert len(footer) >= 6
        assert {key.action for key in footer} - {"app.command_palette"} <= explained
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        text = " ".join(screen_text(pilot).split())
        for key in keys_of(screen):
            assert " ".join(key.what.split())[:40] in text
        await pilot.press("j", "k", "question_mark")
        await pilot.pause()
        assert app.screen is screen


async def test_a_window_without_the_focus_shows_its_keys_too(app: WorkbenchApp) -> None:
    app.set_reactive(WorkbenchApp.app_focus, False)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert not app.app_focus
        assert "n New" in screen_text(pilot).splitlines()[-1]


def test_paragraphs_are_wrapped_by_the_screen_not_by_the_source() -> None:
    assert unwrapped("\none\ntwo\n\nthree\n") == "one two\n\nthree"
