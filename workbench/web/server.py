"""Serves the page, its static files, and a websocket for each tab. Nothing is loaded from elsewhere."""

from __future__ import annotations

import asyncio
import html
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import textual_serve
from aiohttp import WSCloseCode, web

from workbench.errors import UsageError, WorkbenchError
from workbench.web.guard import guard, new_token
from workbench.web.session import BrowserSession, cells

ADDRESS = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 8000, 20
_HERE = Path(__file__).parent
_STATIC = Path(str(textual_serve.__file__)).parent / "static"
_PAGE = (_HERE / "page.html").read_text(encoding="utf-8")


def listen(port: int | None) -> socket.socket:
    """A socket on 127.0.0.1: at `port`, or for None at the first free port from FIRST_PORT on.

    Raises UsageError if `port` cannot be used, WorkbenchError if no port is free.
    """
    ports = range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if port is None else [port]
    for number in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, number))
            listener.listen()
        except OSError as error:
            listener.close()
            if port is not None:
                raise UsageError(
                    f"Cannot listen on port {port}: {error.strerror}.",
                    f"Choose another, or leave --port out to use the first free one from {FIRST_PORT} on.",
                ) from error
        else:
            return listener
    raise WorkbenchError(f"No port from {FIRST_PORT} to {ports[-1]} is free.", "Choose one with --port.")


class Server:
    """Serves `command`, a Textual program, to clients that know the token."""

    def __init__(self, command: Sequence[str], listener: socket.socket) -> None:
        self._command, self._listener = list(command), listener
        self._token = new_token()
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The URL to open, with the token, which gives full access to the workbench."""
        return f"http://{ADDRESS}:{self.port}/{self._token}/"

    def serve(self, ready: Callable[[], None]) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP, and then end all workbenches that were started."""
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: Callable[[], None]) -> None:
        application = web.Application(middlewares=[guard(self._token)])
        application.add_routes(
            [
                web.get(f"/{self._token}/", self._page),
                web.get(f"/{self._token}/ws", self._workbench),
                web.get(f"/{self._token}/page.css", self._style),
                web.static(f"/{self._token}/static", _STATIC),
            ]
        )
        application.on_shutdown.append(self._close_sockets)
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=15)
        await runner.setup()
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        try:
            await web.SockSite(runner, self._listener).start()
            ready()
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        size = cells(request.query.get("fontsize"), 16)
        page = _PAGE.replace("SOCKET", html.escape(f"ws://{request.host}/{self._token}/ws"))
        return web.Response(text=page.replace("FONT_SIZE", str(size)), content_type="text/html")

    async def _style(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(_HERE / "page.css")

    async def _workbench(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=1 << 20)
        await socket.prepare(request)
        self._sockets.add(socket)
        session = BrowserSession(self._command, socket)
        try:
            await session.start(cells(request.query.get("width"), 80), cells(request.query.get("height"), 24))
            await session.converse()
        finally:
            self._sockets.discard(socket)
            await asyncio.shield(session.stop())
            await socket.close()
        return socket

    async def _close_sockets(self, application: web.Application) -> None:
        for websocket in list(self._sockets):
            await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"the server ended")
