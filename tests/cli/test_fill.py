"""`fill`: its flags, one model or several, and what it refuses."""

from __future__ import annotations

import pytest

from .conftest import Cli

TEXT = "The [MASK] of the list is an [MASK]."


def test_one_model_or_several(cli: Cli) -> None:
    starter = ("fill", "--model", "starter", "--json")
    one = cli(*starter, "--candidates", "length, tokenizer", TEXT).json
    assert one["masks"][0]["candidates"][0]["text"] in ("length", "tokenizer")
    assert len(one["joint"]) == 4, "two words in two places"
    assert one["joint"][0]["filled"].startswith("The ")
    both = cli(*starter, "--model", "starter", "--surprisal", "The list.").json
    assert [answer["model"] for answer in both["answers"]] == ["starter", "starter"]
    assert both["answers"][0]["count"] == 3
    assert both["answers"][0]["pseudo_perplexity"] == both["answers"][1]["pseudo_perplexity"]
    shown = cli("fill", "--model", "starter", "--model", "starter", TEXT).out
    assert shown.splitlines()[0].split() == ["starter", "starter"] and shown.count("mask 2 of 2") == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--candidates", " , ", TEXT], "names no word"),
        (["--candidates", "a", "--surprisal", TEXT], "do not go together"),
        (["--checkpoint", "best", TEXT], "belongs to a run"),
        (["--model", "starter"] * 5 + [TEXT], "Too many models"),
    ],
)
def test_what_is_refused(cli: Cli, flags: list[str], said: str) -> None:
    done = cli("fill", *flags)
    assert done.code == 2 and said in done.err
