"""Finds the parts of a text that a tokenizer has no token for.

Most tokenizers encode them as the unknown token. Some drop them silently (BPE without an unknown token), and
some reject the whole text; in that case the parts without a token are dropped here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tokenizers
from tokenizers import pre_tokenizers
from tokenizers.models import BPE

from workbench.pretrained.special_tokens import unknown_id

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Unspelled:
    """Encodes texts even if the tokenizer has no token for some words. `left_out` collects the dropped words
    or letters until the next `take`.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        self._letters = _Letters(self._backend) if _drops_letters(self._backend) else None
        self._spelled: dict[str, str] = {}
        self.left_out: list[str] = []

    def encode(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        """The encodings of the texts, without special tokens."""
        try:
            encodings = list(self._backend.encode_batch(list(texts), add_special_tokens=False))
        except Exception:  # from Rust: one of the texts has a word without a token
            return [self._encode_one(text) for text in texts]
        if self._letters is not None:
            for text in texts:
                self.left_out += self._letters.dropped(text)
        return encodings

    def words_of(self, text: str) -> list[str]:
        """The words or letters of a text that would be dropped; `left_out` stays as it is."""
        before, self.left_out = self.left_out, []
        try:
            self.encode([text])
            return self.left_out
        finally:
            self.left_out = before

    def take(self) -> list[str]:
        """The words and letters dropped since the last call."""
        dropped, self.left_out = self.left_out, []
        return dropped

    def _encode_one(self, text: str) -> tokenizers.Encoding:
        try:
            return self._backend.encode(text, add_special_tokens=False)
        except Exception:
            parts = re.split(r"(\s+)", text)
            # spaces stay, so that the other words keep their positions
            kept = "".join(part if part.isspace() else self._encodable(part) for part in parts)
        return self._backend.encode(kept, add_special_tokens=False)

    def _encodable(self, word: str) -> str:
        """The word, with spaces for the letters that have no token, or for all of them if no letter helps."""
        if word not in self._spelled:
            self._spelled[word] = self._spell(word)
        spelled = self._spelled[word]
        if spelled != word:
            self.left_out.append(word)
        return spelled

    def _spell(self, word: str) -> str:
        if self._can_encode(word):
            return word
        encodable = {letter: self._can_encode(letter) for letter in set(word)}
        by_letters = "".join(letter if encodable[letter] else " " for letter in word)
        return by_letters if by_letters.strip() and self._can_encode(by_letters) else " " * len(word)

    def _can_encode(self, text: str) -> bool:
        try:
            self._backend.encode(text, add_special_tokens=False)
        except Exception:
            return False
        return True


class UnknownWords:
    """Finds the parts of a text that are unknown to a tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        self._id = unknown_id(tokenizer)
        self._unspelled = Unspelled(tokenizer)

    def __call__(self, text: str) -> list[str]:
        """The unknown parts of a text, each once, in order."""
        left_out = self._unspelled.words_of(text)
        if left_out or self._id is None:
            return list(dict.fromkeys(left_out))
        encoding = self._backend.encode(text, add_special_tokens=False)
        spans = [
            span for number, span in zip(encoding.ids, encoding.offsets, strict=True) if number == self._id
        ]
        return list(dict.fromkeys(text[begin:end].strip() for begin, end in spans if text[begin:end].strip()))


def _drops_letters(backend: tokenizers.Tokenizer) -> bool:
    """Whether the tokenizer may drop letters silently: BPE with neither all bytes nor an unknown token."""
    model = backend.model
    if not isinstance(model, BPE) or model.unk_token is not None or model.byte_fallback:
        return False
    vocabulary = backend.get_vocab(with_added_tokens=False)
    return not all(letter in vocabulary for letter in pre_tokenizers.ByteLevel.alphabet())


class _Letters:
    """Finds the letters that a BPE tokenizer drops: those that are not tokens by themselves."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self._normalizer = backend.normalizer
        self._vocabulary = backend.get_vocab(with_added_tokens=True)
        self._bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self._by_bytes = "ByteLevel" in repr(backend.pre_tokenizer)
        self._known: dict[str, bool] = {}

    def dropped(self, text: str) -> list[str]:
        """Every occurrence of such a letter; whitespace does not count."""
        if self._normalizer is not None:
            text = self._normalizer.normalize_str(text)
        unknown = [letter for letter in set(text) if not self._is_known(letter)]
        return [letter for letter in sorted(unknown, key=text.find) for _ in range(text.count(letter))]

    def _is_known(self, letter: str) -> bool:
        if letter not in self._known:
            spelled = self._bytes.pre_tokenize_str(letter) if self._by_bytes else [(letter, (0, 1))]
            has_tokens = all(character in self._vocabulary for piece, _ in spelled for character in piece)
            self._known[letter] = has_tokens or letter.isspace()
        return self._known[letter]
