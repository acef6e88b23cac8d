"""Tokenizes with a table of words: each different word is tokenized once and looked up afterwards.

If a tokenizer splits at every space and never looks across one, a text's tokens are those of its
space-separated words, concatenated. BERT's tokenizer does so (DistilBERT, ELECTRA, MPNet, MiniLM and others
use it too). Because text repeats its words, this is about five times as fast as tokenizing every occurrence,
with equal tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tokenizers
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_CHARACTERS = 32_000_000
"""The characters of all words in a table, which takes about 300 MB then. After that a new table is started,
because the number of different words is unbounded.
"""


def splits_at_spaces(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokens of a text are those of its space-separated words."""
    backend = tokenizer.backend_tokenizer
    crosses_spaces = (
        token.lstrip or token.rstrip or any(map(str.isspace, token.content))
        for token in tokenizer.added_tokens_decoder.values()
    )
    return (
        isinstance(backend.model, WordPiece)
        and backend.token_to_id(backend.model.unk_token) is not None  # else the library rejects some texts
        and isinstance(backend.pre_tokenizer, BertPreTokenizer)
        and (backend.normalizer is None or isinstance(backend.normalizer, BertNormalizer))
        and not any(crosses_spaces)
    )


_SEPARATORS = "の人火山水木ωж•♦"
"""Candidates for the separator between words that are tokenized together; each is a word of its own."""

_GROUP_WORDS = 250
"""The words tokenized together: far cheaper than one by one, and still spread over all processors."""


class WordTable:
    """The tokens of every word seen so far: word n has _lengths[n] ids from _ids[_starts[n]] on."""

    _numbers: dict[str, int]
    _ids: np.ndarray
    _lengths: np.ndarray
    _starts: np.ndarray
    _characters: int

    def __init__(self, backend: tokenizers.Tokenizer, dtype: np.dtype[Any]) -> None:
        """backend: must split at spaces, and neither truncate nor pad while the table is used."""
        self._backend, self._dtype = backend, dtype
        self._separator = next(filter(None, map(self._as_separator, _SEPARATORS)), None)
        self._clear()

    def __call__(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The token ids of each text, without special tokens."""
        if self._characters > MOST_CHARACTERS:
            self._clear()
        words, word_counts = _words(texts)
        numbers = self._numbers_of(words)
        lengths = self._lengths[numbers]
        ends = lengths.cumsum(dtype=np.int64)
        # each token's place in the table: the start of its word plus its offset in the word
        places = np.repeat(self._starts[numbers] - (ends - lengths), lengths)
        places += np.arange(len(places), dtype=np.int64)
        ids = self._ids[places]
        boundaries = np.concatenate([[0], ends])[word_counts.cumsum()]
        return np.split(ids, boundaries[:-1]) if len(boundaries) else []

    def _numbers_of(self, words: pa.Array) -> np.ndarray:
        """The number of each word, int64 (words,); new words are added to the table."""
        encoded = words.dictionary_encode()
        distinct: list[str] = encoded.dictionary.to_pylist()
        new = [word for word in distinct if word not in self._numbers]
        self._numbers.update(zip(new, range(len(self._numbers), len(self._numbers) + len(new)), strict=True))
        self._learn(new)
        numbers = np.fromiter(map(self._numbers.__getitem__, distinct), np.int64, len(distinct))
        return numbers[_int32(encoded.indices)]

    def _learn(self, words: list[str]) -> None:
        """Tokenize words and append them to the table."""
        if not words:
            return
        groups = [words[first : first + _GROUP_WORDS] for first in range(0, len(words), _GROUP_WORDS)]
        ids, counts = zip(*self._encode(groups), strict=True)
        lengths = np.concatenate(counts)
        starts = len(self._ids) + lengths.cumsum() - lengths
        self._ids = np.concatenate([self._ids, *ids])
        self._lengths = np.concatenate([self._lengths, lengths])
        self._starts = np.concatenate([self._starts, starts])
        self._characters += sum(map(len, words))

    def _encode(self, groups: list[list[str]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each group: the concatenated ids of its words, and the number for each word, int64 (words,).

        The words of a group are tokenized together, with a separator between them.
        """
        if self._separator is None:
            yield from map(self._encode_singly, groups)
            return
        letter, number = self._separator
        joined = [f" {letter} ".join(group) for group in groups]
        encodings = self._backend.encode_batch_fast(joined, add_special_tokens=False)
        for group, encoding in zip(groups, encodings, strict=True):
            ids = np.array(encoding.ids, dtype=self._dtype)
            separates = ids == number
            separators = np.flatnonzero(separates)
            if len(separators) == len(group) - 1:
                ends = np.append(separators, len(ids)).astype(np.int64)
                yield ids[~separates], np.diff(ends, prepend=-1) - 1
            else:  # a word contains the separator
                yield self._encode_singly(group)

    def _encode_singly(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        encodings = self._backend.encode_batch_fast(words, add_special_tokens=False)
        parts = [encoding.ids for encoding in encodings]
        ids = np.fromiter(chain.from_iterable(parts), self._dtype)
        return ids, np.fromiter(map(len, parts), np.int64, len(parts))

    def _as_separator(self, letter: str) -> tuple[str, int] | None:
        """The letter and its id, if the tokenizer encodes it as a single token of its own; else None."""
        number = self._backend.token_to_id(letter)
        if number is None or self._backend.encode(letter, add_special_tokens=False).ids != [number]:
            return None
        return letter, number

    def _clear(self) -> None:
        self._numbers = {}
        self._ids = np.empty(0, self._dtype)
        self._lengths = np.empty(0, np.int64)
        self._starts = np.empty(0, np.int64)
        self._characters = 0


def _words(texts: Sequence[str]) -> tuple[pa.Array, np.ndarray]:
    """The words of all texts, and the number of words of each text, int64 (texts,).

    Only space, newline, tab and carriage return separate words; other whitespace stays inside a word, which
    the tokenizer splits as usual. Between two separators is an empty word without tokens.
    """
    spaced = (text.replace("\n", " ").replace("\t", " ").replace("\r", " ") for text in texts)
    encoded = [text.encode("utf-8", "replace") for text in spaced]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    # from buffers, because pa.array and to_numpy import pandas, which takes as long as a small text
    buffers = pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(encoded))
    split = pc.split_pattern(pa.LargeStringArray.from_buffers(len(texts), *buffers), " ")
    return split.flatten(), np.diff(_int32(split.offsets)).astype(np.int64)


def _int32(array: pa.Array) -> np.ndarray:
    """The memory of an Arrow int32 array without nulls."""
    return np.frombuffer(array.buffers()[1], np.int32, len(array), 4 * array.offset)
