"""Documents to token ids, in batches, with the fast tokenizer's own threads."""

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
from workbench.corpus.words import WordTable, divides_at_blanks
from workbench.pretrained import scripts
from workbench.pretrained.tokenizer_file import around
from workbench.pretrained.unspelled import Unspelled

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
_PLACES_TRIED = 20
"""Spaces at which a long text is tried to be cut, before it stays whole up to LONGEST_WORD."""
_SIDE = 200
"""Characters on each side of a cut whose tokens must be those of the whole."""


class Tokens(NamedTuple):
    """The tokens of a batch of documents, end to end.

    ids: (tokens,). word_starts: (tokens,) uint8, 1 where a token begins a word; special tokens are words.
    lengths: (documents,) int64, the tokens of each.
    """

    ids: np.ndarray
    word_starts: np.ndarray
    lengths: np.ndarray


class DocumentTokenizer:
    """A tokenizer at work on whole documents: no truncation, its special tokens around each document.

    `words`: whether words are looked for in scripts that are written without spaces, as masks of whole words
    need it; it changes `word_starts` alone. `unknown`: what of the texts so far the tokenizer has no token
    for. `unspaced`: whether some of them was in such a script.
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
        self._table = WordTable(self._backend, self.dtype) if divides_at_blanks(tokenizer) else None
        # a tokenizer whose words come from a library has better ones than those of `scripts`
        self._finds_words = words and not hasattr(tokenizer, "describe")
        self._unspelled = Unspelled(tokenizer)
        self.unknown = Unknown(tokenizer)
        self.unspaced = False

    @property
    def words_version(self) -> str | None:
        """What besides the tokenizer decides where words begin."""
        return scripts.version() if self._finds_words else None

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Tokenize a batch. A document without any token of its own gets none at all: its length is 0."""
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
        of_scripts = [scripts.unspaced(text) if self._finds_words else None for text in pieces]
        if self._table is None:
            return self._encode_all(pieces, of_scripts)
        spaced = [number for number, found in enumerate(of_scripts) if found is None]
        by_table = self._table([pieces[number] for number in spaced])
        others = [number for number, found in enumerate(of_scripts) if found is not None]
        by_library = self._encode_all([pieces[n] for n in others], [of_scripts[n] for n in others])
        ids = dict(zip([*spaced, *others], [*by_table, *by_library[0]], strict=True))
        starts = {number: self._begins_word[ids[number]] for number in spaced}
        starts |= dict(zip(others, by_library[1], strict=True))
        return [ids[number] for number in range(len(pieces))], [starts[n] for n in range(len(pieces))]

    def _encode_all(
        self, pieces: list[str], of_scripts: list[np.ndarray | None]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """`_encode` without the table of words."""
        found = self._unspelled.encode(pieces)
        ids = [np.array(encoding.ids, dtype=self.dtype) for encoding in found]
        starts = []
        for part, encoding, text, of_script in zip(ids, found, pieces, of_scripts, strict=True):
            words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
            changes = np.ones(len(part), dtype=np.uint8)
            changes[1:] = (words[1:] != words[:-1]) | (words[1:] == -1)
            begins = changes | self._begins_word[part]
            if of_script is not None and len(part):
                spans = np.array(encoding.offsets, dtype=np.int64)
                begins = scripts.word_starts(text, of_script, spans[:, 0], begins)
            starts.append(begins)
        self.unknown.count_unspelled(self._unspelled)
        return ids, starts

    def _ids(self, text: str) -> list[int]:
        return list(self._unspelled.encode([text])[0].ids)


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


def _pieces(text: str, ids: Callable[[str], list[int]]) -> list[str]:
    """The text, or for a very long one its parts, cut at spaces; where none comes for long, anywhere.

    `ids`: the tokens of a text, which tell where it may be cut.
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
    """Where the text before a space ends and the one after it begins, that their tokens are those of both.

    Most tokenizers have the space begin the next piece; where one puts a space before any text, it is
    dropped. None: this tokenizer looks across this space.
    """
    left, right = text[max(0, space - _SIDE) : space], text[space + 1 : space + 1 + _SIDE]
    whole, first = ids(f"{left} {right}"), ids(left)
    if whole == first + ids(f" {right}"):
        return space, space
    return (space, space + 1) if whole == first + ids(right) else None


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
