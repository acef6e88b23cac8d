"""The workbench process behind one browser tab."""

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

QUIT_SECONDS = 5.0
"""How long a workbench may take to quit before it is killed."""
_SMALLEST, _LARGEST = 1, 1_000  # cells


class BrowserSession(AppService):
    """textual-serve's process behind a websocket, but started without a shell and always ended."""

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
        # in a session of its own, so that Ctrl-C in the server's terminal reaches only the server
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
        """Forward keys and sizes until the browser disconnects or sends an invalid message."""
        async for message in self._socket:
            if message.type != WSMsgType.TEXT:
                continue
            try:
                kind, data = (*json.loads(message.data), None)[:2]
                await self._handle(kind, data)
            except (ValueError, TypeError, KeyError, AttributeError):
                break

    async def _handle(self, kind: Any, data: Any) -> None:
        match kind:
            case "stdin":
                await self.send_bytes(data.encode("utf-8"))
            case "resize":
                await self.set_terminal_size(cells(data["width"]), cells(data["height"]))
            case "ping":
                await self._socket.send_json(["pong", data])
            case "blur":
                await self.blur()
            case "focus":
                await self.focus()

    async def stop(self) -> None:
        """Ask the workbench to quit, and kill it if it does not. Runs are separate processes and continue."""
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(super().stop(), QUIT_SECONDS)
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), QUIT_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def cells(value: Any, fallback: int = 80) -> int:
    """A width or height limited to what a terminal can have; `fallback` if it is not a number."""
    try:
        return min(max(int(value), _SMALLEST), _LARGEST)
    except (TypeError, ValueError):
        return fallback
