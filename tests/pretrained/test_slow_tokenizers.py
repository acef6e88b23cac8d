"""Tokenizers that transformers has in Python alone: the fast ones made of them give the same tokens."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from transformers import BertJapaneseTokenizer, EsmTokenizer, PerceiverTokenizer, PreTrainedTokenizer

from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.errors import ModelError
from workbench.pretrained.slow_tokenizers import converted
from workbench.pretrained.tokenizer import load_tokenizer

JAPANESE = (
    "私は昨日東京で美味しい寿司を食べました。 医者が心臓を診察し、Python3で記録した。ＡＢＣ ｶﾀｶﾅ １２３"
)
LETTERS = sorted(set(JAPANESE + "abcdefghijklmnopqrstuvwxyzABCデータカナ0123456789") - {" "})
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ACIDS = [*"LAGVSERTIDPKQNFYMHWCXBUZO.-"]


def esm(folder: Path) -> PreTrainedTokenizer:
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *ACIDS, "<null_1>", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(tokens))
    return EsmTokenizer(str(folder / "vocab.txt"))


def japanese(folder: Path, **settings: Any) -> PreTrainedTokenizer:
    pieces = [*LETTERS, *(f"##{letter}" for letter in LETTERS), "東京", "寿司", "食べ", "まし"]
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *pieces]))
    return BertJapaneseTokenizer(str(folder / "vocab.txt"), **settings)


def texts_of(parts: list[str], count: int = 400) -> list[str]:
    draw = random.Random(3)
    return ["".join(draw.choices(parts, k=draw.randint(0, 40))) for _ in range(count)]


def same(slow: PreTrainedTokenizer, texts: list[str]) -> None:
    fast = converted(slow, "a model")
    for text in texts:
        assert fast(text)["input_ids"] == slow(text)["input_ids"], text


def test_proteins(tmp_path: Path) -> None:
    parts = [*ACIDS, " ", "  ", "a", "xyz", "é", "<mask>", "<null_1>", "\n", " <mask> "]
    slow = esm(tmp_path)
    same(slow, texts_of(parts))
    fast = converted(slow, "a model")
    assert fast.decode(fast("ACDE", add_special_tokens=False)["input_ids"]) == "ACDE"


def test_bytes() -> None:
    slow = PerceiverTokenizer()
    same(slow, texts_of([*"abc é漢字😀 \n", "[MASK]"]))
    fast = converted(slow, "a model")
    assert fast.decode(fast("aé 漢", add_special_tokens=False)["input_ids"]) == "aé 漢"


@pytest.mark.parametrize(
    "settings",
    [
        {"word_tokenizer_type": "basic"},
        {"word_tokenizer_type": "basic", "do_lower_case": True},
        {"word_tokenizer_type": "basic", "subword_tokenizer_type": "character"},
        {"word_tokenizer_type": "mecab"},
        {"word_tokenizer_type": "mecab", "do_lower_case": True},
        {"word_tokenizer_type": "mecab", "subword_tokenizer_type": "character"},
    ],
    ids=str,
)
def test_japanese(settings: dict[str, Any], tmp_path: Path) -> None:
    if settings["word_tokenizer_type"] == "mecab":
        pytest.importorskip("fugashi")
        pytest.importorskip("unidic_lite")
    same(japanese(tmp_path, **settings), texts_of([*JAPANESE, "東京", "食べました", " ", "[MASK]", "漢Ä\n"]))


def folder_of(slow: PreTrainedTokenizer, folder: Path, kind: str) -> Path:
    """A model folder as far as a tokenizer looks at it."""
    folder.mkdir()
    slow.save_pretrained(folder)
    (folder / "config.json").write_text(f'{{"model_type": "{kind}"}}')
    (folder / "model.safetensors").touch()
    return folder


def test_a_folder_of_one_is_loaded_saved_and_loaded_again(tmp_path: Path) -> None:
    pytest.importorskip("fugashi")
    pytest.importorskip("unidic_lite")
    slow = japanese(tmp_path, word_tokenizer_type="mecab")
    told: list[str] = []
    fast = load_tokenizer(str(folder_of(slow, tmp_path / "one", "bert")), tell=told.append)
    assert "BertJapaneseTokenizer" in told[0] and "converted" in told[0]
    expected = slow(JAPANESE)["input_ids"]
    assert DocumentTokenizer(fast)([JAPANESE]).ids.tolist() == expected
    again = load_tokenizer(str(folder_of(fast, tmp_path / "two", "bert")))
    assert again(JAPANESE)["input_ids"] == expected
    assert DocumentTokenizer(fast).fingerprint == DocumentTokenizer(again).fingerprint


def test_a_protein_models_folder_gets_a_file_of_its_own(tmp_path: Path) -> None:
    slow = esm(tmp_path)
    fast = load_tokenizer(str(folder_of(slow, tmp_path / "one", "esm")))
    again = load_tokenizer(str(folder_of(fast, tmp_path / "two", "esm")))
    assert again("MKT<mask>LL")["input_ids"] == slow("MKT<mask>LL")["input_ids"]
    assert (tmp_path / "two" / "tokenizer.json").is_file()


def test_what_cannot_be_converted_says_so(tmp_path: Path) -> None:
    slow = japanese(tmp_path, word_tokenizer_type="basic", do_subword_tokenize=False)
    with pytest.raises(ModelError, match="exists only in Python"):
        converted(slow, "a model")
