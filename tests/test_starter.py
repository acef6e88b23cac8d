"""The main job on the starter: trained, remembered, and asked."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest
from safetensors import safe_open

from tests.conftest import StarterRun
from workbench.inference.client import InferenceClient
from workbench.inference.filler import Filler
from workbench.inference.resolve import resolve_model
from workbench.recipe import Recipe, preset

TEXT = "Return the [MASK] of the list."


def command(run: StarterRun, *arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-m", "workbench", *arguments, "--db", str(run.database)]
    return subprocess.run(whole, capture_output=True, text=True, timeout=300)


def test_perplexity_falls_from_thousands_to_tens(starter_run: StarterRun) -> None:
    printed = starter_run.printed
    assert printed["status"] == "finished"
    assert printed["baseline_perplexity"] > 1000
    assert printed["eval_perplexity"] < 60
    assert printed["best_eval_perplexity"] <= printed["eval_perplexity"]
    assert Recipe.parse(printed["recipe"]) == preset("starter").with_changes(epochs=2, batch_size=16)


def test_the_curve_is_remembered(starter_run: StarterRun) -> None:
    rows = starter_run.store.metrics(starter_run.id, {"eval/perplexity", "eval/loss"})
    perplexities = [row.value for row in rows if row.name == "eval/perplexity"]
    losses = [row.value for row in rows if row.name == "eval/loss"]
    assert perplexities == sorted(perplexities, reverse=True)
    assert perplexities[0] == starter_run.printed["baseline_perplexity"]
    assert perplexities[-1] == starter_run.printed["eval_perplexity"]
    assert [math.exp(loss) for loss in losses] == pytest.approx(perplexities)


def test_the_checkpoint_is_a_model_that_others_can_read(starter_run: StarterRun) -> None:
    folder = starter_run.checkpoint
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in folder.iterdir()}
    assert not [file for file in folder.rglob("*") if file.suffix in (".bin", ".pt", ".pkl")]
    with safe_open(folder / "model.safetensors", framework="np") as weights:
        assert all(name.startswith(("bert.", "cls.")) for name in weights.keys())  # noqa: SIM118


def test_the_command_fills_masks_with_the_run(starter_run: StarterRun) -> None:
    answer = command(starter_run, "fill", "--run", "latest", "--top-k", "3", "--json", TEXT)
    assert answer.returncode == 0, answer.stderr
    filled = json.loads(answer.stdout)
    assert filled["text"] == TEXT
    assert [len(mask["predictions"]) for mask in filled["masks"]] == [3]
    assert filled == Filler.load(str(starter_run.checkpoint)).fill(TEXT, 3).to_json()


def test_training_taught_it_something(starter_run: StarterRun) -> None:
    """The trained model is surer of the documentation's phrases than the one that it began with."""

    def share(model: str, text: str, word: str) -> float:
        predictions = Filler.load(model).fill(text, 30_000).masks[0].predictions
        return next(one.probability for one in predictions if one.text == word)

    text, word = "This [MASK] returns true if the file exists.", "function"
    assert share(str(starter_run.checkpoint), text, word) > 5 * share("starter", text, word)


def test_a_text_without_a_mask_is_bad_usage(starter_run: StarterRun) -> None:
    answer = command(starter_run, "fill", "--run", "latest", "--json", "no mask")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "Write [MASK]" in answer.stderr


async def test_the_warm_process_answers_for_the_run(starter_run: StarterRun) -> None:
    choice = resolve_model(starter_run.store, "starter-run")
    async with InferenceClient() as client:
        trained = await client.fill(choice.path, TEXT)
        base = await client.fill("starter", TEXT)
    assert trained.masks[0].position == base.masks[0].position
    assert trained.masks[0].predictions != base.masks[0].predictions
