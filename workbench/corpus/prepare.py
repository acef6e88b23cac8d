"""Prepare a recipe's text: read, split by document, tokenize once, cut into chunks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.corpus import cache as cached
from workbench.corpus.build import FORMAT, Entry, build_entry, open_entry
from workbench.corpus.chunks import ChunkTable
from workbench.corpus.known import entries_of, tell_changes
from workbench.corpus.long_words import check_words
from workbench.corpus.notes import Notes
from workbench.corpus.sources import open_source
from workbench.corpus.streams import TokenStream
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.errors import CorpusError
from workbench.events import CorpusReady, Listener, Phase, PhaseChanged
from workbench.recipe import Affects, Recipe
from workbench.recipe_fields import deciding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SMALLEST_CHUNK = 8  # of a recipe
_SANE_LENGTH = 1_000_000  # above it a tokenizer means that it knows no limit


@dataclass(frozen=True)
class Corpus:
    """A text, ready to train on. `fingerprint` names its tokens, wherever they were prepared.

    `largest_id` is the largest token id in it: a model whose vocabulary is smaller cannot read it.
    `repeated`, `near_empty`, `empty`: documents whose text was there before, that hold fewer than five words,
    or none. `notes`: what was guessed, changed or left out, a sentence each.
    `sample`: a sentence of the test's, one word of it masked.
    """

    train: ChunkTable
    test: ChunkTable
    fingerprint: str
    text_column: str | None
    revision: str | None
    largest_id: int
    repeated: int
    near_empty: int
    empty: int
    from_cache: bool
    seconds: float
    notes: tuple[str, ...] = ()
    sample: str = ""

    def ready(self) -> CorpusReady:
        """The event that tells of it."""
        return CorpusReady(
            fingerprint=self.fingerprint,
            train_documents=self.train.documents,
            test_documents=self.test.documents,
            train_tokens=self.train.tokens,
            test_tokens=self.test.tokens,
            train_chunks=len(self.train),
            test_chunks=len(self.test),
            text_column=self.text_column,
            revision=self.revision,
            from_cache=self.from_cache,
            seconds=self.seconds,
            notes=self.notes,
            sample=self.sample,
        )


def prepare_corpus(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_chunk: int | None,
    cache: Path,
    listen: Listener,
    known: str | None = None,
) -> Corpus:
    """The recipe's text as chunks: from `cache` if this text was split and tokenized so before.

    max_chunk: tokens that the model can read at once; None: no limit is known. cache: a folder, made if it is
    not there. `listen` is told phases, progress in documents, warnings, and CorpusReady at the end; if it
    raises, the preparation ends and leaves nothing behind. `known`: the fingerprint that this text had
    before; where the cache still has it, its source is not read, and may be gone or changed, which is told.
    Raises CorpusError with what to do.
    """
    began = time.monotonic()
    listen(PhaseChanged(Phase.LOADING_DATA))
    _check_chunk_size(recipe.chunk_size, max_chunk, tokenizer)
    notes = Notes(listen)
    encoder = DocumentTokenizer(tokenizer, words=recipe.masking != "token")
    folders = entries_of(cache, known, encoder.words_version) if known else []
    found = next(filter(None, map(open_entry, folders)), None)
    from_cache, today = found is not None, list[tuple[str, str]]()
    if found is not None:
        tell_changes(recipe, cache, folders, notes)
        today = list(notes.kept)
        notes.repeat(found.notes)
    else:
        try:
            found, from_cache, today = _entry(recipe, encoder, cache, notes, listen)
        except CorpusError as error:
            if not known:
                raise
            raise CorpusError(
                f"The run's prepared text is no longer in {cache}, and cannot be prepared again: "
                f"{error.message}",
                error.hint,
            ) from error
    train = _cut(found.train, "train", recipe)
    if recipe.masking != "token":
        check_words(train, recipe.masking, notes)
    corpus = Corpus(
        train=train,
        test=_cut(found.test, "test", recipe),
        fingerprint=found.fingerprint,
        text_column=found.text_column,
        revision=found.revision,
        largest_id=found.largest_id,
        repeated=found.repeated,
        near_empty=found.near_empty,
        empty=found.empty,
        from_cache=from_cache,
        seconds=time.monotonic() - began,
        notes=tuple(dict.fromkeys(text for _, text in (*today, *notes.kept))),
        sample=found.sample,
    )
    listen(corpus.ready())
    return corpus


def _entry(
    recipe: Recipe, encoder: DocumentTokenizer, cache: Path, notes: Notes, listen: Listener
) -> tuple[Entry, bool, list[tuple[str, str]]]:
    """The recipe's text in the cache, put there if need be; whether it was there; notes about today only.

    Raises CorpusError.
    """
    source = open_source(recipe, cache)
    identity = source.identity(notes)
    parts = {
        "format": FORMAT,
        "source": identity,
        "tokenizer": encoder.fingerprint,
        "recipe": deciding(recipe.model_dump(), Affects.TEXT, "source", "tokenizer"),
    }
    key = cached.key_of(parts)
    today = list(notes.kept)  # what identity() had to say is about today, not about the text
    found = open_entry(cache / key)
    if encoder.words_version and (found is None or found.unspaced):
        key = cached.key_of({**parts, "words": encoder.words_version})
        found = open_entry(cache / key)
    if found is not None:
        notes.repeat(found.notes)
        return found, True, today
    notes.kept.clear()
    with cached.new_entry(cache, key) as folder:
        build_entry(folder, source, identity, recipe, encoder, notes, listen)
    found = open_entry(cache / key)
    if found is None:
        raise CorpusError(f"The prepared text in {cache / key} cannot be read back.", "Check that disk.")
    return found, False, today


def _check_chunk_size(chunk_size: int, max_chunk: int | None, tokenizer: PreTrainedTokenizerBase) -> None:
    limits = []
    if max_chunk is not None:
        limits.append((max_chunk, "the model reads"))
    if tokenizer.model_max_length <= _SANE_LENGTH:
        limits.append((int(tokenizer.model_max_length), "the tokenizer was made for"))
    for limit, whose in limits:
        if chunk_size > limit:
            raise CorpusError(
                f"chunk_size is {chunk_size}, but {whose} at most {limit} tokens at once.",
                f"Set chunk_size (--chunk-size) to {limit} or less.",
            )


def _cut(stream: TokenStream, side: str, recipe: Recipe) -> ChunkTable:
    """Cut one side. Raises CorpusError when it is shorter than one chunk."""
    table = ChunkTable.cut(stream, recipe.chunk_size)
    if len(table):
        return table
    more = "more text" if recipe.train_size is None else "more text or a larger train_size"
    if side == "test":
        more = "a larger test_size (--test-size)"
    smaller = f", or a chunk_size of {table.tokens} or less" if table.tokens >= SMALLEST_CHUNK else ""
    raise CorpusError(
        f"The {side} text has {table.tokens} tokens in {table.documents} "
        f"document{'s' * (table.documents != 1)}: fewer than one chunk of {recipe.chunk_size}.",
        f"Give {more}{smaller}.",
    )
