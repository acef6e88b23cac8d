"""What a tokenizer has no token for is counted and said, with its first place; too much of it is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import Corpus, prepare_corpus
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import CorpusError
from workbench.inference.pieces import Pieces

CODES = [f"E{n:02d}" for n in range(60)]
ACIDS = "ACDEFGHIKLMNPQRSTVWY"
FOUR = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]


def wrapped(backend: Tokenizer, **more: str) -> PreTrainedTokenizerBase:
    around = [("[CLS]", 1), ("[SEP]", 2)]
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    roles = {f"{token.strip('[]').lower()}_token": token for token in FOUR}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **roles, **more)


def codes() -> PreTrainedTokenizerBase:
    """Without an unknown token: the library refuses a text with another word."""
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate([*FOUR, *CODES])}))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return wrapped(backend)


def proteins() -> PreTrainedTokenizerBase:
    """Without an unknown token: the library leaves other letters out."""
    vocabulary = {word: n for n, word in enumerate([*FOUR, *ACIDS])}
    return wrapped(Tokenizer(models.BPE(vocab=vocabulary, merges=[])))


def words(unknown: str = "[UNK]") -> PreTrainedTokenizerBase:
    vocabulary = {word: n for n, word in enumerate([*FOUR, unknown, *CODES])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return wrapped(backend)


def prepared(tokenizer: PreTrainedTokenizerBase, lines: list[str], folder: Path) -> tuple[Corpus, Heard]:
    text = folder / "text.txt"
    if not text.exists() or text.read_text() != "\n".join(lines):
        text.write_text("\n".join(lines))
    heard = Heard()
    recipe = recipe_for(text)
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=None, cache=folder / "cache", listen=heard)
    return corpus, heard


def test_a_closed_vocabulary_is_usable(tmp_path: Path) -> None:
    corpus, heard = prepared(codes(), [" ".join(CODES)] * 50, tmp_path)
    assert corpus.train.tokens + corpus.test.tokens == 50 * 62
    assert not any("unknown" in text for text in heard.texts)
    tokens = DocumentTokenizer(codes())(["E00 E59"])
    assert tokens.ids.tolist() == [1, 4, 63, 2]


def test_letters_without_a_token_keep_their_special_tokens_around_them() -> None:
    tokens = DocumentTokenizer(proteins())(["ACDEF", "WY"])
    assert tokens.ids.tolist() == [1, 4, 5, 6, 7, 8, 2, 1, 22, 23, 2]


@pytest.mark.parametrize(
    ("tokenizer", "line", "stray", "first"),
    [
        (codes, " ".join(CODES), "E03 E99 E04", "E99"),
        (words, " ".join(CODES), "E03 E99 E04", "E99"),
        (proteins, ACIDS * 3, "ACDxEF", "x"),
    ],
    ids=["no unknown token", "an unknown token", "letters"],
)
def test_what_is_unknown_is_counted_with_its_first_place(
    tokenizer, line, stray, first, tmp_path: Path
) -> None:
    lines = [line] * 50
    lines[7], lines[30] = f"{line} {stray}", f"{line} {stray}"
    corpus, heard = prepared(tokenizer(), lines, tmp_path)
    told = [text for text in heard.texts if "unknown to the tokenizer" in text]
    assert len(told) == 1 and told[0].startswith("2 of ")
    assert f"'{first}'" in told[0] and ("document 8" in told[0] or "document 31" in told[0])
    assert told[0] in corpus.notes
    again, heard = prepared(tokenizer(), lines, tmp_path)
    assert again.from_cache and told[0] in heard.texts


def test_more_than_a_hundredth_is_a_warning_and_more_than_a_fifth_is_refused(tmp_path: Path) -> None:
    draw = random.Random(4)
    known = [" ".join(draw.choices(CODES, k=40)) for _ in range(60)]  # no two are alike
    strange = [f"other{n} " * 40 for n in range(30)]
    _, heard = prepared(words(), known + strange[:3], tmp_path)
    warned = [event.text for event in heard if getattr(event, "level", "") == "warning"]
    assert any("120 of" in text and "Choose a model" in text for text in warned)
    for tokenizer in (words(), codes()):
        with pytest.raises(CorpusError, match=r"unknown to the tokenizer.*'other\d+'.*Choose a model"):
            prepared(tokenizer, known + strange, tmp_path)


def test_a_text_of_which_nothing_is_known_is_refused_as_such(tmp_path: Path) -> None:
    for tokenizer in (codes(), proteins(), words()):
        with pytest.raises(CorpusError, match=r"\(100 %\) are unknown|unknown to the tokenizer"):
            prepared(tokenizer, ["医生检查了病人的心脏"] * 50, tmp_path)


def test_an_unknown_token_that_no_file_declares_is_special_all_the_same(tmp_path: Path) -> None:
    tokenizer = words("<?>")
    assert tokenizer.unk_token is None
    assert 4 in Vocabulary.from_tokenizer(tokenizer).special_ids
    lines = [" ".join(CODES)] * 49 + ["E01 other E02"]
    _, heard = prepared(tokenizer, lines, tmp_path)
    assert any("'other' in document 50" in text for text in heard.texts)


def test_tokens_have_the_spaces_that_their_text_has() -> None:
    assert Pieces(codes()).added_text(5) == " E01"
    assert Pieces(proteins()).added_text(5) == "C"
