"""The loop of a warm process and its client, with a server that needs no model."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from workbench.errors import CorpusError, ModelError
from workbench.rpc import Client

SERVER = """
import os, sys, time
from workbench.errors import CorpusError, ModelError
from workbench.rpc import serve

def answer(request, check, tell):
    match request["task"]:
        case "echo": return {"result": request["text"]}
        case "loud": print("not an answer"); os.system("echo nor this"); return {"result": 1}
        case "known": raise CorpusError("No text.", "Give some.")
        case "fault": raise KeyError("x")
        case "die": os._exit(7)
        case "work":
            for step in range(2000):
                check()
                tell(step)
                time.sleep(0.01)
            return {"result": "worked"}

serve(answer, failed=lambda error: ModelError(f"It failed: {error!r}"), threads=int(sys.argv[1]))
"""


def command(threads: int = 1) -> list[str]:
    return [sys.executable, "-c", SERVER, str(threads)]


def client(threads: int = 1) -> Client:
    return Client("", "test process", command(threads))


def talk(*lines: str) -> subprocess.CompletedProcess[str]:
    """A server's answers to lines on its standard input, which then closes."""
    return subprocess.run(command(), input="\n".join(lines), capture_output=True, text=True, timeout=60)


async def test_errors_are_of_the_servers_kind_and_prints_are_no_answers() -> None:
    async with client() as asked:
        assert await asked.ask({"task": "echo", "text": "é\n"}) == {"id": 1, "result": "é\n"}
        assert (await asked.ask({"task": "loud"}))["result"] == 1
        with pytest.raises(CorpusError, match="No text") as raised:
            await asked.ask({"task": "known"})
        assert raised.value.hint == "Give some."
        with pytest.raises(ModelError, match=r"It failed: KeyError\('x'\)"):
            await asked.ask({"task": "fault"})
        assert (await asked.ask({"task": "echo", "text": "again"}))["result"] == "again"


@pytest.mark.parametrize("threads", [1, 2])
async def test_a_cancelled_question_ends_at_work_or_in_the_queue(threads: int) -> None:
    async with client(threads) as asked:
        heard: list[int] = []
        under_way = asyncio.create_task(asked.ask({"task": "work"}, heard.append))
        while not heard:
            await asyncio.sleep(0.01)
        queued = [asyncio.create_task(asked.ask({"task": "work"})) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in (*queued, under_way):
            task.cancel()
        answer = await asyncio.wait_for(asked.ask({"task": "echo", "text": "next"}), 10)
        assert answer["result"] == "next"
        assert under_way.cancelled() and heard == sorted(heard)


async def test_a_process_that_dies_is_started_again_once() -> None:
    async with client() as asked:
        with pytest.raises(ModelError, match=r"The test process ended unexpectedly \(exit code 7\)"):
            await asked.ask({"task": "die"})
        assert (await asked.ask({"task": "echo", "text": "up"}))["result"] == "up"


def test_the_end_of_input_ends_it_in_the_midst_of_work() -> None:
    ended = talk('{"id": 1, "task": "work"}')
    assert ended.returncode == 0
    assert all("progress" in json.loads(line) for line in ended.stdout.splitlines())


@pytest.mark.parametrize("line", ["nonsense", "{}", "[]", "7", '{"id": 2', '{"cancel": []}'])
def test_a_line_that_is_no_request_ends_it_with_an_error(line: str) -> None:
    ended = talk('{"id": 1, "task": "work"}', line, '{"id": 3, "task": "echo", "text": "late"}')
    assert ended.returncode == 1
    assert "late" not in ended.stdout
    assert "Error" in ended.stderr


def test_a_cancel_of_nothing_is_no_fault() -> None:
    ended = talk('{"cancel": 9}')
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
