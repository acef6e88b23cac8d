"""A model and a tokenizer that begin from nothing but the recipe's own training text."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import tokenizers

from workbench.corpus.cache import key_of
from workbench.corpus.dedup import sieve
from workbench.corpus.documents import Documents
from workbench.corpus.notes import Notes
from workbench.corpus.sources import open_source
from workbench.corpus.split import split_rows
from workbench.events import Listener, Phase, PhaseChanged
from workbench.pretrained.shapes import POSITIONS, shape_of
from workbench.private import make_folder, make_private
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import deciding

_RULES = 1
"""Counted up when the same recipe would give another tokenizer or other weights."""

_DOCUMENTS_AT_ONCE = 256
_MOST_LETTERS = 1_000
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def newborn(recipe: Recipe, *, cache: Path, listen: Listener) -> Path:
    """The folder of the model that recipe.model (`new:SHAPE`) means: made, or found in `cache`.

    A WordPiece tokenizer (uncased, as BERT's) of recipe.vocab_size tokens learnt from the training rows
    alone, and BERT's weights drawn with recipe.seed. The same recipe gives the same files. Raises
    WorkbenchError.
    """
    listen(PhaseChanged(Phase.LOADING_DATA))
    shape_of(recipe.model)
    notes = Notes(listen)
    source = open_source(recipe, cache)
    parts = {
        "rules": _RULES,
        "seed": recipe.seed,
        "source": source.identity(Notes(lambda event: None)),
        "recipe": deciding(recipe.model_dump(), Affects.TEXT, "source"),
    }
    folder = cache / "newborn" / key_of(parts)
    if (folder / "config.json").is_file():
        return folder
    part = folder.with_name(f".part-{token_hex(8)}")
    scratch = part / "scratch"
    try:
        make_folder(scratch)
        documents = source.read(scratch, notes)
        rows = _training_rows(documents, recipe)
        listen(PhaseChanged(Phase.TOKENIZING))
        tokenizer = _tokenizer(lambda: _texts(documents, rows, notes), recipe.vocab_size)
        _save(part, recipe, tokenizer)
        if len(tokenizer) < recipe.vocab_size:
            notes.warning(
                f"The text gives a vocabulary of {len(tokenizer):,} tokens, not {recipe.vocab_size:,}."
            )
        shutil.rmtree(scratch)
        make_private(part)
        with contextlib.suppress(OSError):  # another process was first, with the same
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _training_rows(documents: Documents, recipe: Recipe) -> Any:
    """The rows that the recipe trains on: a tokenizer that knew the test would flatter it."""
    quiet = Notes(lambda event: None)
    rows = sieve(
        documents, drop_duplicates=recipe.duplicates == "drop", min_words=recipe.min_words, notes=quiet
    )
    train, _ = split_rows(
        len(documents) if rows is None else len(rows),
        recipe.test_size,
        recipe.train_size,
        recipe.seed_of_split,
        quiet,
        in_order=documents.in_order,
    )
    return train if rows is None else rows[train]


def _texts(documents: Documents, rows: Any, notes: Notes) -> Iterator[list[str]]:
    for first in range(0, len(rows), _DOCUMENTS_AT_ONCE):
        yield documents.texts(rows[first : first + _DOCUMENTS_AT_ONCE])
        notes.progress(min(first + _DOCUMENTS_AT_ONCE, len(rows)), len(rows), "documents learnt from")


def _tokenizer(texts: Callable[[], Iterator[list[str]]], vocab_size: int) -> Any:
    """A tokenizer as BERT's, learnt from `texts`, which are gone through twice."""
    from transformers import BertTokenizerFast

    learner = tokenizers.BertWordPieceTokenizer(lowercase=True)
    seen: Counter[str] = Counter()
    for batch in texts():
        seen.update(learner.normalize(" ".join(batch)))
    letters = sorted(letter for letter, _ in seen.most_common(_MOST_LETTERS) if not letter.isspace())
    # Left to itself the trainer numbers the letters inside words in an order that changes from run to run,
    # and by these numbers it chooses among equally frequent pairs: so they get theirs beforehand.
    learner.train_from_iterator(
        texts(),
        vocab_size=vocab_size,
        min_frequency=0,
        special_tokens=[*_SPECIAL, *letters, *(f"##{letter}" for letter in letters)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        show_progress=False,
    )
    return BertTokenizerFast(vocab=learner.get_vocab(), do_lower_case=True, model_max_length=POSITIONS)


def _save(folder: Path, recipe: Recipe, tokenizer: Any) -> None:
    """The tokenizer and a model for it with weights from recipe.seed."""
    import torch
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
