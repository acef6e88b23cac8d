"""Tokens and words, by three kinds of tokenizers: the starter's, and two trained here on real text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from workbench.corpus import tokenizing
from workbench.corpus.notes import Notes
from workbench.corpus.python_docs import PythonDocs
from workbench.corpus.tokenizing import DocumentTokenizer

SENTENCE = "Unbelievably, tokenizers don't re-tokenize  naïve words; they memoize."


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    documents = PythonDocs().read(tmp_path_factory.mktemp("none"), Notes(lambda event: None))
    return documents.texts(np.arange(40))


def wrapped(backend: Tokenizer, **special: str) -> PreTrainedTokenizerBase:
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)


@pytest.fixture(scope="module")
def byte_level(texts: list[str]) -> PreTrainedTokenizerBase:
    """As RoBERTa's: bytes, a space belongs to the word after it, <s> ... </s>."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>", "<pad>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1000, special_tokens=special, initial_alphabet=alphabet)
    )
    backend.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), add_prefix_space=False)
    return wrapped(
        backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>"
    )


@pytest.fixture(scope="module")
def sentence_piece(texts: list[str]) -> PreTrainedTokenizerBase:
    """As some SentencePiece ones: no pre-tokenizer, so that a whole sentence is one `word` to the library."""
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()  # while it learns: no token reaches over a space
    special = ["<pad>", "</s>", "<unk>", "<mask>"]
    backend.train_from_iterator(
        (line for text in texts for line in text.split(". ")),
        trainers.UnigramTrainer(vocab_size=1000, special_tokens=special, unk_token="<unk>"),
    )
    backend.pre_tokenizer = pre_tokenizers.Sequence([])
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return wrapped(backend, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")


@pytest.fixture(params=["tokenizer", "byte_level", "sentence_piece"])
def any_tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, PreTrainedTokenizerBase)
    return found


def test_tokens_are_those_of_transformers_end_to_end(any_tokenizer, texts) -> None:
    expected = any_tokenizer(texts, truncation=False, verbose=False)["input_ids"]
    tokens = DocumentTokenizer(any_tokenizer)(texts)
    assert tokens.lengths.tolist() == [len(ids) for ids in expected]
    assert tokens.ids.tolist() == [number for ids in expected for number in ids]


def test_wordpiece_words_are_the_librarys_words(tokenizer, texts) -> None:
    tokens = DocumentTokenizer(tokenizer)(texts)
    expected: list[int] = []
    for encoding in tokenizer(texts, truncation=False, verbose=False).encodings:
        words = encoding.word_ids
        expected += [1 if i == 0 or words[i] is None else words[i] != words[i - 1] for i in range(len(words))]
    assert tokens.word_starts.tolist() == [int(begins) for begins in expected]


def spelled(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    """The text's words as DocumentTokenizer divides them, special tokens left out."""
    tokens = DocumentTokenizer(tokenizer)([text])
    pieces: list[list[int]] = []
    for number, begins in zip(tokens.ids.tolist(), tokens.word_starts.tolist(), strict=True):
        if begins:
            pieces.append([])
        pieces[-1].append(number)
    special = set(tokenizer.all_special_ids)
    return [tokenizer.decode(piece).strip() for piece in pieces if not special & set(piece)]


def test_words_of_bytes_are_divided_at_spaces_and_punctuation(byte_level) -> None:
    words = spelled(byte_level, SENTENCE)
    assert words[:2] == ["Unbelievably", ","]
    assert {"tokenizers", "re", "-", "tokenize", "naïve", "words", "memoize"} <= set(words)


def test_a_sentence_is_not_one_word(sentence_piece) -> None:
    encoding = sentence_piece(SENTENCE).encodings[0]
    assert len({word for word in encoding.word_ids if word is not None}) == 1  # what the library says
    words = [
        word.replace("\u2581", "") for word in spelled(sentence_piece, "the value of the object is returned")
    ]
    assert [word for word in words if word] == ["the", "value", "of", "the", "object", "is", "returned"]


def test_every_document_begins_with_a_word(any_tokenizer, texts) -> None:
    tokens = DocumentTokenizer(any_tokenizer)(texts)
    firsts = np.concatenate([[0], tokens.lengths.cumsum()[:-1]])
    assert tokens.word_starts[firsts].all()
    special = np.isin(tokens.ids, any_tokenizer.all_special_ids)
    assert tokens.word_starts[special].all()


def test_documents_without_tokens_get_none_at_all(any_tokenizer) -> None:
    tokens = DocumentTokenizer(any_tokenizer)(["", "one word", ""])
    assert tokens.lengths.tolist()[0::2] == [0, 0]
    assert len(tokens.ids) == tokens.lengths[1] > 2


def test_an_empty_batch_is_empty(tokenizer) -> None:
    tokens = DocumentTokenizer(tokenizer)([])
    assert len(tokens.ids) == len(tokens.word_starts) == len(tokens.lengths) == 0


def test_a_text_cut_into_pieces_has_the_tokens_of_the_whole(any_tokenizer, texts, monkeypatch) -> None:
    whole = DocumentTokenizer(any_tokenizer)(texts)
    monkeypatch.setattr(tokenizing, "LONGEST_PIECE", 200)
    monkeypatch.setattr(tokenizing, "AT_ONCE", 1000)
    cut = DocumentTokenizer(any_tokenizer)(texts)
    assert np.array_equal(cut.ids, whole.ids)
    assert np.array_equal(cut.word_starts, whole.word_starts)
    assert np.array_equal(cut.lengths, whole.lengths)


def test_a_long_text_without_a_space_is_not_cut() -> None:
    text = "x" * (3 * tokenizing.LONGEST_PIECE)
    assert tokenizing._pieces(text, lambda part: [ord(letter) for letter in part]) == [text]


def across_spaces(part: str) -> list[int]:
    return [hash(part)]


@pytest.mark.parametrize("ids", [lambda part: [*map(ord, part)], lambda part: [0], across_spaces])
def test_no_piece_is_longer_than_memory_bears(ids: Callable[[str], list[int]]) -> None:
    text = "x" * (2 * tokenizing.LONGEST_WORD + 7) + " end"
    pieces = tokenizing._pieces(text, ids)
    assert [len(piece) for piece in pieces] == [tokenizing.LONGEST_WORD, tokenizing.LONGEST_WORD, 11]
    assert "".join(pieces) == text


def test_the_tokenizer_is_left_as_it_was(tokenizer) -> None:
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(max_length=7)
    backend.enable_padding(length=9)
    before = (backend.truncation, backend.padding)
    assert len(DocumentTokenizer(tokenizer)(["a long text that is not cut here"]).ids) == 10
    assert (backend.truncation, backend.padding) == before
    backend.no_truncation()
    backend.no_padding()


def test_small_vocabularies_take_two_bytes_a_token(tokenizer, byte_level) -> None:
    assert DocumentTokenizer(tokenizer).dtype == np.uint16
    large = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(
            models.WordLevel({"[MASK]": 70_000, **{f"w{n}": n for n in range(66_000)}}, unk_token="w0")
        ),
        mask_token="[MASK]",
    )
    assert DocumentTokenizer(large).dtype == np.int32


def test_another_vocabulary_has_another_fingerprint(tokenizer, byte_level, sentence_piece) -> None:
    prints = {DocumentTokenizer(each).fingerprint for each in (tokenizer, byte_level, sentence_piece)}
    assert len(prints) == 3
    tokenizer.backend_tokenizer.enable_truncation(max_length=7)
    assert DocumentTokenizer(tokenizer).fingerprint in prints  # which does not depend on a passing setting
    tokenizer.backend_tokenizer.no_truncation()
