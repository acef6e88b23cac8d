"""`inspect` takes what `train` takes for a model: also a run's, and one that is yet to be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Cli

WORDS = ["हिन्दी", "पुस्तकें", "Ärztin", "valve", "opened", "twice"]
SMALL = ("--chunk-size", "16")


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(WORDS[(n * k) % 6] for k in range(1, 30)) for n in range(200)))
    return str(path)


def inspected(cli: Cli, *arguments: str) -> dict[str, Any]:
    done = cli("inspect", *arguments, *SMALL, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = done.json
    return found


@pytest.mark.parametrize("kind", ["wordpiece", "bytes"])
def test_a_new_models_tokenizer_is_learnt_first(cli: Cli, text: str, kind: str) -> None:
    found = inspected(cli, text, "--model", "new:tiny", "--set", f"tokenizer={kind}")
    assert found["unknown_rate"] == 0
    assert found["train"]["documents"] == 160


def test_a_runs_tokenizer_and_a_sentence_of_its_text(cli: Cli, text: str) -> None:
    recipe = ["--preset", "starter", "--model", "new:tiny", "--dataset", text, *SMALL]
    steps = ["--set", "max_steps=1", "--set", "compile=off"]
    done = cli("train", *recipe, *steps, "--name", "mine")
    assert done.code == 0, done.err
    proposed = next(line for line in done.out.splitlines() if line.startswith("Try it:"))
    assert "[MASK]" in proposed and any(word in proposed for word in WORDS)
    found = inspected(cli, text, "--model", "run:mine")
    assert found["vocabulary"] == inspected(cli, text, "--model", "new:tiny")["vocabulary"]
