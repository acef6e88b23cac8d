"""New models: a tokenizer learnt from the recipe's training text, and a model with random weights."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import torch

from workbench.corpus.cache import key_of
from workbench.corpus.documents import Documents
from workbench.corpus.new_tokenizer import SPECIAL, learn
from workbench.corpus.notes import Notes
from workbench.corpus.selection import selected_rows
from workbench.corpus.sources import open_source
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.events import Listener, Phase, PhaseChanged
from workbench.pretrained.shapes import POSITIONS, shape_of
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.private import make_folder, make_private
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import deciding

_RULES = 2
"""Increased whenever the same recipe would give another tokenizer or other weights."""

_BATCH_DOCUMENTS = 256


def make_new_model(recipe: Recipe, *, cache: Path, listen: Listener, saved: Path | None = None) -> Path:
    """The folder of the new model that recipe.model (`new:SHAPE`) names, created or found in `cache`.

    The tokenizer has recipe.vocab_size tokens, is of the kind recipe.tokenizer, and is learnt from the
    training rows only. BERT's weights are drawn with recipe.seed. The same recipe gives the same files.
    saved: a checkpoint of the run, whose tokenizer is used instead, because an earlier version may have
    learnt another. Raises WorkbenchError.
    """
    shape_of(recipe.model)
    if saved is not None:
        return _with_tokenizer_of(saved, recipe, cache)
    listen(PhaseChanged(Phase.LOADING_DATA))
    notes = Notes(listen)
    source = open_source(recipe, cache)
    parts = {
        "rules": _RULES,
        "seed": recipe.seed,
        "source": source.identity(Notes(lambda event: None)),
        "recipe": deciding(recipe.model_dump(), Affects.TEXT, "source"),
    }
    folder = _place(cache, parts)
    if (folder / "config.json").is_file():
        return folder
    part = folder.with_name(f".part-{token_hex(8)}")
    scratch = part / "scratch"
    try:
        make_folder(scratch)
        documents = source.read(scratch, notes)
        rows = _training_rows(documents, recipe, scratch)
        listen(PhaseChanged(Phase.TOKENIZING))
        tokenizer = _learnt(lambda: _texts(documents, rows, notes), recipe)
        _save(part, recipe, tokenizer)
        if len(tokenizer) < recipe.vocab_size:
            notes.warning(
                f"The text yields a vocabulary of only {len(tokenizer):,} tokens, not {recipe.vocab_size:,}."
            )
        shutil.rmtree(scratch)
        make_private(part)
        with contextlib.suppress(OSError):  # another process created the same model first
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _place(cache: Path, parts: dict[str, Any]) -> Path:
    return cache / "new-model" / key_of(parts)


def _with_tokenizer_of(saved: Path, recipe: Recipe, cache: Path) -> Path:
    """The recipe's model before its first step, with the tokenizer of a checkpoint."""
    tokenizer = load_tokenizer(str(saved))
    fingerprint = DocumentTokenizer(tokenizer).fingerprint
    folder = _place(cache, {"saved": fingerprint, "shape": recipe.model, "seed": recipe.seed})
    if (folder / "config.json").is_file():
        return folder
    part = folder.with_name(f".part-{token_hex(8)}")
    try:
        make_folder(part)
        _save(part, recipe, tokenizer)
        make_private(part)
        with contextlib.suppress(OSError):
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _learnt(texts: Callable[[], Iterator[list[str]]], recipe: Recipe) -> Any:
    """The recipe's tokenizer, learnt in two passes over `texts`."""
    from transformers import PreTrainedTokenizerFast

    backend = learn(recipe.tokenizer, texts, recipe.vocab_size, lowercase=recipe.lowercase == "on")
    roles = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL}
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=POSITIONS,
        clean_up_tokenization_spaces=False,
        **roles,
    )


def _training_rows(documents: Documents, recipe: Recipe, scratch: Path) -> Any:
    """The recipe's training rows. A tokenizer learnt from test rows would improve the test's results."""
    quiet = Notes(lambda event: None)
    return selected_rows(documents, recipe, scratch, quiet)[0]


def _texts(documents: Documents, rows: Any, notes: Notes) -> Iterator[list[str]]:
    for first in range(0, len(rows), _BATCH_DOCUMENTS):
        yield documents.texts(rows[first : first + _BATCH_DOCUMENTS])
        notes.progress(min(first + _BATCH_DOCUMENTS, len(rows)), len(rows), "documents learnt from")


def _save(folder: Path, recipe: Recipe, tokenizer: Any) -> None:
    """Save the tokenizer, and a model for it with weights drawn with recipe.seed."""
    from transformers import BertConfig, BertForMaskedLM

    shape = shape_of(recipe.model)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        max_position_embeddings=POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = BertForMaskedLM(config)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
