"""A real terminal for the tests: a tmux server of its own, its keys and its screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

TMUX = shutil.which("tmux")


class Terminal:
    """One tmux window. Leave it with `close`, which ends only what it started."""

    def __init__(self, folder: Path, command: str, *, width: int = 80, height: int = 24) -> None:
        self._socket = str(folder / "tmux.socket")
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        size = ("-x", str(width), "-y", str(height))
        # the window stays when the program ends, so that its last words can be read
        shell = f"{command}; echo ended with $?; exec sleep 600"
        start = [TMUX or "tmux", "-S", self._socket, "-f", "/dev/null"]
        start += ["new-session", "-d", *size, "-c", str(folder), shell]
        subprocess.run(start, check=True, env=environment)

    def _tmux(self, *words: str) -> str:
        command = [TMUX or "tmux", "-S", self._socket, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def screen(self) -> str:
        """What is to be seen now, a line for each row."""
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: Enter, Escape, C-s, Down, n."""
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.05)

    def press_until(self, wanted: str, *keys: str, seconds: float = 60.0) -> str:
        """Press keys that may be pressed again without harm, until the screen shows `wanted`."""
        deadline = time.monotonic() + seconds
        while True:
            self.press(*keys)
            with suppress(AssertionError):
                return self.wait_for(wanted, seconds=5.0)
            if time.monotonic() > deadline:
                raise AssertionError(f"{wanted!r} did not come after {keys}:\n{self.screen()}")

    def type(self, text: str) -> None:
        """Letters as they are."""
        self._tmux("send-keys", "-l", text)

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = 60.0) -> str:
        """The screen, once it shows `wanted`. Fails with the screen as it was last."""
        shows = wanted if callable(wanted) else lambda screen: wanted in screen
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if shows(screen):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"{wanted!r} did not come within {seconds:.0f} s:\n{screen}")
            time.sleep(0.1)

    def close(self) -> None:
        """End the window and what runs in it."""
        subprocess.run([TMUX or "tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)
