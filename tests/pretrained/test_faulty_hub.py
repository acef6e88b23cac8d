"""A hub that breaks off, refuses, keeps silent or sends rubbish: a word on each within seconds.

The libraries read the hub's address when they are imported, so each sitting is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pretrained.local_hub import LocalHub, Repository
from workbench.pretrained.starter import starter_folder

SITTING = """
import json, os, sys
from workbench.errors import WorkbenchError
from workbench.pretrained.model import load_model
for line in sys.stdin:
    model, token, stop = json.loads(line)
    os.environ["HF_TOKEN"] = token
    told = []
    def listen(done, total):
        told.append([done, total])
        if stop and done:
            raise KeyboardInterrupt
    try:
        loaded = load_model(model, None, listen)
        parameters = sum(p.numel() for p in loaded.model.parameters())
        answer = {"revision": loaded.revision, "parameters": parameters}
    except WorkbenchError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    except KeyboardInterrupt:
        answer = {"error": "stopped"}
    print(json.dumps({**answer, "told": told}), flush=True)
"""


class Sitting:
    """A process that loads models, one after the other."""

    def __init__(self, hub: LocalHub, home: Path) -> None:
        self.home = home
        drop = ("HF_", "HUGGING", "TRANSFORMERS_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
        environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "NO_PROXY": "*", "no_proxy": "*"}
        environment |= {"HF_HUB_ETAG_TIMEOUT": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "1"}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen([sys.executable, "-c", SITTING], env=environment, **pipes)

    def load(self, model: str, *, token: str = "", stop: bool = False) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([model, token, stop]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    hub = LocalHub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def sitting(hub: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sitting]:
    sitting = Sitting(hub, tmp_path_factory.mktemp("hf"))
    yield sitting
    sitting.close()


@pytest.fixture
def model(hub: LocalHub) -> str:
    """The starter on the hub, under a name that no other test knows."""
    name = f"me/model-{len(hub.models)}"
    files = {path.name: path.read_bytes() for path in starter_folder().iterdir()}
    hub.models[name] = Repository({"main": files})
    return name


def weights(hub: LocalHub, model: str) -> tuple[int, int]:
    """How large the weights are, and how many bytes of them went out."""
    repository = hub.models[model]
    return len(repository.branches["main"]["model.safetensors"]), repository.sent.get("model.safetensors", 0)


def test_a_model_is_fetched_with_its_progress_and_its_commit_kept(hub, sitting, model) -> None:
    found = sitting.load(model)
    assert found.get("error") is None, found
    assert found["revision"] == hub.models[model].commit("main")
    size, sent = weights(hub, model)
    assert found["told"][-1] == [size, size]
    assert sent == size
    again = sitting.load(model)
    assert (again["revision"], again["told"]) == (found["revision"], [])
    assert weights(hub, model)[1] == size


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub, sitting, model) -> None:
    hub.models[model].breaks = {"model.safetensors"}
    found = sitting.load(model)
    assert found.get("error") is None, found
    assert found["parameters"] > 4_000_000
    assert hub.models[model].breaks == set()
    size, sent = weights(hub, model)
    assert size <= sent < 1.1 * size


def test_a_download_can_be_stopped(sitting, model) -> None:
    assert sitting.load(model, stop=True)["error"] == "stopped"
    assert sitting.load(model).get("error") is None


def test_a_wrong_checksum_is_refused_and_not_kept(hub, sitting, model) -> None:
    hub.models[model].damaged = {"model.safetensors"}
    found = sitting.load(model)
    assert found["error"] == "ModelError"
    assert "was damaged in transfer" in found["text"]
    assert "Try again" in found["text"]
    hub.models[model].damaged = set()
    assert sitting.load(model).get("error") is None


def test_a_private_model_is_for_those_with_its_token(hub, sitting, model) -> None:
    hub.models[model].token = "hf_secret"
    for token in ("", "hf_other"):
        refused = sitting.load(model, token=token)
        assert refused["error"] == "ModelError"
        assert "hf auth login" in refused["text"]
    assert sitting.load(model, token="hf_secret").get("error") is None


def test_who_has_logged_in_needs_no_variable(hub, sitting, model) -> None:
    hub.models[model].token = "hf_kept"
    assert sitting.load(model)["error"] == "ModelError"
    token = sitting.home / "token"  # where `hf auth login` leaves it
    token.write_text("hf_kept")
    try:
        assert sitting.load(model).get("error") is None
    finally:
        token.unlink()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"error": (404, "RepoNotFound")}, "or it is private"),
        ({"error": (403, "GatedRepo")}, "is gated"),
        ({"error": (429, "TooMany")}, "too many requests from this machine"),
        ({"error": (429, "TooMany"), "retry_after": 300}, "It asks to wait 300 seconds"),
        ({"error": (503, "Unavailable")}, "internal error (status 503)"),
        ({"silent": True}, "did not answer"),
    ],
    ids=["404", "403", "429", "429-wait", "503", "silent"],
)
def test_what_the_hub_answers_is_said_within_seconds(hub, sitting, model, fault, says) -> None:
    for name, value in fault.items():
        setattr(hub.models[model], name, value)
    found = sitting.load(model)
    assert found["error"] == "ModelError"
    assert says in found["text"]
    assert model in found["text"]
