"""The screens never load what is slow: the first one is up before torch is anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("torch", "transformers", "datasets", "accelerate", "numpy", "pyarrow")

SCRIPT = f"""
import asyncio, sys
from workbench.store import Store
from workbench.tui.app import WorkbenchApp

async def main():
    app = WorkbenchApp(Store.open("experiments.db"))
    async with app.run_test() as pilot:
        await pilot.pause(0.3)
        await pilot.press("n")
        await pilot.pause(0.3)
        await pilot.press("escape")
        await pilot.pause(0.3)
        assert app.screen.TITLE == "Runs", app.screen

asyncio.run(main())
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_no_screen_loads_anything_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
