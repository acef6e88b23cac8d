"""Converts tokenizers that transformers has only in Python to fast ones with the same tokens.

Tokenizers that split words with another library (Japanese BERT with MeCab or Sudachi) keep calling it. They
are saved in their original files, because a tokenizer.json cannot hold them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tokenizers
from tokenizers import (
    AddedToken,
    NormalizedString,
    PreTokenizedString,
    Regex,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import SLOW_TO_FAST_CONVERTERS, convert_slow_tokenizer

from workbench.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizer

_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


_LIBRARY_SETTINGS = (
    "word_tokenizer_type",
    "subword_tokenizer_type",
    "do_lower_case",
    "mecab_kwargs",
    "sudachi_kwargs",
)


class TokenizerWithLibrary(PreTrainedTokenizerFast):
    """A fast tokenizer whose words come from another library; saved as the Python tokenizer it came from."""

    python_tokenizer: PreTrainedTokenizer

    def describe(self) -> str:
        """Everything that decides the tokens, as JSON: equal for equal tokenizers."""
        slow = self.python_tokenizer
        settings = [str(getattr(slow, name, None)) for name in _LIBRARY_SETTINGS]
        return json.dumps([type(slow).__name__, slow.get_vocab(), settings], sort_keys=True)

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> tuple[str, ...]:
        """Write the files of the Python tokenizer."""
        saved: tuple[str, ...] = self.python_tokenizer.save_pretrained(save_directory)
        return saved


def converted(slow: PreTrainedTokenizer, model: str) -> PreTrainedTokenizerFast:
    """A fast tokenizer with the same tokens as `slow`. Raises ModelError if it cannot be converted."""
    name = type(slow).__name__
    convert = _CONVERTERS.get(name)
    if convert is None:
        return _by_transformers(slow, name, model)
    backend, words = convert(slow, model)
    _surround(backend, slow)
    roles = {role: token for role in _ROLES if (token := getattr(slow, role, None)) is not None}
    limit = {"model_max_length": slow.model_max_length}
    if words is None:
        return PreTrainedTokenizerFast(tokenizer_object=backend, **roles, **limit)
    tokenizer = TokenizerWithLibrary(tokenizer_object=backend, **roles, **limit)
    # set last, because a tokenizer with a component in Python cannot be copied
    tokenizer.backend_tokenizer.pre_tokenizer = words
    tokenizer.python_tokenizer = slow
    return tokenizer


_Converted = tuple[tokenizers.Tokenizer, Any]
"""The backend, and a pre-tokenizer in Python or None."""


def _proteins(slow: PreTrainedTokenizer, model: str) -> _Converted:
    """ESM: tokens of the vocabulary are matched anywhere in the text; each word between them is unknown."""
    vocabulary = slow.get_vocab()
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=str(slow.unk_token)))
    longest_first = sorted(vocabulary, key=lambda token: (-len(token), token))
    pattern = Regex("|".join(map(re.escape, longest_first)))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(pattern, "isolated")]
    )
    backend.decoder = decoders.Fuse()  # a protein's letters are written without spaces
    return backend, None


def _bytes(slow: PreTrainedTokenizer, model: str) -> _Converted:
    """Perceiver: the special tokens, then one token for each byte."""
    alphabet = _letters_of_bytes()
    first = len(slow.added_tokens_decoder)
    vocabulary = {str(token): number for number, token in slow.added_tokens_decoder.items()}
    vocabulary |= {letter: first + byte for byte, letter in enumerate(alphabet)}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=str(slow.pad_token)))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            pre_tokenizers.Split("", "isolated"),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    return backend, None


def _japanese(slow: PreTrainedTokenizer, model: str) -> _Converted:
    """Japanese BERT: words from a library or by BERT's rules, then word pieces or characters."""
    settings: Any = slow
    kind, pieces = settings.word_tokenizer_type, settings.subword_tokenizer_type
    whole = settings.do_word_tokenize and settings.do_subword_tokenize
    changes_words = bool((settings.sudachi_kwargs or {}).get("sudachi_projection"))
    if kind not in ("basic", "mecab", "sudachi") or pieces == "sentencepiece" or not whole or changes_words:
        raise _no_fast_version(model, "BertJapaneseTokenizer of this kind")
    letters, unknown = pieces == "character", str(slow.unk_token)
    vocabulary = slow.get_vocab()
    model_class = models.WordLevel if letters else models.WordPiece
    backend = tokenizers.Tokenizer(model_class(vocabulary, unk_token=unknown))
    backend.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    apart = pre_tokenizers.Split("", "isolated")
    if kind == "basic":
        as_bert = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=False,
            strip_accents=None,
            lowercase=bool(settings.do_lower_case),
        )
        backend.normalizer = normalizers.Sequence([as_bert, *([normalizers.NFKC()] if letters else [])])
        words = pre_tokenizers.BertPreTokenizer()
        backend.pre_tokenizer = pre_tokenizers.Sequence([words, apart]) if letters else words
        return backend, None
    normal = [normalizers.NFKC()] if settings.word_tokenizer.normalize_text else []
    backend.normalizer = normalizers.Sequence(normal)
    by_library: Any = pre_tokenizers.PreTokenizer.custom(_Words(settings))
    return backend, pre_tokenizers.Sequence([by_library, apart]) if letters else by_library


class _Words:
    """Splits a text into the words that a Japanese tokenizer's library finds."""

    def __init__(self, settings: Any) -> None:
        self._library, self._never_split = settings.word_tokenizer, settings.all_special_tokens

    def pre_tokenize(self, text: PreTokenizedString) -> None:
        """The hook that the library `tokenizers` calls."""
        text.split(self._split)

    def _split(self, _: int, normalized: NormalizedString) -> list[NormalizedString]:
        whole = str(normalized)
        parts, at = [], 0
        for word in self._library.tokenize(whole, never_split=self._never_split):
            place = _place_of(word, whole, at)
            if place is None:
                raise ValueError(f"the library's word {word!r} is not in the text")
            at = place + len(word)
            part = normalized[place:at]
            if part is not None and self._library.do_lower_case:
                part.lowercase()
            parts.append(part)
        if whole[at:].strip():
            parts.append(normalized[at:])
        return [part for part in parts if part is not None]


def _place_of(word: str, whole: str, start: int) -> int | None:
    """The position of one of the library's words; the library drops spaces and may lowercase words."""
    while start < len(whole) and whole[start].isspace() and not word[:1].isspace():
        start += 1
    part = whole[start : start + len(word)]
    return start if part == word or part.lower() == word else None


_CONVERTERS: dict[str, Callable[[Any, str], _Converted]] = {
    "EsmTokenizer": _proteins,
    "PerceiverTokenizer": _bytes,
    "BertJapaneseTokenizer": _japanese,
}


def _by_transformers(slow: PreTrainedTokenizer, name: str, model: str) -> PreTrainedTokenizerFast:
    if name not in SLOW_TO_FAST_CONVERTERS:
        raise _no_fast_version(model, name)
    backend = convert_slow_tokenizer(slow)
    roles = {role: token for role in _ROLES if (token := getattr(slow, role, None)) is not None}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=slow.model_max_length, **roles)


def _surround(backend: tokenizers.Tokenizer, slow: PreTrainedTokenizer) -> None:
    """Give `backend` the special tokens of `slow`, including those that it adds around a text."""
    backend.add_special_tokens(
        [
            token if isinstance(token, AddedToken) else AddedToken(token, special=True)
            for token in slow.added_tokens_decoder.values()
            if token.special
        ]
    )
    inside = -1
    whole = slow.build_inputs_with_special_tokens([inside])
    place = whole.index(inside)
    names = {number: str(slow.convert_ids_to_tokens(number)) for number in whole if number != inside}
    template = [*(names[number] for number in whole[:place]), "$A"]
    template += [names[number] for number in whole[place + 1 :]]
    backend.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(name, number) for number, name in names.items()]
    )


def _letters_of_bytes() -> list[str]:
    """The byte-level pre-tokenizer's character for each byte: printable bytes stay, others start at 0x100."""
    printed = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = iter(range(0x100, 0x200))
    return [chr(byte if byte in printed else next(moved)) for byte in range(256)]


def _no_fast_version(model: str, name: str) -> ModelError:
    return ModelError(
        f"The tokenizer of {model} is a {name}, which exists only in Python and cannot be converted.",
        "Choose a model whose folder holds a tokenizer.json.",
    )


def library_wanted(error: Exception) -> str:
    """The package that transformers says it needs to build a tokenizer; "" for any other error."""
    match = re.search(
        r"(?:need to install|requires the) [\W]*(\w+)|[Tt]he (\w+) dictionary is not", str(error)
    )
    return next(filter(None, match.groups()), "") if match else ""
