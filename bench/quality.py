"""Does the speed cost anything? Test perplexity after the same number of tokens, tutorial's loop and engine.

`python -m bench.quality engine|tutorial FOLDER SEED STEPS` trains the starter on python-docs and scores the
result: both sides from the same weights, on the same chunks, with the same batch, learning rate and number
of steps, each with its own order, masks and dropout. Both are scored by plain transformers code in fp32, on
the same test masks. Prints JSON.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn import functional as F

from workbench.corpus import Corpus, prepare_corpus
from workbench.corpus.masking import fixed_masks
from workbench.corpus.vocabulary import Vocabulary
from workbench.pretrained.starter import starter_folder
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe, preset

STEPS = 153  # about one epoch


def quality_recipe(seed: int, steps: int) -> Recipe:
    """The starter's recipe for one epoch, or less, at the constant rate of the tutorial's loop."""
    return preset("starter").with_changes(seed=seed, epochs=1, max_steps=steps, schedule="constant")


def with_engine(recipe: Recipe, cache: Path, into: Path) -> None:
    """Train with this project's engine; the model lands in `into`."""
    from workbench.training import checkpoint
    from workbench.training.engine import train

    run = into.parent / "run"
    train(recipe, run, lambda event: None, cache=cache)
    checkpoint.whole_checkpoints(run)[-1].rename(into)


def with_tutorial(recipe: Recipe, corpus: Corpus, into: Path) -> None:
    """Train with the tutorial's loop for as many steps; the model lands in `into`."""
    import datasets

    from bench import tutorial

    torch.manual_seed(recipe.seed)
    ids = corpus.train.ids[:].tolist()
    chunks = datasets.Dataset.from_dict(
        {"input_ids": ids, "attention_mask": [[1] * recipe.chunk_size] * len(ids)}
    )
    steps = math.ceil(len(ids) / recipe.batch_size)
    if recipe.max_steps is not None and recipe.max_steps < steps:
        order = torch.randperm(len(ids)).tolist()
        chunks = chunks.select(order[: recipe.max_steps * recipe.batch_size])
    model = tutorial.train(
        starter_folder(),
        chunks,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        mask_prob=recipe.mask_prob,
        epochs=1,
    )
    model.save_pretrained(into)


@torch.no_grad()
def score(model_folder: Path, corpus: Corpus, recipe: Recipe) -> float:
    """Mean negative log likelihood per masked token of the test side, in nats."""
    from transformers import AutoModelForMaskedLM

    tokenizer = load_tokenizer("starter", None)
    model = AutoModelForMaskedLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    vocabulary = Vocabulary.from_tokenizer(tokenizer, model.config.vocab_size)
    total, count = 0.0, 0
    for batch in fixed_masks(corpus.test, vocabulary, recipe, batch_size=32):
        logits = model(input_ids=batch.input_ids).logits
        total += F.cross_entropy(logits.flatten(0, 1), batch.labels.flatten(), reduction="sum").item()
        count += int((batch.labels != -100).sum())
    return total / count


def main(side: str, folder: Path, seed: int, steps: int) -> dict[str, Any]:
    """Train one side with one seed and score it."""
    recipe = quality_recipe(seed, steps)
    tokenizer = load_tokenizer("starter", None)
    corpus = prepare_corpus(
        recipe, tokenizer, max_chunk=None, cache=folder / "cache", listen=lambda event: None
    )
    with TemporaryDirectory(dir=folder) as temporary:
        trained = Path(temporary) / "trained"
        if side == "engine":
            with_engine(recipe, folder / "cache", trained)
        else:
            with_tutorial(recipe, corpus, trained)
        loss = score(trained, corpus, recipe)
    taken = min(steps, math.ceil(len(corpus.train) / recipe.batch_size))
    return {
        "seed": seed,
        "loss": loss,
        "perplexity": math.exp(loss),
        "steps": taken,
        "baseline_loss": score(starter_folder(), corpus, recipe),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
