"""The workbench behind a port: who gets in, what they see, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from workbench.errors import UsageError
from workbench.web.guard import is_loopback
from workbench.web.server import listen

COMMAND = (sys.executable, "-P", "-m", "workbench", "web")
SECONDS = 120
EMPTY = 8_000
"""Bytes of a picture of a page on which no word is drawn."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of the real program, and the address that it printed."""
    with subprocess.Popen(
        COMMAND, cwd=tmp_path_factory.mktemp("web"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


Served = tuple[subprocess.Popen[str], str]


def origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


async def test_its_page_needs_the_token(served: Served, client: aiohttp.ClientSession) -> None:
    url = served[1]
    for wrong in (origin(url), f"{origin(url)}/{'x' * 32}/", f"{origin(url)}/%ff/", f"{url[:-2]}/"):
        async with client.get(wrong) as answer:
            assert answer.status == 403
    async with client.get(url) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert set(re.findall(r"\w+://[^/\"]+", page)) == {origin(url).replace("http", "ws")}, (
        "it loads from elsewhere"
    )
    for file in re.findall(r'(?:src|href)="([^"]+\.\w+)"', page):
        async with client.get(url + file) as answer:
            assert answer.status == 200
            text = await answer.text()
            loaded = re.findall(r"(?:url\(|@import )[\"']?(\w+)", text) if file.endswith("css") else []
            assert not [word for word in loaded if word.startswith("http")]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
async def test_a_name_from_elsewhere_is_refused(
    served: Served, client: aiohttp.ClientSession, host: str
) -> None:
    async with client.get(served[1], headers={"Host": host}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("given", ["http://evil.example", "null", "http://localhost:1", ""])
async def test_a_socket_from_another_page_is_refused(
    served: Served, client: aiohttp.ClientSession, given: str
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(served[1] + "ws", headers={"Origin": given} if given else {})
    assert refused.value.status == 403


async def test_its_socket_shows_the_first_screen_and_takes_keys(
    served: Served, client: aiohttp.ClientSession
) -> None:
    process, url = served
    async with client.ws_connect(
        f"{url}ws?width=100&height=30", headers={"Origin": origin(url)}
    ) as connection:
        shown = await until(connection, b"mlm-workbench")
        assert b"\x1b" in shown
        await connection.send_json(["resize", {"width": 80, "height": 24}])
        await connection.send_json(["stdin", "n"])
        await until(connection, b"Chunk size")
        programs = psutil.Process(process.pid).children(recursive=True)
        assert programs
    await asyncio.to_thread(psutil.wait_procs, programs, SECONDS)
    assert not [one for one in programs if one.is_running()], "closing the tab did not end its program"


async def test_what_its_page_never_sends_ends_the_connection(
    served: Served, client: aiohttp.ClientSession
) -> None:
    url = served[1]
    async with client.ws_connect(f"{url}ws?width=x&height=-1", headers={"Origin": origin(url)}) as connection:
        await connection.send_str('["resize", {"width": 10')
        async with asyncio.timeout(SECONDS):
            while (await connection.receive()).type != aiohttp.WSMsgType.CLOSE:
                pass


async def until(connection: aiohttp.ClientWebSocketResponse, word: bytes) -> bytes:
    """What came until `word` was in it."""
    came = b""
    async with asyncio.timeout(SECONDS):
        while word not in came:
            message = await connection.receive()
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), came[-500:]
            came += message.data if isinstance(message.data, bytes) else b""
    return came


async def test_ctrl_c_ends_what_it_started(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    with subprocess.Popen(COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = (await asyncio.to_thread(process.stdout.readline)).strip()
        async with client.ws_connect(f"{url}ws", headers={"Origin": origin(url)}) as connection:
            await until(connection, b"mlm-workbench")
            programs = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS):
                    while not connection.closed:
                        await connection.receive()
        assert await asyncio.to_thread(process.wait, SECONDS) == 0
    psutil.wait_procs(programs, SECONDS)
    assert programs and not [one for one in programs if one.is_running()]


def test_the_next_free_port_is_taken_unless_one_was_named() -> None:
    with listen(None) as first, listen(None) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] < second.getsockname()[1]
        with pytest.raises(UsageError, match="Cannot listen on"):
            listen(first.getsockname()[1])


def test_host_says_why_there_is_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--host", "0.0.0.0"], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 2 and "ssh -L" in done.stderr and not list(tmp_path.iterdir())


def test_loopback_names() -> None:
    assert all(map(is_loopback, ["localhost", "LOCALHOST:9000", "127.0.0.1", "127.0.0.1:8000", "[::1]:80"]))
    assert not any(map(is_loopback, ["", ":80", "localhost.example", "127.0.0.1:x", "::1", "localhost:"]))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
async def test_a_browser_shows_it(served: Served, client: aiohttp.ClientSession, tmp_path: Path) -> None:
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    arguments += [f"--user-data-dir={tmp_path}", "--window-size=1200,800", "about:blank"]
    with subprocess.Popen(["chromium", *arguments], stderr=subprocess.DEVNULL) as browser:
        try:
            async with asyncio.timeout(SECONDS):
                while not (found := tmp_path / "DevToolsActivePort").exists() or not found.read_text():
                    await asyncio.sleep(0.1)
                port = found.read_text().split()[0]
                async with client.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = await answer.json()
                page = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
                async with client.ws_connect(page, max_msg_size=1 << 26) as tab:
                    complaints, picture = await looked_at(tab, served[1])
        finally:
            browser.terminate()
    assert not complaints
    (tmp_path / "web.png").write_bytes(picture)
    assert len(picture) > EMPTY, "hardly anything is drawn"


async def looked_at(tab: aiohttp.ClientWebSocketResponse, url: str) -> tuple[list[str], bytes]:
    """What the browser refused to load, and a picture of the page once a screen was drawn on it."""
    complaints: list[str] = []

    async def ask(method: str, **parameters: object) -> dict[str, Any]:
        await tab.send_json({"id": 1, "method": method, "params": parameters})
        while True:
            message = await tab.receive_json()
            if message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                complaints.extend([entry["text"]] if entry["source"] in ("security", "network") else [])
            elif message.get("id") == 1:
                return dict(message.get("result", {}))

    await ask("Log.enable")
    await ask("Page.enable")
    await ask("Page.navigate", url=url)
    drawn = "document.body && document.body.classList.contains('-first-byte')"
    while not (await ask("Runtime.evaluate", expression=drawn))["result"].get("value"):
        await asyncio.sleep(0.1)
    picture, earlier = b"", None
    while picture != earlier or len(picture) <= EMPTY:
        await asyncio.sleep(0.5)
        earlier, picture = picture, base64.b64decode((await ask("Page.captureScreenshot"))["data"])
    return complaints, picture


def test_its_port_is_of_this_machine_alone(served: Served) -> None:
    port = int(origin(served[1]).rpartition(":")[2])
    held = [one for one in psutil.Process(served[0].pid).net_connections("inet") if one.status == "LISTEN"]
    assert [(one.laddr.ip, one.laddr.port) for one in held] == [("127.0.0.1", port)]
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=SECONDS)):
        pass
