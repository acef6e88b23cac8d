"""The preview process: answers, errors, and previews that nobody waits for any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from workbench.errors import CorpusError
from workbench.preview.client import PreviewClient
from workbench.recipe import PRESETS

STARTER = PRESETS["starter"]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[PreviewClient]:
    opened = PreviewClient()
    yield opened
    await opened.close()


async def test_a_preview_an_error_and_one_that_was_given_up(client: PreviewClient) -> None:
    shown = await client.preview(STARTER, "starter", chunks=2)
    assert [len(chunk.pieces) for chunk in shown.chunks] == [128, 128]
    assert shown.counts and shown.counts["train_tokens"] > 100_000
    with pytest.raises(CorpusError, match="no file or folder"):
        await client.preview(STARTER.with_changes(dataset="./nowhere.txt"), "starter")
    # a text that has to be split anew is given up in the midst of it; what is asked next is answered
    given_up = asyncio.create_task(client.preview(STARTER.with_changes(seed=12345), "starter"))
    await asyncio.sleep(0.02)
    given_up.cancel()
    again = await client.preview(STARTER.with_changes(mask_prob=0.5), "starter", chunks=2)
    assert given_up.cancelled()
    assert [chunk.row for chunk in again.chunks] == [chunk.row for chunk in shown.chunks]
    assert again.chunks[0].masked > shown.chunks[0].masked
