"""Models of letters and of codes, whose tokenizers have no token for any other word."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from workbench.analysis.cloze import Item, Suite, answer_suite
from workbench.errors import UsageError
from workbench.inference.filler import Filler

FOUR = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]
ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def folder(path: Path, backend: Tokenizer, **more: str) -> Path:
    around = [("[CLS]", 1), ("[SEP]", 2)]
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    roles = {f"{token.strip('[]').lower()}_token": token for token in FOUR}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **roles, **more)
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48}
    BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(path)
    return path


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    backend = Tokenizer(models.WordLevel({w: n for n, w in enumerate([*FOUR, "E01", "E02", "E03"])}))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return folder(tmp_path / "codes", backend)


@pytest.fixture(params=["bpe", "letters"])
def proteins(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "bpe":
        vocabulary = {w: n for n, w in enumerate([*FOUR, *ACIDS])}
        return folder(tmp_path / "bpe", Tokenizer(models.BPE(vocab=vocabulary, merges=[])))
    vocabulary = {w: n for n, w in enumerate([*FOUR, "[UNK]", *ACIDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return folder(tmp_path / "letters", backend, unk_token="[UNK]")


def test_a_letter_of_a_protein_has_no_space_before_it(proteins: Path) -> None:
    found = Filler.load(str(proteins)).fill("ACD[MASK]EFGH[MASK]", 25)
    first, second = (mask.predictions[0].text for mask in found.masks)
    assert found.filled == f"ACD{first}EFGH{second}"
    assert {one.text for one in found.masks[0].predictions} == set(ACIDS)
    assert all(one.filled.replace(" ", "") == one.filled for one in found.joint)


def test_a_letter_that_is_not_known_is_named(proteins: Path) -> None:
    assert Filler.load(str(proteins)).fill("ACDx[MASK]EF").unknown == ("x",)


def test_codes_are_filled_with_spaces_between_them(codes: Path) -> None:
    filler = Filler.load(str(codes))
    for text in ("E01 [MASK] E03", "E01[MASK] E03"):
        found = filler.fill(text, 9)
        assert found.filled == f"E01 {found.masks[0].predictions[0].text} E03"
        assert len(found.masks[0].predictions) == 3


def test_a_code_that_is_not_known_is_refused_by_name(codes: Path) -> None:
    filler = Filler.load(str(codes))
    with pytest.raises(UsageError, match="does not know E99"):
        filler.fill("E01 [MASK] E99")
    found = filler.fill("E01 [MASK] E03", candidates=["E02", "E98"])
    assert [one.text for one in found.masks[0].candidates if one.why_not] == ["E98"]


def test_a_suite_with_words_that_are_not_known(codes: Path) -> None:
    items = (Item(1, "E01 [MASK] E03", ("E02", "E98")), Item(2, "E01 [MASK] E99", ("E02",)))
    known, unknown = answer_suite(Suite("codes", items), str(codes))
    assert known.rank in (1, 2, 3)
    assert unknown.rank is None and "not in the vocabulary" in unknown.left_out
