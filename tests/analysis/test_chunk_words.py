"""Words of a chunk of tokens, also in scripts without spaces and of any kind of tokenizer."""

from __future__ import annotations

import random

import numpy as np
import pytest
from tokenizers import decoders

from tests.corpus.test_scripts import SENTENCES, byte_level, letters, unigram
from workbench.analysis.chunk_words import ChunkWords
from workbench.corpus import ChunkTable
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.pretrained.tokenizer import load_tokenizer


def table_of(tokenizer, texts: list[str], size: int) -> ChunkTable:
    """One chunk, prepared for masks of single tokens."""
    found = DocumentTokenizer(tokenizer)(texts)
    return ChunkTable(found.ids[None, :size], found.word_starts[None, :size], np.array([0, size]))


def words(tokenizer, texts: list[str]) -> list[str]:
    table = table_of(tokenizer, texts, size=sum(map(len, texts)) * 4)
    found = ChunkWords(table, tokenizer)
    begins = np.flatnonzero(found.starts(0))
    parts = [table.ids[0, one:other].tolist() for one, other in zip(begins, [*begins[1:], None], strict=True)]
    special = set(tokenizer.all_special_ids)
    return [found.text(part) for part in parts if not special & set(part)]


@pytest.mark.parametrize("kind", [letters, unigram, byte_level])
@pytest.mark.parametrize("name", ["chinese", "thai"])
def test_words_of_scripts_without_spaces(kind, name) -> None:
    expected = SENTENCES[name]
    # letters in every order, so that no token is longer than a letter or two
    shuffled = "".join(random.Random(1).choices("".join(expected), k=400))
    tokenizer = kind(shuffled)
    if kind is letters:
        tokenizer.backend_tokenizer.decoder = decoders.WordPiece()
    found = words(tokenizer, ["".join(expected)])
    assert "".join(found) == "".join(expected)
    if kind is unigram:  # a token that reaches over the end of a word belongs to it with what follows
        assert len(found) > len(expected) // 2
    else:
        assert found == expected


def test_words_with_spaces_stay_as_the_tokenizer_sees_them() -> None:
    tokenizer = load_tokenizer("starter")
    assert words(tokenizer, ["The unbelievable doctor."]) == ["the", "unbelievable", "doctor", "."]
    table = table_of(tokenizer, ["The unbelievable doctor."], 6)
    assert ChunkWords(table, tokenizer).starts(0).tolist() == table.word_starts[0].astype(bool).tolist()
