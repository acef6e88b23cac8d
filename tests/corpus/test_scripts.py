"""Whole words in scripts without spaces: what is masked together, and how much of each chunk."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.masking import IGNORED, Masker
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import CorpusError

SENTENCES = {
    "chinese": ["医生", "检查", "了", "病人", "的", "心脏", "并且", "记录", "了", "所有", "的", "结果", "。"],
    "thai": ["แพทย์", "ตรวจ", "หัวใจ", "ของ", "และ", "บันทึก", "ผล", "ทั้งหมด"],
    "japanese": ["私", "は", "昨日", "東京", "で", "美味しい", "寿司", "を"],
    "khmer": ["ខ្ញុំ", "ចូលចិត្ត", "រៀន", "ភាសាខ្មែរ"],
    "lao": ["ຂ້ອຍ", "ມັກ", "ຮຽນ", "ພາສາ", "ລາວ"],
    "burmese": ["ကျွန်တော်", "မြန်မာ", "စာ", "လေ့လာ", "နေ", "ပါသည်"],
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def wrapped(backend: Tokenizer) -> PreTrainedTokenizerBase:
    around = [(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    roles = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **roles)


def letters(text: str) -> PreTrainedTokenizerBase:
    """As BERT's for Chinese: a token for each letter."""
    found = [*SPECIAL, *sorted(set(text)), *sorted(f"##{letter}" for letter in set(text))]
    backend = Tokenizer(models.WordPiece({token: n for n, token in enumerate(found)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(strip_accents=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return wrapped(backend)


def unigram(text: str) -> PreTrainedTokenizerBase:
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="[UNK]")
    backend.train_from_iterator([text] * 10, trainer)
    return wrapped(backend)


def byte_level(text: str) -> PreTrainedTokenizerBase:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=261, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    backend.train_from_iterator([text], trainer)
    return wrapped(backend)


def words_of(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    tokens = DocumentTokenizer(tokenizer, words=True)([text])
    pieces: list[list[int]] = []
    for number, begins in zip(tokens.ids.tolist(), tokens.word_starts.tolist(), strict=True):
        if begins:
            pieces.append([])
        pieces[-1].append(number)
    special = set(tokenizer.all_special_ids)
    found = [tokenizer.decode(piece) for piece in pieces if not special & set(piece)]
    return [word.replace(" ", "").replace("##", "") for word in found]


@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("kind", [letters, byte_level])
def test_words_are_those_of_the_language(kind, name: str) -> None:
    words = SENTENCES[name]
    text = "".join(words)
    assert words_of(kind(text), text) == words


def test_other_scripts_keep_the_words_that_the_tokenizer_sees() -> None:
    text = "我用Python写程序。 and English words 的"
    expected = ["我", "用", "Python", "写", "程序", "。", "and", "English", "words", "的"]
    assert words_of(byte_level(text), text) == expected
    spaced = "unbelievable heart valves"
    for tokenizer in (letters(spaced), byte_level(spaced), unigram(spaced)):
        plain = DocumentTokenizer(tokenizer)([spaced])
        assert np.array_equal(
            plain.word_starts, DocumentTokenizer(tokenizer, words=True)([spaced]).word_starts
        )


def test_the_tokens_do_not_depend_on_the_words() -> None:
    text = "".join(SENTENCES["chinese"])
    for tokenizer in (letters(text), unigram(text), byte_level(text)):
        plain, divided = DocumentTokenizer(tokenizer), DocumentTokenizer(tokenizer, words=True)
        assert np.array_equal(plain([text, "x", text]).ids, divided([text, "x", text]).ids)
        assert plain.fingerprint == divided.fingerprint
        assert plain.words_version is None and "icu" in str(divided.words_version)


@pytest.mark.parametrize("masking", ["whole_word", "span"])
@pytest.mark.parametrize("kind", [letters, unigram])
@pytest.mark.parametrize("name", ["chinese", "thai"])
def test_each_chunk_is_masked_as_much_as_asked(kind, name: str, masking: str, tmp_path: Path) -> None:
    draw = random.Random(2)
    # a sentence that ends, for a word of WordPiece is a hundred letters at most
    lines = [" ".join("".join(draw.choices(SENTENCES[name], k=12)) for _ in range(5)) for _ in range(300)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    recipe = recipe_for(tmp_path / "text.txt", masking=masking, mask_prob=0.15, chunk_size=256)
    tokenizer = kind("".join(SENTENCES[name]))
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=None, cache=tmp_path / "cache", listen=Heard())
    masker = Masker.for_training(recipe, Vocabulary.from_tokenizer(tokenizer))
    ids = torch.from_numpy(corpus.train.ids.astype(np.int64))
    starts = torch.from_numpy(corpus.train.word_starts.copy())
    shares = (masker(ids, torch.arange(len(ids)), 0, starts).labels != IGNORED).float().mean(1)
    assert 0.12 < float(shares.mean()) < 0.18
    few, many = (0.01, 0.45) if masking == "whole_word" else (0.05, 0.7)  # spans are several words
    assert float(shares.max()) < many
    assert float((shares == 0).float().mean()) < few


def test_a_text_in_such_a_script_is_divided_anew_for_whole_words(tmp_path: Path) -> None:
    text = "".join(SENTENCES["chinese"])
    (tmp_path / "text.txt").write_text("\n".join([text * 3] * 50))
    tokenizer = letters(text)

    def prepared(masking: str):
        recipe = recipe_for(tmp_path / "text.txt", masking=masking)
        return prepare_corpus(recipe, tokenizer, max_chunk=None, cache=tmp_path / "cache", listen=Heard())

    plain, divided, again = prepared("token"), prepared("whole_word"), prepared("span")
    assert (divided.from_cache, again.from_cache) == (False, True)
    assert divided.fingerprint == plain.fingerprint
    assert divided.train.word_starts.sum() < plain.train.word_starts.sum()


def test_text_that_nothing_divides_is_refused_for_whole_words(tmp_path: Path) -> None:
    draw = random.Random(3)
    (tmp_path / "dna.txt").write_text("\n".join("".join(draw.choices("ACGT", k=300)) for _ in range(200)))
    vocabulary = {token: n for n, token in enumerate([*SPECIAL, *"ACGT"])}
    tokenizer = wrapped(Tokenizer(models.BPE(vocab=vocabulary, merges=[])))
    for masking in ("whole_word", "span"):
        recipe = recipe_for(tmp_path / "dna.txt", masking=masking, chunk_size=64)
        with pytest.raises(CorpusError, match=r"in words of more than 16 tokens.*masking = token"):
            prepare_corpus(recipe, tokenizer, max_chunk=None, cache=tmp_path / "cache", listen=Heard())
    recipe = recipe_for(tmp_path / "dna.txt", chunk_size=64)
    assert len(
        prepare_corpus(recipe, tokenizer, max_chunk=None, cache=tmp_path / "cache", listen=Heard()).train
    )
