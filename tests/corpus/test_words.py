"""The table of words gives the tokens that the tokenizer itself would give, whatever stands in the text."""

from __future__ import annotations

import random
import sys

import pytest
from tokenizers import AddedToken, Tokenizer

from workbench.corpus import words
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.words import splits_at_spaces
from workbench.pretrained.tokenizer import load_tokenizer


@pytest.fixture
def own_tokenizer():
    """A tokenizer that a test may change."""
    return load_tokenizer("starter")


def expected(tokenizer, texts: list[str]) -> list[list[int]]:
    """The tokenizer's own answer for documents, and nothing for one without tokens of its own."""
    backend: Tokenizer = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return [ids if len(ids := encoding.ids) > 2 else [] for encoding in backend.encode_batch(texts)]


def ours(tokenizer, texts: list[str]) -> list[list[int]]:
    tokens = DocumentTokenizer(tokenizer)(texts)
    ends = tokens.lengths.cumsum().tolist()
    return [tokens.ids[end - length : end].tolist() for end, length in zip(ends, tokens.lengths, strict=True)]


def test_the_starters_text_goes_by_the_table(tokenizer) -> None:
    assert splits_at_spaces(tokenizer)


def test_every_character_is_tokenized_alike_beside_blanks_and_letters(tokenizer) -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    texts = [
        " ".join(
            f"a{character}b {character}c d{character} {character}" for character in characters[at : at + 500]
        )
        for at in range(0, 0x30000, 500)
    ]
    assert ours(tokenizer, texts) == expected(tokenizer, texts)


def test_jumbled_text_is_tokenized_alike(tokenizer) -> None:
    draw = random.Random(1)
    plain = [
        "word",
        "unbelievable",
        "don't",
        "naïve",
        "n\u0303",
        "中文",
        "☃",
        "a" * 101,
        ".",
        "1,000",
        "#",
        "##ing",
    ]
    special = ["[MASK]", "[SEP]", "x[MASK]y", "\ufffd", "\0", "\u0301"]
    blanks = [
        " ",
        "  ",
        "\n",
        "\t",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\xa0",
        "\u2028",
        "\u200b",
        "\u3000",
    ]
    parts = plain + special + blanks
    texts = ["".join(draw.choices(parts, k=draw.randint(0, 40))) for _ in range(3000)]
    assert ours(tokenizer, texts) == expected(tokenizer, texts)


def test_a_table_that_is_full_begins_anew(tokenizer, monkeypatch) -> None:
    monkeypatch.setattr(words, "MOST_CHARACTERS", 50)
    texts = [f"the {n} words of text {n % 7} come and go" for n in range(100)]
    encoder = DocumentTokenizer(tokenizer)
    found = [encoder([text]).ids.tolist() for text in texts]
    assert found == expected(tokenizer, texts)


@pytest.mark.parametrize(
    "token",
    [AddedToken("<x>", lstrip=True), AddedToken("<x>", rstrip=True), AddedToken("two words")],
)
def test_tokens_that_reach_over_blanks_are_left_to_the_tokenizer(own_tokenizer, token) -> None:
    own_tokenizer.add_tokens([token])
    assert not splits_at_spaces(own_tokenizer)
    texts = ["one <x> two words   and <x>  more two  words"]
    assert ours(own_tokenizer, texts) == expected(own_tokenizer, texts)
