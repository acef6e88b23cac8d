"""`push` through the real client, to a hub on localhost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from ..conftest import StarterRun
from .writable_hub import WritableHub

Push = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub() -> Iterator[WritableHub]:
    hub = WritableHub()
    yield hub
    hub.close()


@pytest.fixture
def push(hub: WritableHub, starter_run: StarterRun) -> Push:
    """The command, with a token that is secret."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "workbench", "push", "--db", str(starter_run.database)]
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secret", **settings}
        environment.pop("HF_HUB_OFFLINE", None)
        environment |= settings
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment, timeout=300
        )

    return run


def test_a_run_is_uploaded_whole(push: Push, hub: WritableHub, starter_run: StarterRun) -> None:
    done = push("latest", "someone/docs", "--private")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{hub.url}/someone/docs"
    assert hub.private == {"someone/docs": True}
    files = hub.files["someone/docs"]
    assert {"README.md", "recipe.toml", "config.json", "modules.json", "1_Pooling/config.json"} <= set(files)
    assert files["model.safetensors"] == (starter_run.checkpoint / "model.safetensors").read_bytes()
    assert hub.tokens == {"Bearer hf_secret"}
    assert push("latest", "someone/docs").returncode == 0, "a second time, into the same repository"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "hf auth login"),
        (403, "write access"),
        (404, "owner's name"),
        (500, "refused someone/docs (500)"),
    ],
)
def test_a_refusal_is_explained(push: Push, hub: WritableHub, status: int, said: str) -> None:
    hub.refuse = status
    done = push("latest", "someone/docs")
    assert done.returncode == 1 and said in done.stderr
    assert "Traceback" not in done.stderr and "hf_secret" not in done.stderr
    assert hub.files == {}


def test_a_name_that_cannot_be_is_bad_usage(push: Push) -> None:
    done = push("latest", "some one/docs!")
    assert done.returncode == 2 and "OWNER/NAME" in done.stderr


def test_a_hub_out_of_reach_is_said(push: Push) -> None:
    done = push("latest", "someone/docs", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1 and "HF_ENDPOINT" in done.stderr
