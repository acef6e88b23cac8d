"""Tokenizes documents in batches, with the fast tokenizer's own threads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tokenizers

from workbench.corpus.unknown import Unknown
from workbench.corpus.words import WordTable, splits_at_spaces
from workbench.pretrained import scripts
from workbench.pretrained.tokenizer_file import around
from workbench.pretrained.unspelled import Unspelled

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST_PIECE = 100_000
"""Characters. A longer text is tokenized in pieces, to save memory and to keep all threads busy."""

LONGEST_WORD = 1_000_000
"""A text without a usable space is cut after so many characters, because tokenizing a hundred megabytes at
once would take gigabytes.
"""

AT_ONCE = 4_000_000
"""The characters tokenized together; their encodings take about 200 MB."""

_SPACE_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
_PLACES_TRIED = 20
"""The spaces tried for a cut before a text stays whole up to LONGEST_WORD."""
_SIDE = 200
"""The characters on each side of a cut whose tokens must not change by the cut."""


class Tokens(NamedTuple):
    """The concatenated tokens of a batch of documents.

    ids: (tokens,). word_starts: (tokens,) uint8, 1 where a token begins a word; special tokens are words.
    lengths: (documents,) int64, the number of tokens of each.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    lengths: np.ndarray


def tokenizer_fingerprint(tokenizer: PreTrainedTokenizerBase) -> str:
    """What tells the tokens of one tokenizer from those of any other: 16 hexadecimal digits."""
    return DocumentTokenizer(tokenizer).fingerprint[:16]


class DocumentTokenizer:
    """Tokenizes whole documents without truncation, with special tokens around each document.

    words: whether to find words in scripts without spaces, as whole-word masks need; it changes only
    `word_starts`. unknown: the parts of the texts so far that the tokenizer has no token for. unspaced:
    whether any of the texts was in a script without spaces.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, words: bool = False) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        added = tokenizer.get_added_vocab().values()
        largest = max([len(tokenizer) - 1, *added, *tokenizer.all_special_ids])
        self.dtype = np.dtype(np.uint16 if largest < 2**16 else np.int32)
        with _untruncated(self._backend):
            description = getattr(tokenizer, "describe", self._backend.to_str)()
        before, after = around(self._backend)
        self._before, self._after = np.array(before, self.dtype), np.array(after, self.dtype)
        self.fingerprint = hashlib.sha256(f"{tokenizers.__version__} {description}".encode()).hexdigest()
        self._begins_word = _word_beginnings(tokenizer, largest + 1)
        self._table = WordTable(self._backend, self.dtype) if splits_at_spaces(tokenizer) else None
        # a tokenizer with a word library of its own finds better words than `scripts`
        self._finds_words = words and not hasattr(tokenizer, "describe")
        self._unspelled = Unspelled(tokenizer)
        self.unknown = Unknown(tokenizer)
        self.unspaced = False

    @property
    def words_version(self) -> str | None:
        """The version of the word segmentation, if it is used besides the tokenizer."""
        return scripts.version() if self._finds_words else None

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize a batch. A document without tokens of its own gets no special tokens: its length is 0."""
        self.unspaced = self.unspaced or any(map(scripts.has_unspaced, texts))
        with _untruncated(self._backend):
            pieces = [_pieces(text, self._ids) for text in texts]
        ids, starts = self._encode_in_groups(list(chain.from_iterable(pieces)))
        bodies: list[np.ndarray] = []
        body_starts: list[np.ndarray] = []
        lengths, at = np.zeros(len(texts), np.int64), 0
        before, after = self._before, self._after
        ones_before, ones_after = np.ones(len(before), np.uint8), np.ones(len(after), np.uint8)
        for number, own in enumerate(pieces):
            length = sum(len(part) for part in ids[at : at + len(own)])
            if length:
                first = len(body_starts) + 1
                bodies += [before, *ids[at : at + len(own)], after]
                body_starts += [ones_before, *starts[at : at + len(own)], ones_after]
                body_starts[first] = _with_first_set(body_starts[first])
                lengths[number] = len(before) + length + len(after)
            at += len(own)
        tokens = Tokens(np.empty(0, self.dtype), np.empty(0, np.uint8), lengths)
        if bodies:
            tokens = Tokens(np.concatenate(bodies), np.concatenate(body_starts), lengths)
        self.unknown.count(tokens.ids, lengths, texts)
        return tokens

    def _encode_in_groups(self, pieces: list[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """`_encode` in groups of about AT_ONCE characters, to save memory."""
        ids: list[np.ndarray] = []
        starts: list[np.ndarray] = []
        first = characters = 0
        with _untruncated(self._backend):
            for last, piece in enumerate(pieces, start=1):
                characters += len(piece)
                if characters >= AT_ONCE or last == len(pieces):
                    more_ids, more_starts = self._encode(pieces[first:last])
                    ids += more_ids
                    starts += more_starts
                    first, characters = last, 0
        return ids, starts

    def _encode(self, pieces: list[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The ids and word starts of each piece, without special tokens."""
        unspaced = [scripts.unspaced(text) if self._finds_words else None for text in pieces]
        if self._table is None:
            return self._encode_all(pieces, unspaced)
        spaced = [number for number, mask in enumerate(unspaced) if mask is None]
        by_table = self._table([pieces[number] for number in spaced])
        others = [number for number, mask in enumerate(unspaced) if mask is not None]
        by_library = self._encode_all([pieces[n] for n in others], [unspaced[n] for n in others])
        ids = dict(zip([*spaced, *others], [*by_table, *by_library[0]], strict=True))
        starts = {number: self._begins_word[ids[number]] for number in spaced}
        starts |= dict(zip(others, by_library[1], strict=True))
        return [ids[number] for number in range(len(pieces))], [starts[n] for n in range(len(pieces))]

    def _encode_all(
        self, pieces: list[str], unspaced: list[np.ndarray | None]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """`_encode` without the table of words."""
        encodings = self._unspelled.encode(pieces)
        ids = [np.array(encoding.ids, dtype=self.dtype) for encoding in encodings]
        starts = []
        for part, encoding, text, mask in zip(ids, encodings, pieces, unspaced, strict=True):
            words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
            changes = np.ones(len(part), dtype=np.uint8)
            changes[1:] = (words[1:] != words[:-1]) | (words[1:] == -1)
            begins = changes | self._begins_word[part]
            if mask is not None and len(part):
                spans = np.array(encoding.offsets, dtype=np.int64)
                begins = scripts.word_starts(text, mask, spans[:, 0], begins)
            starts.append(begins)
        self.unknown.count_unspelled(self._unspelled)
        return ids, starts

    def _ids(self, text: str) -> list[int]:
        return list(self._unspelled.encode([text])[0].ids)


def _word_beginnings(tokenizer: PreTrainedTokenizerBase, size: int) -> np.ndarray:
    """The tokens that always begin a word by their spelling: uint8 (size,), 1 for those.

    WordPiece marks every continuation, so its ids suffice. Other tokenizers mark a space before a token,
    which is needed because some SentencePiece tokenizers treat a whole sentence as one word.
    """
    model = tokenizer.backend_tokenizer.model
    vocabulary = tokenizer.get_vocab()
    table = np.zeros(size, dtype=np.uint8)
    if isinstance(model, tokenizers.models.WordPiece):
        prefix = model.continuing_subword_prefix
        begins = [number for token, number in vocabulary.items() if not token.startswith(prefix)]
    else:
        begins = [number for token, number in vocabulary.items() if token.startswith(("\u2581", "\u0120"))]
    table[begins] = 1
    table[list(tokenizer.all_special_ids)] = 1
    return table


def _pieces(text: str, ids: Callable[[str], list[int]]) -> list[str]:
    """The text, or for a very long one its parts, cut at spaces, or after LONGEST_WORD without a usable
    space.

    ids: gives the tokens of a text, which decide where it may be cut.
    """
    pieces, start = [], 0
    while len(text) - start > LONGEST_PIECE:
        limit = start + LONGEST_WORD
        spaces = _SPACE_BETWEEN_WORDS.finditer(text, start + LONGEST_PIECE, limit)
        cuts = (cut for space in islice(spaces, _PLACES_TRIED) if (cut := _cut_at(text, space.start(), ids)))
        cut = next(cuts, None)
        if cut:
            pieces.append(text[start : cut[0]])
            start = cut[1]
        elif limit < len(text):
            pieces.append(text[start:limit])
            start = limit
        else:
            break
    pieces.append(text[start:])
    return pieces


def _cut_at(text: str, space: int, ids: Callable[[str], list[int]]) -> tuple[int, int] | None:
    """The end of the left piece and the beginning of the right one for a cut at a space that keeps all
    tokens.

    With most tokenizers the space begins the right piece; with those that add a space before any text it is
    dropped. None if the cut would change the tokens.
    """
    left, right = text[max(0, space - _SIDE) : space], text[space + 1 : space + 1 + _SIDE]
    whole, first = ids(f"{left} {right}"), ids(left)
    if whole == first + ids(f" {right}"):
        return space, space
    return (space, space + 1) if whole == first + ids(right) else None


def _with_first_set(starts: np.ndarray) -> np.ndarray:
    """Mark a document's first token as a word start."""
    if len(starts) and not starts[0]:
        starts = starts.copy()
        starts[0] = 1
    return starts


@contextmanager
def _untruncated(backend: tokenizers.Tokenizer) -> Iterator[None]:
    """Disable the tokenizer's truncation and padding temporarily."""
    truncation: dict[str, Any] | None = backend.truncation
    padding: dict[str, Any] | None = backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        yield
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)
