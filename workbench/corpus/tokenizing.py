"""Documents to token ids, in batches, with the fast tokenizer's own threads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tokenizers

from workbench.corpus.words import WordTable, divides_at_blanks

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LONGEST_PIECE = 100_000
"""Characters. A longer text is tokenized in pieces: for memory, and so that all threads have work."""

LONGEST_WORD = 1_000_000
"""Characters without a space between words after which a text is cut all the same: a hundred megabytes of
them at once would take gigabytes."""

AT_ONCE = 4_000_000
"""Characters tokenized together: the encodings of so many take some 200 MB."""

_SPACE_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")


class Tokens(NamedTuple):
    """The tokens of a batch of documents, end to end.

    ids: (tokens,). word_starts: (tokens,) uint8, 1 where a token begins a word; special tokens are words.
    lengths: (documents,) int64, the tokens of each.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    lengths: np.ndarray


class DocumentTokenizer:
    """A tokenizer at work on whole documents: no truncation, its special tokens around each document."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        largest = max(len(tokenizer) - 1, *tokenizer.get_added_vocab().values(), *tokenizer.all_special_ids)
        self.dtype = np.dtype(np.uint16 if largest < 2**16 else np.int32)
        with _untruncated(self._backend):
            description = self._backend.to_str()
            self._before, self._after = _special_tokens_around(self._backend)
            self._space_goes = _space_goes(self._backend)
        self.fingerprint = hashlib.sha256(f"{tokenizers.__version__} {description}".encode()).hexdigest()
        self._begins_word = _word_beginnings(tokenizer, largest + 1)
        self._words = WordTable(self._backend, self.dtype) if divides_at_blanks(tokenizer) else None

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize a batch. A document without any token of its own gets none at all: its length is 0."""
        pieces = [_pieces(text, self._space_goes) for text in texts]
        ids, starts = self._encode_in_groups(list(chain.from_iterable(pieces)))
        bodies: list[np.ndarray] = []
        body_starts: list[np.ndarray] = []
        lengths, at = np.zeros(len(texts), np.int64), 0
        before, after = self._before.astype(self.dtype), self._after.astype(self.dtype)
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
        if not bodies:
            return Tokens(np.empty(0, self.dtype), np.empty(0, np.uint8), lengths)
        return Tokens(np.concatenate(bodies), np.concatenate(body_starts), lengths)

    def _encode_in_groups(self, pieces: list[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """`_encode`, for so much text at a time as memory bears."""
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
        """Ids and word beginnings of each piece, without special tokens."""
        if self._words is not None:
            ids = self._words(pieces)
            return ids, [self._begins_word[part] for part in ids]
        found = self._backend.encode_batch(pieces, add_special_tokens=False)
        ids = [np.array(encoding.ids, dtype=self.dtype) for encoding in found]
        starts = []
        for part, encoding in zip(ids, found, strict=True):
            words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
            changes = np.ones(len(part), dtype=np.uint8)
            changes[1:] = (words[1:] != words[:-1]) | (words[1:] == -1)
            starts.append(changes | self._begins_word[part])
        return ids, starts


def _word_beginnings(tokenizer: PreTrainedTokenizerBase, size: int) -> np.ndarray:
    """What a token's own spelling says about words: uint8 (size,), 1 for tokens that always begin one.

    WordPiece marks every continuation, so its ids say it all. Others mark a space before a token; that is
    needed because some SentencePiece tokenizers take a whole sentence for one word.
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


def _special_tokens_around(backend: tokenizers.Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    """The ids that the tokenizer puts before and after a document."""
    encoding = backend.encode("a")
    is_special = np.array(encoding.special_tokens_mask, dtype=bool)
    ids = np.array(encoding.ids, dtype=np.int64)
    own = np.flatnonzero(~is_special)
    return (ids[: own[0]], ids[own[-1] + 1 :]) if len(own) else (ids[:0], ids[:0])


def _space_goes(backend: tokenizers.Tokenizer) -> str | None:
    """What becomes of the space where a text is cut, that its tokens may be those of the whole.

    "on": it begins the next piece, as most tokenizers have it. "away": it is dropped, where the tokenizer
    puts one before any text. None: this tokenizer's texts cannot be cut.
    """

    def ids(text: str) -> list[int]:
        return list(backend.encode(text, add_special_tokens=False).ids)

    whole, first = ids("one two"), ids("one")
    if whole == first + ids(" two"):
        return "on"
    return "away" if whole == first + ids("two") else None


def _pieces(text: str, space_goes: str | None) -> list[str]:
    """The text, or for a very long one its parts, cut at spaces; where none comes for long, anywhere."""
    pieces, start = [], 0
    while len(text) - start > LONGEST_PIECE:
        limit = start + LONGEST_WORD
        cut = _SPACE_BETWEEN_WORDS.search(text, start + LONGEST_PIECE, limit) if space_goes else None
        if cut:
            pieces.append(text[start : cut.start()])
            start = cut.start() if space_goes == "on" else cut.end()
        elif limit < len(text):
            pieces.append(text[start:limit])
            start = limit
        else:
            break
    pieces.append(text[start:])
    return pieces


def _with_first_set(starts: np.ndarray) -> np.ndarray:
    """A document's first token begins a word, whatever it looks like."""
    if len(starts) and not starts[0]:
        starts = starts.copy()
        starts[0] = 1
    return starts


@contextmanager
def _untruncated(backend: tokenizers.Tokenizer) -> Iterator[None]:
    """Within it the tokenizer neither cuts nor pads; afterwards it does what it did before."""
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
