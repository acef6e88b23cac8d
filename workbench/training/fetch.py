"""Fetches everything that a training reads into the caches: weights, tokenizer and prepared text."""

from __future__ import annotations

from pathlib import Path

from workbench.corpus import prepare_corpus
from workbench.corpus.new_model import make_new_model
from workbench.events import Listener, Message, Phase, PhaseChanged, Progress
from workbench.pretrained.model import load_config, load_model, usable_positions
from workbench.pretrained.shapes import is_new
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe


def fetch(
    recipe: Recipe, listen: Listener, *, cache: Path, model: str | None = None, known: str | None = None
) -> None:
    """Read the model and prepare the text as a training would, which can then run without a network.

    `model` takes the place of recipe.model where that names a run, or is a checkpoint to continue from.
    `known`: the fingerprint that this run's text had before. Raises WorkbenchError.
    """
    name, revision = model or recipe.model, None if model else recipe.model_revision
    if is_new(name):
        name = str(make_new_model(recipe, cache=cache, listen=listen))
    config = load_config(name, revision)
    tokenizer = load_tokenizer(name, revision, lambda text: listen(Message(text)))
    limit = usable_positions(config)
    prepare_corpus(recipe, tokenizer, max_chunk=limit, cache=cache, listen=listen, known=known)
    listen(PhaseChanged(Phase.LOADING_MODEL))
    # loading the weights also shows that they are complete
    load_model(
        name,
        revision,
        lambda done, total: listen(Progress(done, total, "bytes")),
        seed=recipe.seed,
    )
