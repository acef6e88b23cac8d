"""One workbench behind one browser tab."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

LAST_WORDS_SECONDS = 5.0
"""How long a workbench that was asked to quit may take."""
_SMALLEST, _LARGEST = 1, 1_000  # cells


class BrowserSession(AppService):
    """textual-serve's program behind a socket, started without a shell and ended in any case."""

    def __init__(self, command: Sequence[str], socket: web.WebSocketResponse) -> None:
        async def close() -> None:
            await socket.close()

        super().__init__(
            command[0],
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        self._arguments, self._socket = list(command), socket

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # a session of its own: Ctrl-C in the server's terminal is for the server, which asks it to quit
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._stdin = self._process.stdin
        return self._process

    async def converse(self) -> None:
        """Hand on keys and sizes until the browser leaves or sends what its page would not."""
        async for message in self._socket:
            if message.type != WSMsgType.TEXT:
                continue
            try:
                kind, given = (*json.loads(message.data), None)[:2]
                await self._take(kind, given)
            except (ValueError, TypeError, KeyError, AttributeError):
                break

    async def _take(self, kind: Any, given: Any) -> None:
        match kind:
            case "stdin":
                await self.send_bytes(given.encode("utf-8"))
            case "resize":
                await self.set_terminal_size(cells(given["width"]), cells(given["height"]))
            case "ping":
                await self._socket.send_json(["pong", given])
            case "blur":
                await self.blur()
            case "focus":
                await self.focus()

    async def stop(self) -> None:
        """Ask it to quit, and end it when it does not. Runs have sessions of their own, and go on."""
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(super().stop(), LAST_WORDS_SECONDS)
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), LAST_WORDS_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def cells(given: Any, fallback: int = 80) -> int:
    """A width or height that a terminal can have."""
    try:
        return min(max(int(given), _SMALLEST), _LARGEST)
    except (TypeError, ValueError):
        return fallback
