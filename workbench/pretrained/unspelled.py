"""What of a text a tokenizer has no token for.

Most tokenizers put an unknown token in its place. Some leave it out without a word (BPE without an unknown
token), and some refuse the whole text: then what they cannot spell is left out here.
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
    """Encodes texts of which the tokenizer may be unable to spell some words. `left_out`: those of the texts
    since the last look, one or more a word.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        self._letters = _Letters(self._backend) if _drops_letters(self._backend) else None
        self._spelled: dict[str, str] = {}
        self.left_out: list[str] = []

    def encode(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        """The encodings of the texts, without special tokens."""
        try:
            found = list(self._backend.encode_batch(list(texts), add_special_tokens=False))
        except Exception:  # of Rust: one of them has a word without a token
            return [self._encode_one(text) for text in texts]
        if self._letters is not None:
            for text in texts:
                self.left_out += self._letters.dropped(text)
        return found

    def words_of(self, text: str) -> list[str]:
        """What of a text is left out; it does not count as seen."""
        before, self.left_out = self.left_out, []
        try:
            self.encode([text])
            return self.left_out
        finally:
            self.left_out = before

    def take(self) -> list[str]:
        """What was left out since the last call."""
        found, self.left_out = self.left_out, []
        return found

    def _encode_one(self, text: str) -> tokenizers.Encoding:
        try:
            return self._backend.encode(text, add_special_tokens=False)
        except Exception:
            parts = re.split(r"(\s+)", text)
            # blanks stay, so that the places of the other words do
            kept = "".join(part if part.isspace() else self._what_is_spelled(part) for part in parts)
        return self._backend.encode(kept, add_special_tokens=False)

    def _what_is_spelled(self, word: str) -> str:
        """The word, or as many blanks as it has letters; of one spelled by letters, those known."""
        if word not in self._spelled:
            self._spelled[word] = self._spell(word)
        spelled = self._spelled[word]
        if spelled != word:
            self.left_out.append(word)
        return spelled

    def _spell(self, word: str) -> str:
        if self._can(word):
            return word
        known = {letter: self._can(letter) for letter in set(word)}
        by_letters = "".join(letter if known[letter] else " " for letter in word)
        return by_letters if by_letters.strip() and self._can(by_letters) else " " * len(word)

    def _can(self, text: str) -> bool:
        try:
            self._backend.encode(text, add_special_tokens=False)
        except Exception:
            return False
        return True


class UnknownWords:
    """Finds what of a text is unknown to a tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend: tokenizers.Tokenizer = tokenizer.backend_tokenizer
        self._id = unknown_id(tokenizer)
        self._unspelled = Unspelled(tokenizer)

    def __call__(self, text: str) -> list[str]:
        """The parts of one text that are unknown, each once, in their order."""
        left_out = self._unspelled.words_of(text)
        if left_out or self._id is None:
            return list(dict.fromkeys(left_out))
        encoding = self._backend.encode(text, add_special_tokens=False)
        spans = [
            span for number, span in zip(encoding.ids, encoding.offsets, strict=True) if number == self._id
        ]
        return list(dict.fromkeys(text[begin:end].strip() for begin, end in spans if text[begin:end].strip()))


def _drops_letters(backend: tokenizers.Tokenizer) -> bool:
    """Whether the tokenizer may leave letters out without a word: BPE that can spell neither any letter nor
    say that it is unknown.
    """
    model = backend.model
    if not isinstance(model, BPE) or model.unk_token is not None or model.byte_fallback:
        return False
    vocabulary = backend.get_vocab(with_added_tokens=False)
    return not all(letter in vocabulary for letter in pre_tokenizers.ByteLevel.alphabet())


class _Letters:
    """Which letters a BPE tokenizer leaves out: those that are no token by themselves."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self._normalizer = backend.normalizer
        self._vocabulary = backend.get_vocab(with_added_tokens=True)
        self._bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        self._by_bytes = "ByteLevel" in repr(backend.pre_tokenizer)
        self._known: dict[str, bool] = {}

    def dropped(self, text: str) -> list[str]:
        """Every occurrence of such a letter; blanks do not count."""
        if self._normalizer is not None:
            text = self._normalizer.normalize_str(text)
        unknown = [letter for letter in set(text) if not self._is_known(letter)]
        return [letter for letter in sorted(unknown, key=text.find) for _ in range(text.count(letter))]

    def _is_known(self, letter: str) -> bool:
        if letter not in self._known:
            spelled = self._bytes.pre_tokenize_str(letter) if self._by_bytes else [(letter, (0, 1))]
            whole = all(one in self._vocabulary for piece, _ in spelled for one in piece)
            self._known[letter] = whole or letter.isspace()
        return self._known[letter]
