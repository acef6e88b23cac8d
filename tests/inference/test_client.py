"""The warm process and its client, for real: started, shared, taken back, killed, orphaned."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from workbench.errors import ModelError, UsageError
from workbench.inference.client import InferenceClient
from workbench.inference.filler import Filler
from workbench.pretrained.starter import starter_folder

TEXT = "The [MASK] of the list."


# One event loop and one client for the tests that leave it working, which a killed process does.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[InferenceClient]:
    async with InferenceClient() as client:
        yield client


async def gone(process_id: int, seconds: float = 10) -> bool:
    for _ in range(int(seconds * 20)):
        if not psutil.pid_exists(process_id) or psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_answers_are_the_fillers_own(client: InferenceClient, starter: Filler) -> None:
    assert await client.fill("starter", TEXT, 3) == starter.fill(TEXT, 3)


async def test_nothing_is_started_before_it_is_needed() -> None:
    async with InferenceClient() as client:
        assert client.process_id is None
    assert client.process_id is None


async def test_errors_come_back_as_what_they_were(client: InferenceClient) -> None:
    with pytest.raises(UsageError) as raised:
        await client.fill("starter", "no mask", 3)
    assert "Write [MASK]" in raised.value.hint
    with pytest.raises(ModelError, match="There is no model folder /no/such"):
        await client.fill("/no/such", TEXT, 3)
    assert (await client.fill("starter", TEXT, 1)).masks


async def test_many_questions_at_once_get_their_own_answers(
    client: InferenceClient, byte_level_folder: Path, starter: Filler, byte_level: Filler
) -> None:
    texts = [f"{word} is [MASK]." for word in ("one", "two", "three", "four", "five", "six")]
    asked = [client.fill(model, text, 2) for text in texts for model in ("starter", str(byte_level_folder))]
    answers = await asyncio.gather(*asked)
    expected = [filler.fill(text, 2) for text in texts for filler in (starter, byte_level)]
    assert [answer.to_json() for answer in answers] == [answer.to_json() for answer in expected]


async def test_a_killed_process_is_replaced(client: InferenceClient) -> None:
    before = await client.fill("starter", TEXT, 2)
    first = client.process_id
    assert first
    os.kill(first, signal.SIGKILL)
    assert await client.fill("starter", TEXT, 2) == before
    assert client.process_id not in (None, first)


async def test_a_process_killed_while_it_answers_is_asked_again() -> None:
    async with InferenceClient() as client:
        asked = asyncio.create_task(client.fill("starter", TEXT, 2))
        while client.process_id is None:
            await asyncio.sleep(0.01)
        os.kill(client.process_id, signal.SIGKILL)
        assert (await asked).masks


async def test_a_process_that_always_dies_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; input(); sys.exit('out of coffee')"]
    async with InferenceClient(command) as client:
        with pytest.raises(ModelError, match=r"ended unexpectedly \(exit code 1\). out of coffee"):
            await client.fill("starter", TEXT)
    async with InferenceClient([str(tmp_path / "absent")]) as client:
        with pytest.raises(ModelError, match="Cannot start the inference process: No such file"):
            await client.fill("starter", TEXT)


async def test_a_process_that_answers_nonsense_is_ended() -> None:
    command = [sys.executable, "-c", "print('nonsense', flush=True); input(); input()"]
    async with InferenceClient(command) as client:
        with pytest.raises(ModelError, match="ended unexpectedly"):
            await client.fill("starter", TEXT)


async def test_a_question_taken_back_harms_no_other() -> None:
    async with InferenceClient() as client:
        await take_back(client)


async def take_back(client: InferenceClient) -> None:
    first = asyncio.create_task(client.fill("starter", TEXT, 2))
    await asyncio.sleep(0)
    first.cancel()  # while the process is being started
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(client.fill("starter", TEXT, 2))
    third = asyncio.create_task(client.fill("starter", TEXT, 3))
    await asyncio.sleep(0.2)
    second.cancel()  # while the model is being loaded
    assert len((await third).masks[0].predictions) == 3
    assert second.cancelled()
    process_id = client.process_id
    assert (await client.fill("starter", TEXT, 4)).masks
    assert client.process_id == process_id


async def test_closing_ends_the_process_and_what_is_asked() -> None:
    client = InferenceClient()
    asked = asyncio.create_task(client.fill("starter", TEXT))
    while client.process_id is None:
        await asyncio.sleep(0.01)
    process_id = client.process_id
    await client.close()
    with pytest.raises(ModelError):
        await asked
    assert await gone(process_id)
    with pytest.raises(ModelError, match="closed"):
        await client.fill("starter", TEXT)
    await client.close()


async def test_a_folder_written_anew_is_loaded_anew(client: InferenceClient, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(starter_folder(), tmp_path / "model"))
    before = await client.fill(str(folder), TEXT, 3)
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-4096] + bytes(4096))
    assert await client.fill(str(folder), TEXT, 3) != before


PARENT = """
    import asyncio, sys
    from workbench.inference.client import InferenceClient

    async def main():
        client = InferenceClient()
        {ask}
        print(client.process_id, flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
"""
IDLE = "await client.fill('starter', '[MASK]')"
BUSY = """asyncio.create_task(client.fill('starter', '[MASK]'))
        while client.process_id is None: await asyncio.sleep(0.01)"""


@pytest.mark.parametrize("ask", [IDLE, BUSY], ids=["idle", "loading"])
async def test_a_parent_that_is_killed_leaves_no_process(ask: str) -> None:
    script = textwrap.dedent(PARENT.format(ask=ask))
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    process_id = int(await asyncio.to_thread(parent.stdout.readline))
    assert psutil.pid_exists(process_id)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert await gone(process_id)


async def test_libraries_that_print_do_not_come_between() -> None:
    script = (
        "import os, sys, workbench.inference.filler as f; load = f.Filler.load.__func__\n"
        "def loud(cls, model):\n"
        "    print('loading'); os.system('echo from a child'); return load(cls, model)\n"
        "f.Filler.load = classmethod(loud)\n"
        "from workbench.inference.server import main; main()"
    )
    async with InferenceClient([sys.executable, "-c", script]) as client:
        assert (await client.fill("starter", TEXT, 2)).masks
