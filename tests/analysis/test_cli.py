"""The verbs that compare, as a person runs them on real runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..cli.conftest import Cli, cli  # noqa: F401
from .conftest import STEPS, Trained


def test_compare_prints_the_verdict_and_what_differs(trained: Trained, cli: Cli) -> None:  # noqa: F811
    done = cli("compare", "usual", "many masks", "--db", str(trained.database))
    assert done.code == 0
    assert "mask_prob  0.15" in done.out and "chunk_size" not in done.out
    assert "better by" in done.out or "worse by" in done.out or "no difference shown" in done.out
    assert "Cannot rank" not in done.out


def test_compare_as_json_holds_to_its_contract(trained: Trained, cli: Cli) -> None:  # noqa: F811
    done = cli("compare", "usual", "other split", "--json", "--db", str(trained.database))
    assert done.code == 0
    assert set(done.json) >= {"runs", "differences", "comparable", "why_not", "pairs"}
    assert done.json["comparable"] is False and done.json["pairs"] == []
    assert "held-out text" in done.json["why_not"][0]
    assert [run["name"] for run in done.json["runs"]] == ["usual", "other split"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "usual"], "Give at least two runs"),
        (["compare", "usual", "usual"], "Give at least two runs"),
        (["compare", "usual", "none"], "There is no run 'none'"),
        (["yardstick", "usual", "--checkpoint", "7"], f"Choose 20, 40, {STEPS}, best, last or all."),
        (["changed", "usual", "other split"], "mlm-workbench compare"),
        (["cloze", "none.txt", "usual"], "Cannot read the suite none.txt"),
    ],
)
def test_what_cannot_be_compared_ends_with_two(
    trained: Trained,
    cli: Cli,  # noqa: F811
    arguments: list[str],
    said: str,
) -> None:
    done = cli(*arguments, "--db", str(trained.database))
    assert done.code == 2 and done.out == ""
    assert said in done.err


def test_yardstick_prints_what_is_known(trained: Trained, cli: Cli) -> None:  # noqa: F811
    done = cli("yardstick", "usual", "--json", "--db", str(trained.database))
    assert done.code == 0
    (last,) = done.json["checkpoints"]
    assert last["step"] == STEPS
    assert last["perplexity"] == pytest.approx(trained.run("usual").yardstick_perplexity)
    assert done.json["base"]["perplexity"] > last["perplexity"]


def test_changed_and_cloze_print_tables(trained: Trained, cli: Cli, tmp_path: Path) -> None:  # noqa: F811
    done = cli("changed", "usual", "many masks", "--words", "3", "--json", "--db", str(trained.database))
    assert done.code == 0 and len(done.json["improved"]) == len(done.json["worsened"]) == 3
    (tmp_path / "suite.txt").write_text("The [red]capital[/] of [MASK] is Paris. -> france\n")
    done = cli("cloze", "suite.txt", "usual", "many masks", "--last", "--db", str(trained.database))
    assert done.code == 0
    assert "The [red]capital[/] of [MASK] is Paris." in done.out and "Loading weights" not in done.err
