"""Draws the pictures in docs/img from the real program, with a real run of the starter.

python docs/screenshots.py          about two minutes on two cores; run by `make screenshots`
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from workbench.store import Store
from workbench.tui.app import WorkbenchApp

IMAGES = Path(__file__).absolute().parent / "img"
SIZE = (100, 30)
SENTENCE = "Return the [MASK] of the list as an [MASK]."
FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'


def save(app: WorkbenchApp, name: str) -> None:
    """Write the screen as it is now. The fonts are the reader's own: nothing is fetched from elsewhere."""
    svg = app.export_screenshot(title="mlm-workbench")
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    svg = re.sub(r"font-family: Fira Code[^;]*;", f"font-family: {FONTS};", svg)
    (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(f"docs/img/{name}.svg")


async def wait_for(
    pilot: Pilot[None], store: Store, run_id: int, *, step: int = 0, seconds: float = 1800
) -> None:
    """Wait until the run has ended, or is past `step` when one is given. Raises when it went wrong."""
    for _ in range(int(seconds * 2)):
        await pilot.pause(0.5)
        run = store.run(run_id)
        if run.status in ("failed", "crashed"):
            raise RuntimeError(f"The run {run.status}: {run.error}")
        if run.status == "finished" or (step and (run.step or 0) >= step):
            await pilot.pause(1.5)  # one more look of the screen at the store
            return
    raise TimeoutError(f"Run {run_id} did not get there in {seconds:.0f} s.")


async def fill_form(pilot: Pilot[None], epochs: str, name: str) -> None:
    """Set epochs and name in the form, as a person would."""
    await pilot.press("tab", "tab", "end", "backspace", *epochs, "tab", *name, "shift+tab")


async def draw() -> None:
    store = Store.open("experiments.db")
    app = WorkbenchApp(store)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("n")
        await pilot.pause(0.5)
        await fill_form(pilot, "1", "one-epoch")
        await pilot.press("ctrl+s")
        await pilot.pause(2)
        await wait_for(pilot, store, 1)
        await pilot.press("escape", "n")
        await pilot.pause(1)
        await fill_form(pilot, "2", "python-docs")
        await pilot.press("f2")
        await wait_for_preview(pilot)
        save(app, "new-run")
        await pilot.press("ctrl+s")
        await pilot.pause(2)
        total = 0
        while not total:
            await pilot.pause(0.5)
            total = store.run(2).total_steps or 0
        await wait_for(pilot, store, 2, step=total * 2 // 3)
        app.clear_notifications()
        await pilot.pause(0.5)
        save(app, "live")
        await wait_for(pilot, store, 2)
        app.clear_notifications()
        await pilot.press("escape")
        await pilot.pause(1)
        save(app, "runs")
        await pilot.press("space", "down", "space", "equals_sign")
        await pilot.pause(3)
        save(app, "compare")
        await pilot.press("escape", "home")
        await pilot.pause(0.5)
        await pilot.press("c")
        await pilot.pause(0.5)
        await pilot.press(*(key_of(letter) for letter in SENTENCE), "enter")
        await wait_for_answers(pilot)
        save(app, "console")
    store.close()


async def wait_for_preview(pilot: Pilot[None]) -> None:
    """Until the form shows chunks with their masks; their process starts first."""
    from workbench.tui.new_run.preview_pane import PreviewPane

    for _ in range(120):
        await pilot.pause(0.5)
        chunks = pilot.app.screen.query_one(PreviewPane).query_one(".chunks", Static)
        if str(chunks.content).strip():
            return
    raise TimeoutError("No preview within a minute.")


async def wait_for_answers(pilot: Pilot[None]) -> None:
    """Until both models have answered; the first answer has to load them."""
    from workbench.tui.console.fill_pane import FillPane

    for _ in range(240):
        await pilot.pause(0.5)
        if all(pane.has_result for pane in pilot.app.screen.query(FillPane)):
            await pilot.pause(0.5)
            return
    raise TimeoutError("No answer from the inference process in two minutes.")


def key_of(letter: str) -> str:
    """The name of the key that types `letter`."""
    return {
        " ": "space",
        "[": "left_square_bracket",
        "]": "right_square_bracket",
        ".": "full_stop",
    }.get(letter, letter)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    # From inside the folder, so that the pictures name the database as a user sees it.
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        asyncio.run(draw())
