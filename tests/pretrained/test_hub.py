"""Models of a hub on localhost, and of the local cache once the hub is gone; what is said when there is none.

The libraries read the hub's address when they are imported, so each sitting is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pretrained.local_hub import LocalHub, Repository
from workbench.errors import CorpusError, ModelError
from workbench.pretrained import hub as reach
from workbench.pretrained.hub import explain_hub_error, hub_is_reachable, require_hub
from workbench.pretrained.starter import starter_folder

SITTING = """
import json, sys
from workbench.errors import WorkbenchError
from workbench.pretrained.tokenizer import load_tokenizer
answers = []
for model, revision in json.loads(sys.argv[1]):
    try:
        answers.append({"tokens": load_tokenizer(model, revision)("some text")["input_ids"]})
    except WorkbenchError as error:
        answers.append({"error": type(error).__name__, "text": str(error)})
print(json.dumps(answers))
"""


def sitting(endpoint: str, home: Path, *models: tuple[str, str | None], **more: str) -> list[dict[str, Any]]:
    """Load each tokenizer in a new process."""
    drop = ("HF_", "HUGGING", "TRANSFORMERS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "NO_PROXY": "*", "no_proxy": "*", **more}
    command = [sys.executable, "-c", SITTING, json.dumps(models)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    assert isinstance(answers, list)
    return answers


def test_tokenizers_come_from_the_hub_and_then_without_it(tmp_path) -> None:
    hub = LocalHub()
    files = {path.name: path.read_bytes() for path in starter_folder().iterdir() if path.suffix == ".json"}
    hub.models["me/bert"] = Repository({"main": files})
    hub.models["me/gated"] = Repository(error=(403, "GatedRepo"))
    asked = [("me/bert", None), ("me/gated", None), ("me/nothing", None), ("me/bert", "v9")]
    found, gated, missing, revision = sitting(hub.url, tmp_path, *asked)
    hub.close()
    assert found.get("tokens") == [101, 2070, 3793, 102], found
    assert "me/gated is gated" in gated["text"]
    assert "hf auth login" in gated["text"]
    assert "The hub has no model me/nothing, or it is private" in missing["text"]
    assert "does not have this revision" in revision["text"]
    assert {answer["error"] for answer in (gated, missing, revision)} == {"ModelError"}

    found, missing = sitting(hub.url, tmp_path, ("me/bert", None), ("me/nothing", None))
    assert found.get("tokens") == [101, 2070, 3793, 102], found
    assert "no network, or the id does not exist" in missing["text"]
    assert "`starter` works offline" in missing["text"]

    found, missing = sitting(hub.url, tmp_path, ("me/bert", None), ("me/nothing", None), HF_HUB_OFFLINE="1")
    assert found.get("tokens") == [101, 2070, 3793, 102], found
    assert "offline mode is on (HF_HUB_OFFLINE)" in missing["text"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hub's address at which nobody listens."""
    closed = LocalHub()
    closed.close()
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", closed.url)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(autouse=True)
def libraries_left_as_they_were() -> Any:
    import datasets.config
    import huggingface_hub.constants

    before = [module.HF_HUB_OFFLINE for module in (huggingface_hub.constants, datasets.config)]
    yield
    huggingface_hub.constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


def test_a_hub_that_answers_is_reachable(monkeypatch, nowhere) -> None:
    assert not hub_is_reachable()
    hub = LocalHub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    assert hub_is_reachable()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub_is_reachable()
    hub.close()


def test_a_proxy_is_asked_in_the_hubs_place(monkeypatch, nowhere) -> None:
    proxy = LocalHub()
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert not hub_is_reachable()
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", proxy.url)
    assert hub_is_reachable()
    proxy.close()


def test_the_libraries_go_offline_and_come_back(monkeypatch, nowhere) -> None:
    import datasets.config
    import huggingface_hub.constants

    with pytest.raises(ModelError, match="me/nothing was not found on this machine"):
        require_hub("me/nothing")
    assert huggingface_hub.constants.HF_HUB_OFFLINE
    assert datasets.config.HF_HUB_OFFLINE
    hub = LocalHub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    require_hub("me/nothing")
    assert not huggingface_hub.constants.HF_HUB_OFFLINE
    assert not datasets.config.HF_HUB_OFFLINE
    hub.close()


def test_a_probe_is_not_repeated_at_once(nowhere, monkeypatch) -> None:
    assert not hub_is_reachable()
    tried: list[tuple[str, int]] = []
    monkeypatch.setattr(reach, "_connects", lambda host, port: bool(tried.append((host, port))))
    assert not hub_is_reachable()
    assert tried == []


def test_a_data_sets_errors_are_a_corpus_matter(nowhere) -> None:
    with pytest.raises(CorpusError, match=r"data set me/set was not found.*`python-docs`"):
        require_hub("me/set", "data set")
    assert isinstance(explain_hub_error(RuntimeError("odd"), "me/set", "data set"), CorpusError)


def test_an_unknown_error_keeps_its_first_line() -> None:
    error = explain_hub_error(ValueError("the first line\nthe second"), "me/bert")
    assert error.message == "The model me/bert cannot be loaded: the first line"
