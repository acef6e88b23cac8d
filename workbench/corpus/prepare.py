"""Prepares a recipe's text: reads it, splits it by document, tokenizes it once and cuts it into chunks."""

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

SMALLEST_CHUNK = 8  # the smallest chunk_size of a recipe
_SANE_LENGTH = 1_000_000  # a larger model_max_length means that the tokenizer has no limit


@dataclass(frozen=True)
class Corpus:
    """A prepared text.

    fingerprint: a hash of its tokens, the same on every machine. largest_id: the largest token id in it; a
    model needs a larger vocabulary. repeated, near_empty, empty: the number of documents equal to an earlier
    one, with fewer than five words, or without text. notes: sentences on what was guessed, changed or left
    out. sample: a test sentence with one word masked. streams: both
    sides, train first, whose documents are whole; chunks cut them.
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
    streams: tuple[TokenStream, TokenStream] | None = None

    def ready(self) -> CorpusReady:
        """The event that reports this text."""
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
    """The recipe's text as chunks, taken from `cache` if it was prepared in the same way before.

    max_chunk: the tokens that the model can read at once; None for no known limit. cache: a folder, created
    if missing. listen: receives phases, progress in documents, warnings, and CorpusReady at the end; if it
    raises, the preparation ends and leaves nothing behind. known: the fingerprint that this text had before;
    if the cache still holds it, the source is not read. It may be gone or changed, which is reported. Raises
    CorpusError.
    """
    began = time.monotonic()
    listen(PhaseChanged(Phase.LOADING_DATA))
    _check_chunk_size(recipe.chunk_size, max_chunk, tokenizer)
    notes = Notes(listen)
    encoder = DocumentTokenizer(tokenizer, words=recipe.masking != "token")
    folders = entries_of(cache, known, encoder.words_version) if known else []
    entry = next(filter(None, map(open_entry, folders)), None)
    from_cache, current_notes = entry is not None, list[tuple[str, str]]()
    if entry is not None:
        tell_changes(recipe, cache, folders, notes)
        current_notes = list(notes.kept)
        notes.repeat(entry.notes)
    else:
        try:
            entry, from_cache, current_notes = _entry(recipe, encoder, cache, notes, listen)
        except CorpusError as error:
            if not known:
                raise
            raise CorpusError(
                f"The run's prepared text is no longer in {cache} and cannot be prepared again: "
                f"{error.message}",
                error.hint,
            ) from error
    train = _cut(entry.train, "train", recipe)
    if recipe.masking != "token":
        check_words(train, recipe.masking, notes)
    corpus = Corpus(
        train=train,
        test=_cut(entry.test, "test", recipe),
        fingerprint=entry.fingerprint,
        text_column=entry.text_column,
        revision=entry.revision,
        largest_id=entry.largest_id,
        repeated=entry.repeated,
        near_empty=entry.near_empty,
        empty=entry.empty,
        from_cache=from_cache,
        seconds=time.monotonic() - began,
        notes=tuple(dict.fromkeys(text for _, text in (*current_notes, *notes.kept))),
        sample=entry.sample,
        streams=(entry.train, entry.test),
    )
    listen(corpus.ready())
    return corpus


def _entry(
    recipe: Recipe, encoder: DocumentTokenizer, cache: Path, notes: Notes, listen: Listener
) -> tuple[Entry, bool, list[tuple[str, str]]]:
    """The recipe's cache entry, created if needed; whether it existed; and the notes of this time only.

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
    current_notes = list(notes.kept)  # identity()'s notes are about this time, not about the text
    entry = open_entry(cache / key)
    if encoder.words_version and (entry is None or entry.unspaced):
        key = cached.key_of({**parts, "words": encoder.words_version})
        entry = open_entry(cache / key)
    if entry is not None:
        notes.repeat(entry.notes)
        return entry, True, current_notes
    notes.kept.clear()
    with cached.new_entry(cache, key) as folder:
        build_entry(folder, source, identity, recipe, encoder, notes, listen)
    entry = open_entry(cache / key)
    if entry is None:
        raise CorpusError(f"The prepared text in {cache / key} cannot be read back.", "Check that disk.")
    return entry, False, current_notes


def _check_chunk_size(chunk_size: int, max_chunk: int | None, tokenizer: PreTrainedTokenizerBase) -> None:
    limits = []
    if max_chunk is not None:
        limits.append((max_chunk, "the model can read"))
    if tokenizer.model_max_length <= _SANE_LENGTH:
        limits.append((int(tokenizer.model_max_length), "the tokenizer allows"))
    for limit, whose in limits:
        if chunk_size > limit:
            raise CorpusError(
                f"chunk_size is {chunk_size}, but {whose} at most {limit} tokens at once.",
                f"Set chunk_size (--chunk-size) to {limit} or less.",
            )


def _cut(stream: TokenStream, side: str, recipe: Recipe) -> ChunkTable:
    """Cut one side into chunks. Raises CorpusError if it is shorter than one chunk."""
    table = ChunkTable.cut(stream, recipe.chunk_size)
    if len(table):
        return table
    more = "more text" if recipe.train_size is None else "more text or a larger train_size"
    if side == "test":
        more = "a larger test_size (--test-size)"
    smaller = f", or a chunk_size of {table.tokens} or less" if table.tokens >= SMALLEST_CHUNK else ""
    raise CorpusError(
        f"The {side} text has {table.tokens} tokens in {table.documents} "
        f"document{'s' * (table.documents != 1)}, less than one chunk of {recipe.chunk_size}.",
        f"Give {more}{smaller}.",
    )
