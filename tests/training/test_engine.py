"""The engine, trained for real on a small model: the same numbers, however the work is dealt out."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

from tests.training.conftest import Training
from workbench.corpus import prepare_corpus
from workbench.corpus.masking import Masker
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import TrainingError
from workbench.events import EngineReady, Message, Phase, PhaseChanged
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.processes import GPU_MEMORY_WORDS, HOST_MEMORY_WORDS
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.training import checkpoint, loop, step, throughput

Run = Callable[..., Training]


def weights(checkpoint_folder: Path) -> dict[str, torch.Tensor]:
    return load_file(checkpoint_folder / "model.safetensors")


@pytest.fixture(autouse=True)
def report_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "REPORT_SECONDS", 0.0)


def test_a_training_tells_its_story_in_order_and_learns(run_training: Run, recipe: Recipe) -> None:
    # a split of its own: a text that was prepared before is not tokenized again
    training = run_training(recipe.with_changes(seed=1234))
    assert training.outcome is Status.FINISHED
    phases = [event.phase for event in training.events if isinstance(event, PhaseChanged)]
    first = [phase for i, phase in enumerate(phases) if phase not in phases[:i]]
    assert first == list(Phase)
    engine = training.the(EngineReady)
    assert (engine.head, engine.total_steps) == ("masked-only", 2 * engine.steps_per_epoch)
    evaluations = training.values("eval/perplexity")
    assert list(evaluations) == [0, engine.steps_per_epoch, engine.total_steps]
    assert evaluations[engine.total_steps] < 0.5 * evaluations[0]
    assert list(training.values("train/loss")) == list(range(1, engine.total_steps + 1))
    assert [saved.step for saved in training.checkpoints] == [engine.steps_per_epoch, engine.total_steps]
    saved = training.checkpoints[-1]
    assert saved.best and saved.eval_perplexity == evaluations[engine.total_steps]


def test_train_perplexity_is_over_all_masked_tokens_of_the_epoch(run_training: Run, recipe: Recipe) -> None:
    training = run_training(recipe.with_changes(epochs=1))
    losses = training.values("train/loss")
    (found,) = training.values("train/perplexity").values()
    # a mean of the steps' means is close to it, but the last, shorter step must not weigh like the others
    assert found == pytest.approx(math.exp(np.mean(list(losses.values()))), rel=0.05)
    assert found != pytest.approx(math.exp(np.mean(list(losses.values()))), rel=1e-9)


def test_the_same_recipe_gives_the_same_numbers(run_training: Run, recipe: Recipe) -> None:
    first, second = run_training(recipe, "first"), run_training(recipe, "second")
    for name in ("train/loss", "eval/loss", "train/grad_norm"):
        assert first.values(name) == second.values(name)
    other = run_training(recipe.with_changes(seed=7), "other")
    assert first.values("train/loss") != other.values("train/loss")


@pytest.mark.parametrize("stop_after", [5, 13, 17])
@pytest.mark.parametrize("changes", [{}, {"eval_every": 4, "schedule": "cosine", "max_grad_norm": 0.5}])
def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(
    run_training: Run, recipe: Recipe, stop_after: int, changes: dict[str, object]
) -> None:
    recipe = recipe.with_changes(**changes)
    whole = run_training(recipe, "whole")
    begun = run_training(recipe, "cut", stop_after=stop_after)
    assert begun.outcome is Status.STOPPED
    last = begun.checkpoints[-1]
    assert last.step >= stop_after
    resumed = run_training(recipe, "cut", resume_from=last.path)
    assert resumed.outcome is Status.FINISHED
    for name in ("train/loss", "train/grad_norm", "train/learning_rate", "eval/loss", "train/perplexity"):
        joined = begun.values(name) | resumed.values(name)
        assert joined == whole.values(name), name
    expected, found = weights(whole.checkpoints[-1].path), weights(resumed.checkpoints[-1].path)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(run_training: Run, recipe: Recipe) -> None:
    whole = run_training(recipe, "whole")
    damaged = whole.checkpoints[-1].path / "model.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-5] ^= 1
    damaged.write_bytes(content)
    resumable, passed_over = checkpoint.newest_resumable(whole.folder)
    assert resumable == whole.checkpoints[0].path
    assert "model.safetensors" in passed_over[0]
    with pytest.raises(TrainingError, match="damaged"):
        checkpoint.load_state(whole.checkpoints[-1].path)
    again = run_training(recipe, "whole", resume_from=resumable)
    last = max(whole.values("eval/loss"))
    assert again.values("eval/loss")[last] == whole.values("eval/loss")[last]


def same_losses(first: Training, second: Training, rel: float = 2e-5) -> None:
    for name in ("train/loss", "train/grad_norm", "eval/loss", "train/perplexity"):
        expected, found = first.values(name), second.values(name)
        assert found.keys() == expected.keys(), name
        assert list(found.values()) == pytest.approx(list(expected.values()), rel=rel), name


@pytest.fixture
def plain(recipe: Recipe, without_dropout: Path) -> Recipe:
    """fp32 without dropout, whose draws do depend on the shape of a batch; the last step is shorter."""
    return recipe.with_changes(model=str(without_dropout), precision="fp32", batch_size=32)


def test_accumulation_gives_the_gradient_of_the_whole_batch(run_training: Run, plain: Recipe) -> None:
    at_once = run_training(plain, "at-once")
    accumulated = run_training(plain.with_changes(batch_size=8, gradient_accumulation=4), "accumulated")
    same_losses(at_once, accumulated)


def launch(recipe: Recipe, folder: Path, cache: Path, processes: int) -> list[dict[str, object]]:
    """Train through torchrun and return what the leading process told."""
    folder.mkdir()
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", "--nproc-per-node", str(processes), "--max-restarts", "0"),
        *("-m", "workbench.training", str(folder / "recipe.toml"), str(folder)),
    ]
    environment = os.environ | {"MLM_WORKBENCH_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_two_processes_train_like_one(run_training: Run, plain: Recipe, tmp_path: Path, cache: Path) -> None:
    alone = run_training(plain, "alone")
    told = launch(plain, tmp_path / "two", cache, processes=2)
    engine = next(event for event in told if event["event"] == "EngineReady")
    assert engine["processes"] == 2
    for name in ("train/loss", "train/grad_norm", "eval/loss", "train/perplexity"):
        metrics = [event for event in told if event["event"] == "Metrics" and name in event["values"]]
        found = {event["step"]: event["values"][name] for event in metrics}
        expected = alone.values(name)
        assert found.keys() == expected.keys(), name
        assert list(found.values()) == pytest.approx(list(expected.values()), rel=2e-5), name
    assert told[-1] == {"event": "Outcome", "outcome": "finished"}


def test_perplexity_is_that_of_a_loop_by_hand_over_every_masked_token(
    run_training: Run, plain: Recipe, cache: Path
) -> None:
    training = run_training(plain.with_changes(max_steps=3))
    saved = training.checkpoints[-1].path
    model = AutoModelForMaskedLM.from_pretrained(saved).eval()
    tokenizer = load_tokenizer(str(saved), None)
    corpus = prepare_corpus(plain, tokenizer, max_chunk=64, cache=cache, listen=lambda event: None)
    masker = Masker.for_test(plain, Vocabulary.from_tokenizer(tokenizer, 30522))
    total, masked_tokens, own_total = 0.0, 0, 0.0
    with torch.no_grad():
        for row in range(len(corpus.test)):
            ids = torch.from_numpy(corpus.test.ids[row : row + 1].astype(np.int64))
            batch = masker(ids, torch.tensor([row]), 0)
            log_likelihoods = model(batch.input_ids).logits[0].double().log_softmax(-1)
            for position in (batch.labels[0] != -100).nonzero().flatten().tolist():
                total -= float(log_likelihoods[position, batch.labels[0, position]])
                masked_tokens += 1
            count = int((batch.labels != -100).sum())
            if count:
                own_total += float(model(batch.input_ids, labels=batch.labels).loss) * count
    found = training.values("eval/perplexity")[3]
    assert found == pytest.approx(math.exp(total / masked_tokens), rel=1e-5)
    assert found == pytest.approx(math.exp(own_total / masked_tokens), rel=1e-5)


def test_a_checkpoint_is_a_hugging_face_model_folder(run_training: Run, recipe: Recipe) -> None:
    saved = run_training(recipe.with_changes(max_steps=2)).checkpoints[-1].path
    _, info = AutoModelForMaskedLM.from_pretrained(saved, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert AutoTokenizer.from_pretrained(saved).mask_token == "[MASK]"
    config = json.loads((saved / "config.json").read_text())
    assert "workbench" not in json.dumps(config)
    assert not any(path.suffix in (".bin", ".pt", ".pkl") for path in saved.iterdir())
    assert (saved.parent / "latest").read_text() == json.dumps({"name": saved.name})


def test_early_stopping_keeps_the_best_checkpoint(run_training: Run, recipe: Recipe) -> None:
    # a learning rate that soon does harm
    training = run_training(
        recipe.with_changes(epochs=20, eval_every=3, early_stopping_patience=2, learning_rate=0.3)
    )
    evaluations = training.values("eval/loss")
    best = min(evaluations, key=lambda step: evaluations[step])
    assert training.outcome is Status.FINISHED
    assert list(evaluations).index(best) == len(evaluations) - 3
    assert training.the(EngineReady).total_steps > max(evaluations)
    if best:
        pointer = json.loads((training.folder / "checkpoints" / "best").read_text())
        assert pointer["name"] == f"step-{best:08d}"


def test_evaluations_and_checkpoints_come_at_their_intervals(run_training: Run, recipe: Recipe) -> None:
    training = run_training(recipe.with_changes(max_steps=10, eval_every=4, checkpoint_every=5))
    assert list(training.values("eval/loss")) == [0, 4, 8, 10]
    assert [saved.step for saved in training.checkpoints] == [5, 10]
    assert [saved.eval_perplexity is None for saved in training.checkpoints] == [True, False]


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(
    run_training: Run, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = recipe.with_changes(checkpoint_every=3)
    usual = loop.learning_rate

    def wild_from_step_8(recipe: Recipe, step: int, total_steps: int) -> float:
        return 1e38 if step >= 8 else usual(recipe, step, total_steps)

    # no recipe may ask for such a rate, and a smaller one diverges without ever leaving the finite numbers
    monkeypatch.setattr(loop, "learning_rate", wild_from_step_8)
    with pytest.raises(TrainingError, match=r"at step 9, with learning rate 1e\+38"):
        run_training(recipe)
    kept, passed_over = checkpoint.newest_resumable(tmp_path / "run")
    assert kept is not None and kept.name == "step-00000006" and not passed_over
    assert all(torch.isfinite(value).all() for value in weights(kept).values())


def test_nothing_masked_is_no_perplexity_of_one(run_training: Run, recipe: Recipe) -> None:
    with pytest.raises(TrainingError, match="No test token is masked at mask_prob = 1e-06"):
        run_training(recipe.with_changes(mask_prob=1e-6))
    training = run_training(recipe.with_changes(mask_prob=0.002, batch_size=1, test_size=0.6, epochs=1))
    rates, losses = training.values("train/learning_rate"), training.values("train/loss")
    assert 0 < len(losses) < len(rates), "a step without a masked token has no loss"
    assert min(losses.values()) > 1


REFUSALS = [
    *(RuntimeError(f"{words}: 5 bytes") for words in (*GPU_MEMORY_WORDS, *HOST_MEMORY_WORDS)),
    MemoryError("Unable to allocate 5 GiB for an array"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_whatever_refuses_memory_the_batch_is_halved(
    run_training: Run, plain: Recipe, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    usual, refused = step.F.cross_entropy, set()

    def refused_at_first(*arguments: object, **options: object) -> torch.Tensor:
        kind = options.get("reduction")  # "none": an evaluation, "sum": a step
        if kind in ("none", "sum") and kind not in refused:
            refused.add(kind)
            raise refusal
        return usual(*arguments, **options)

    monkeypatch.setattr(step.F, "cross_entropy", refused_at_first)
    training = run_training(plain.with_changes(max_steps=1), "halved")
    engine = training.the(EngineReady)
    assert refused == {"none", "sum"} and training.outcome is Status.FINISHED
    assert engine.batch_size == plain.batch_size // 2
    assert engine.batch_size * engine.gradient_accumulation == 32


def test_what_is_not_about_memory_ends_the_training(
    run_training: Run, plain: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object, **options: object) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(step.F, "cross_entropy", fails)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        run_training(plain.with_changes(max_steps=1))


def test_out_of_memory_halves_the_batch_and_keeps_the_step(
    run_training: Run, plain: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run_training(plain, "expected")
    usual = step.F.cross_entropy
    refused = []

    def out_of_memory_above_8_chunks(logits: torch.Tensor, *rest: object, **options: object) -> torch.Tensor:
        # a CPU does not run out of memory in a test; the error is the one that a GPU raises
        if logits.shape[0] > 8 * 32 * 0.3:
            refused.append(logits.shape[0])
            raise torch.OutOfMemoryError("CUDA out of memory")
        return usual(logits, *rest, **options)

    monkeypatch.setattr(step.F, "cross_entropy", out_of_memory_above_8_chunks)
    training = run_training(plain, "halved")
    assert refused
    engine = training.the(EngineReady)
    assert engine.batch_size * engine.gradient_accumulation == 32 and engine.batch_size < 32
    warnings = [event.text for event in training.events if isinstance(event, Message)]
    assert any("effective batch size stays 32" in text for text in warnings)
    monkeypatch.setattr(step.F, "cross_entropy", usual)
    same_losses(expected, training)


@pytest.mark.parametrize("masking", ["whole_word", "span"])
def test_other_maskings_train(run_training: Run, recipe: Recipe, masking: str) -> None:
    evaluations = run_training(recipe.with_changes(masking=masking, epochs=1)).values("eval/loss")
    assert min(evaluations.values()) == evaluations[max(evaluations)]


def test_a_run_that_is_asked_to_stop_at_once_leaves_no_checkpoint(run_training: Run, recipe: Recipe) -> None:
    training = run_training(recipe, stop_after=-1)
    assert training.outcome is Status.STOPPED
    assert not (training.folder / "checkpoints").exists()
