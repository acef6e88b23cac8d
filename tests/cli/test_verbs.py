"""Verbs that train nothing: usage, reading, doctor, fill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.recipe import PRESETS
from workbench.status import Status
from workbench.store import Store

from .conftest import Cli, environment

HEAVY = ("torch", "transformers", "datasets", "accelerate", "numpy", "pyarrow")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["runs", "--json"], ["show", "1"]])
def test_what_only_reads_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    Store.open(tmp_path / "experiments.db").create_run(PRESETS["starter"])
    script = (
        "import sys; from workbench.cli import main\n"
        f"code = main({arguments!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.stderr.strip() == "[] 0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--preset", "nothing"], "starter, xsum"),
        (["train", "--epochs", "0"], "epochs: must be at least 1; got 0"),
        (["train", "--epochs", "many"], "epochs: must be a whole number"),
        (["train", "--mask-prob", "1.5"], "mask_prob: must be below 1"),
        (["train", "--set", "max_step=5"], "Did you mean max_steps"),
        (["train", "--set", "max_steps"], "max_steps=100"),
        (["train", "--set", "schedule=steep"], "schedule: must be one of"),
        (["train", "--config", "none.toml"], "Cannot read the recipe none.toml"),
        (["train", "--name", "42"], "taken for an id"),
        (["train", "--model", "run:latest"], "There are no runs yet"),
        (["train", "--colour"], "No such option"),
        (["show", "latest"], "There are no runs yet"),
        (["resume", "7"], "There are no runs yet"),
        (["stop"], "Missing argument"),
        (["fill", "--run", "1", "--model", "starter", "a [MASK]"], "not both"),
        (["dance"], "No such command"),
    ],
)
def test_bad_usage_ends_with_two_and_says_what_to_do(
    cli: Cli, store: Store, arguments: list[str], said: str
) -> None:
    done = cli(*arguments)
    assert done.code == 2
    assert said in done.err and done.out == ""
    assert store.runs() == []


def test_flags_go_before_the_file_and_the_file_before_the_preset(tmp_path: Path) -> None:
    from workbench.cli.settings import changes_of
    from workbench.cli.train import chosen_recipe

    file = tmp_path / "recipe.toml"
    file.write_text("epochs = 7\nbatch_size = 8\n")
    changes = {"batch_size": "9", **changes_of(["max-steps=5", "seed = 3"])}
    recipe = chosen_recipe("starter", file, changes)
    assert (recipe.epochs, recipe.batch_size, recipe.max_steps, recipe.seed) == (7, 9, 5, 3)
    assert (recipe.model, recipe.learning_rate) == ("starter", PRESETS["starter"].learning_rate)
    assert chosen_recipe("xsum", None, {"text_column": "", "test_size": "0.2"}).text_column is None


@pytest.mark.parametrize(("model", "rate"), [("some/bert", 1.23e-5), ("starter", 1e-3), ("run:3", 1e-3)])
def test_another_model_is_not_trained_at_the_starters_rate(model: str, rate: float) -> None:
    from workbench.cli.train import chosen_recipe

    assert chosen_recipe(None, None, {"model": model}).learning_rate == rate
    assert chosen_recipe("starter", None, {"model": model}).learning_rate == 1e-3
    assert chosen_recipe(None, None, {"model": model, "learning_rate": "5e-5"}).learning_rate == 5e-5


def test_the_database_is_named_before_or_after_the_verb(cli: Cli, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "elsewhere.db")
    store.create_run(PRESETS["starter"], "there")
    assert cli("--db", "elsewhere.db", "runs", "--json").json[0]["name"] == "there"
    assert cli("runs", "--db", str(tmp_path / "elsewhere.db"), "--json").json[0]["name"] == "there"
    assert cli("runs", "--json").json == []
    (tmp_path / "text.db").write_text("This is no database at all.")
    refused = cli("--db", "text.db", "runs")
    assert refused.code == 1 and "not a SQLite database" in refused.err


def test_texts_of_others_cannot_write_on_the_terminal(cli: Cli, store: Store) -> None:
    run = store.create_run(PRESETS["starter"], "[bold]name", tags=["\x1b]0;title\x07"])
    store.update_run(
        run.id,
        status=Status.FAILED,
        error="\x1b[2J\u202e[red]gone\x9b1m",
        eval_perplexity=float("inf"),
        environment={"command": "\x1b[31m"},
    )
    for arguments in (["runs"], ["show", "1"], ["runs", "--json"], ["show", "1", "--json"]):
        done = cli(*arguments)
        assert done.code == 0
        for forbidden in ("\x1b", "\x07", "\x9b", "\u202e"):
            assert forbidden not in done.out + done.err
        assert "[bold]name" in done.out
    assert "[red]gone" in cli("show", "1").out
    shown = cli("show", "1", "--json").json
    assert shown["error"] == "\x1b[2J\u202e[red]gone\x9b1m" and shown["eval_perplexity"] is None


def test_show_tells_what_was_done_to_the_text(cli: Cli, store: Store) -> None:
    note = "Characters replaced: 7. First: [x], line 2."
    run = store.create_run(PRESETS["starter"])
    assert run.id is not None
    store.update_run(run.id, data={"train_documents": 5, "notes": [note]})
    assert f"\n  {note}\n" in cli("show", "1").out
    assert cli("show", "1", "--json").json["data"]["notes"] == [note]


def test_a_run_whose_worker_is_gone_is_shown_as_crashed(cli: Cli, store: Store) -> None:
    run = store.create_run(PRESETS["starter"])
    store.update_run(run.id, created_at=1.0)
    assert cli("runs", "--json").json[0]["status"] == "crashed"


def test_fill_answers(cli: Cli) -> None:
    one = cli("fill", "--model", "starter", "--json", "Paris is the capital of [MASK] .")
    assert one.code == 0 and one.json["masks"][0]["predictions"][0]["text"]
    several = cli(
        "fill", "--model", "starter", "--json", "--top-k", "1", "-", stdin="a [MASK] dog\nthe [MASK] cat\n"
    )
    assert [json.loads(line)["text"] for line in several.out.splitlines()] == [
        "a [MASK] dog",
        "the [MASK] cat",
    ]
    none = cli("fill", "--model", "starter", "no mask here")
    assert none.code == 2 and "[MASK]" in none.err


def test_doctor_finds_this_machine_well(cli: Cli) -> None:
    done = cli("doctor", "--json")
    found = {check["name"]: check for check in done.json["checks"]}
    assert done.code == 0 and done.json["ok"], done.out
    assert "torch" in found["versions"]["message"]
    assert "trains in" in found["device"]["message"]
    assert found["starter model"]["status"] == "ok"
    assert "created at the first start" in found["database"]["message"]
    assert "hub" not in found
    told = cli("doctor", "--hub")
    assert "hub: " in told.out and "starter model: " in told.out


def test_doctor_says_what_is_wrong_and_what_to_do(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "experiments.db").write_text("This is no database at all.")
    done = cli("doctor", "--json")
    found = {check["name"]: check for check in done.json["checks"]}
    assert done.code == 1 and not done.json["ok"]
    assert found["database"]["status"] == "failure" and "--db" in found["database"]["hint"]


def test_doctor_makes_no_database(cli: Cli, tmp_path: Path) -> None:
    cli("doctor")
    assert list(tmp_path.iterdir()) == []
