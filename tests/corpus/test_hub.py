"""Data sets of a hub on localhost: found, gated, missing, a script; and again once the hub is gone.

The libraries read the hub's address when they are imported, so each sitting is a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.conftest import recipe_for
from tests.pretrained.local_hub import CONVERTED, LocalHub, Repository

ROWS = 50
SITTING = """
import json, sys
from pathlib import Path
from workbench.corpus import prepare_corpus
from workbench.errors import WorkbenchError
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.events import Message
tokenizer = load_tokenizer("starter")
for line in sys.stdin:
    heard, answer = [], {}
    try:
        recipe = Recipe.from_toml(json.loads(line))
        cache = Path(sys.argv[1])
        ready = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=heard.append).ready()
        kept = ("revision", "from_cache", "text_column", "fingerprint")
        answer = {name: getattr(ready, name) for name in kept}
        answer["documents"] = ready.train_documents + ready.test_documents
    except WorkbenchError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    answer["notes"] = [event.text for event in heard if isinstance(event, Message)]
    print(json.dumps(answer), flush=True)
"""


def table(rows: int) -> bytes:
    file = io.BytesIO()
    texts = [f"Article {n} says what article {n} has to say, in some words." for n in range(rows)]
    pq.write_table(pa.table({"id": range(rows), "document": texts, "summary": ["short"] * rows}), file)
    return file.getvalue()


class Sitting:
    """A process that prepares recipes, one after the other."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        drop = ("HF_", "HUGGING", "TRANSFORMERS_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
        environment |= {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(folder / "hf"),
            "NO_PROXY": "*",
            "no_proxy": "*",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", SITTING, str(folder / "cache")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def prepare(self, dataset: str, **changes: Any) -> dict[str, Any]:
        recipe = recipe_for(dataset, **{"text_column": "document", **changes})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(recipe.to_toml()) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    hub = LocalHub()
    hub.datasets["me/articles"] = Repository({"main": {"data/train-0.parquet": table(ROWS)}})
    hub.datasets["me/script"] = Repository(
        {"main": {"script.py": b"raise SystemExit"}, CONVERTED: {"default/train/0000.parquet": table(ROWS)}}
    )
    hub.datasets["me/gated"] = Repository(error=(403, "GatedRepo"))
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def online(folder: Path, hub: LocalHub) -> Iterator[Sitting]:
    sitting = Sitting(folder, hub.url)
    yield sitting
    sitting.close()


@pytest.fixture(scope="module")
def first(online: Sitting) -> dict[str, Any]:
    """The first preparation of me/articles."""
    return online.prepare("me/articles")


def test_a_data_set_is_read_and_its_commit_kept(first, hub) -> None:
    assert first.get("error") is None, first
    assert first["documents"] == ROWS
    assert first["revision"] == hub.datasets["me/articles"].commit("main")
    assert first["text_column"] == "document"
    assert first["from_cache"] is False


def test_the_same_data_set_comes_from_the_cache(online, first) -> None:
    again = online.prepare("me/articles")
    assert again["from_cache"] is True
    assert again["fingerprint"] == first["fingerprint"]


def test_a_script_is_not_run_but_its_converted_copy_read(online, first) -> None:
    answer = online.prepare("me/script")
    assert answer.get("error") is None, answer
    assert answer["fingerprint"] == first["fingerprint"]
    assert any("script, which is never run" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("dataset", "changes", "message"),
    [
        ("me/nothing", {}, "The hub has no data set me/nothing, or it is private"),
        ("me/gated", {}, "me/gated is gated"),
        ("me/articles", {"dataset_revision": "v9"}, "does not have this revision"),
        ("me/articles", {"dataset_split": "dev"}, "dev.*train"),
        ("me/articles", {"dataset_subset": "medical"}, "medical.*default"),
        ("me/articles", {"text_column": "body"}, "no column 'body'.*Columns: id, document, summary"),
        ("me/articles", {"text_column": "id"}, "'id' of me/articles holds int, not text"),
    ],
)
def test_what_the_hub_does_not_have_is_said(online, dataset, changes, message) -> None:
    answer = online.prepare(dataset, **changes)
    assert answer.get("error") == "CorpusError", answer
    assert re.search(message, answer["text"]), answer["text"]


def test_only_the_rows_that_are_needed_are_streamed(online, first, hub) -> None:
    wanted = {"dataset_streaming": "on", "train_size": 20, "test_size": 10}
    streamed = online.prepare("me/articles", **wanted)
    assert streamed.get("error") is None, streamed
    assert streamed["documents"] == 30
    assert streamed["revision"] == hub.datasets["me/articles"].commit("main")
    assert any("streamed 30 rows" in note for note in streamed["notes"])
    assert online.prepare("me/articles", **wanted)["from_cache"] is True
    other = online.prepare("me/articles", **wanted, seed=7)
    assert other["fingerprint"] != streamed["fingerprint"]
    asked_too_much = online.prepare("me/articles", **{**wanted, "train_size": 1000})
    assert asked_too_much["documents"] == ROWS
    assert any("Training on 40 rows, not 1,000" in note for note in asked_too_much["notes"])
    endless = online.prepare("me/articles", dataset_streaming="on", test_size=0.2)
    assert "must be numbers of rows" in endless["text"]


@pytest.fixture(scope="module")
def offline(folder: Path, first: dict[str, Any]) -> Iterator[Sitting]:
    """A later process, when there is no hub any more, over the same caches."""
    nobody = LocalHub()
    nobody.close()
    sitting = Sitting(folder, nobody.url)
    yield sitting
    sitting.close()


def test_without_a_hub_the_prepared_text_is_used_and_said(offline, first) -> None:
    answer = offline.prepare("me/articles")
    assert answer.get("error") is None, answer
    assert (answer["from_cache"], answer["fingerprint"]) == (True, first["fingerprint"])
    assert any("cannot be reached" in note and first["revision"][:10] in note for note in answer["notes"])


def test_without_a_hub_a_copy_can_be_split_anew(offline, first) -> None:
    answer = offline.prepare("me/articles", seed=7)
    assert answer.get("error") is None, answer
    assert answer["from_cache"] is False
    assert answer["documents"] == ROWS
    assert answer["fingerprint"] != first["fingerprint"]


def test_without_a_hub_an_unknown_name_says_both_and_soon(offline) -> None:
    answer = offline.prepare("me/other")
    assert answer["error"] == "CorpusError"
    assert "no network, or the id does not exist" in answer["text"]
    assert "`python-docs`" in answer["text"]
