"""What a filler answers, for the starter and for tokenizers of other families."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertModel

from workbench.errors import ModelError, UsageError
from workbench.inference.filler import Filler
from workbench.inference.pieces import fill_in
from workbench.inference.results import FillResult
from workbench.pretrained.special_tokens import special_ids
from workbench.pretrained.starter import starter_folder


@contextmanager
def predicting(filler: Filler, token: str) -> Iterator[None]:
    """Make the filler's model sure of one token, by its output bias."""
    head = filler._model.get_output_embeddings()
    token_id = filler._tokenizer.convert_tokens_to_ids(token)
    assert token_id != filler._tokenizer.unk_token_id
    before = head.bias.detach().clone()
    try:
        head.bias.data[token_id] += 1000
        yield
    finally:
        head.bias.data.copy_(before)


def test_predictions_are_those_of_the_plain_model(starter: Filler) -> None:
    text = "The [MASK] of the list is returned as an [MASK]."
    result = starter.fill(text, 7)
    model = AutoModelForMaskedLM.from_pretrained(starter_folder()).eval()
    encoded = AutoTokenizer.from_pretrained(starter_folder())(text, return_tensors="pt")
    with torch.no_grad():
        shares = model(**encoded).logits.softmax(-1)[0]
    ids = encoded["input_ids"][0].tolist()
    assert [mask.position for mask in result.masks] == [2, 10]
    for mask in result.masks:
        assert ids[mask.position] == 103
        expected = shares[mask.position].topk(7)
        assert [one.token_id for one in mask.predictions] == expected.indices.tolist()
        assert [one.probability for one in mask.predictions] == pytest.approx(
            expected.values.tolist(), rel=1e-4
        )


def test_the_starter_knows_a_capital_is_a_city(starter: Filler) -> None:
    result = starter.fill("Paris is the capital [MASK] of France.", 20)
    assert "city" in [one.text for one in result.masks[0].predictions]


def test_json_has_the_keys_that_scripts_rely_on(starter: Filler) -> None:
    result = starter.fill("A [MASK].", 2)
    values = result.to_json()
    assert list(values) == ["text", "filled", "masks", "joint"]
    assert list(values["masks"][0]) == ["position", "predictions"]
    assert [list(one) for one in values["masks"][0]["predictions"]] == [
        ["text", "token_id", "probability"]
    ] * 2
    assert FillResult.from_json(json.loads(json.dumps(values))) == result


def test_what_looks_like_markup_or_escapes_stays_text(starter: Filler) -> None:
    text = "[red]The[/red] \x1b[31m [link=x] [MASK] {0} %s \\[bold]"
    with predicting(starter, "end"):
        result = starter.fill(text)
    assert result.text == text
    assert result.filled == text.replace("[MASK]", "end")


def test_the_text_around_the_masks_is_not_touched(starter: Filler) -> None:
    with predicting(starter, "end"):
        assert starter.fill("  The  [MASK],\tÄÖ [MASK]ing\n").filled == "  The  end,\tÄÖ ending\n"


def test_a_wordpiece_that_goes_on_joins_the_word_before(starter: Filler) -> None:
    with predicting(starter, "##ing"):
        result = starter.fill("He was walk [MASK] home [MASK].")
    assert result.filled == "He was walking homeing."
    assert result.masks[0].predictions[0].text == "##ing"


@pytest.mark.parametrize(
    ("token", "shown", "filled"),
    [("ĠParis", "Paris", "The city (Paris) is Paris."), ("tal", "tal", "The city (tal) istal.")],
)
def test_byte_level_spaces(byte_level: Filler, token: str, shown: str, filled: str) -> None:
    with predicting(byte_level, token):
        result = byte_level.fill("The city ([MASK]) is <mask>.")
    assert result.filled == filled
    assert result.masks[0].predictions[0].text == shown


def test_letters_of_several_bytes_are_put_together(byte_level: Filler) -> None:
    tokenizer = byte_level._tokenizer
    name = next(token for token in tokenizer.get_vocab() if "Ã©" in token)  # the two bytes of é
    with predicting(byte_level, name):
        assert "é" in byte_level.fill("A [MASK]").filled


def test_sentencepiece_spaces(metaspace: Filler) -> None:
    vocabulary = metaspace._tokenizer.get_vocab()
    begins = next(token for token in vocabulary if token.startswith("▁") and len(token) > 1)
    with predicting(metaspace, begins):
        result = metaspace.fill("The word [MASK] is")
    assert result.filled == f"The word {begins[1:]} is"
    assert result.masks[0].predictions[0].text == begins[1:]
    with predicting(metaspace, "ca"):
        assert metaspace.fill("The word [MASK] is").filled == "The wordca is"


def test_a_mask_that_leaves_the_space_to_the_text(open_mask: Filler) -> None:
    with predicting(open_mask, "ĠParis"):
        assert open_mask.fill("It is [MASK].").filled == "It is Paris."
    with predicting(open_mask, "is"):
        assert open_mask.fill("It [MASK] so").filled == "It is so"


def test_two_words_do_not_run_together() -> None:
    def fits(slot: int, text: str, word: str) -> bool:
        return word == "P"

    for seen in (True, False):
        assert fill_in(["un", " ok"], [" paris"], spaces_seen=[seen], fits=fits) == "un paris ok"
        assert fill_in(["to ", "."], [" paris"], spaces_seen=[seen], fits=fits) == "to paris."
        assert fill_in(["walk", "."], ["ing"], spaces_seen=[seen], fits=fits) == "walking."
        assert fill_in(["ACD", "EF"], [" P"], spaces_seen=[seen], fits=fits) == "ACDPEF"
    assert fill_in(["walk ", "."], ["ing"], spaces_seen=[False], fits=fits) == "walking."


def test_rows_beyond_the_vocabulary_are_not_offered(byte_level: Filler) -> None:
    result = byte_level.fill("A [MASK]", 10_000)
    special = special_ids(byte_level._tokenizer)
    offered = {one.token_id for one in result.masks[0].predictions}
    assert offered == set(range(len(byte_level._tokenizer))) - special
    assert sum(one.probability for one in result.masks[0].predictions) < 1


@pytest.mark.parametrize("text", ["", "no mask here", "[mask]", "[ MASK ]"])
def test_a_text_without_a_mask_is_told_how_to_write_one(starter: Filler, text: str) -> None:
    with pytest.raises(UsageError, match="no mask") as raised:
        starter.fill(text)
    assert "Write [MASK] where" in raised.value.hint


def test_the_models_own_mask_is_named(byte_level: Filler) -> None:
    with pytest.raises(UsageError) as raised:
        byte_level.fill("nothing")
    assert "<mask>" in raised.value.hint


def test_too_long_a_text_names_the_limit(starter: Filler, byte_level: Filler) -> None:
    assert starter.limit == 512
    assert starter.fill("a " * 509 + "[MASK]").masks[0].position == 510  # and two special tokens
    with pytest.raises(UsageError, match=r"513 tokens long; this model reads at most 512") as raised:
        starter.fill("a " * 510 + "[MASK]")
    assert raised.value.exit_code == 2
    assert byte_level.limit == 40  # 42 positions, of which RoBERTa's padding takes two
    assert byte_level.fill("a" * 37 + "[MASK]").masks
    with pytest.raises(UsageError, match="at most 40"):
        byte_level.fill("a" * 80 + "[MASK]")


def test_bad_requests(starter: Filler) -> None:
    with pytest.raises(UsageError, match="top_k must be at least 1"):
        starter.fill("[MASK]", 0)
    with pytest.raises(UsageError, match="not valid Unicode"):
        starter.fill("\udcff [MASK]")


def copy_of_starter(folder: Path) -> Path:
    return Path(shutil.copytree(starter_folder(), folder))


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = copy_of_starter(tmp_path / "model")
    model = AutoModelForMaskedLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled"):
        Filler.load(str(folder))


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    folder = copy_of_starter(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match="is damaged"):
        Filler.load(str(folder))


def test_scores_that_are_not_numbers_are_told(tmp_path: Path) -> None:
    filler = Filler.load(str(copy_of_starter(tmp_path / "model")))
    filler._model.get_output_embeddings().bias.data[5] = math.nan
    with pytest.raises(ModelError, match="are NaN"):
        filler.fill("A [MASK].")


def test_a_missing_head_is_told(tmp_path: Path) -> None:
    folder = copy_of_starter(tmp_path / "model")
    encoder = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
    encoder.save_pretrained(folder)
    filler = Filler.load(str(folder))
    assert "start at random" in filler.notes[0]
    assert filler.fill("A [MASK].").notes == filler.notes
    assert "notes" not in filler.fill("A [MASK].").to_json()
    assert Filler.load("starter").notes == ()


def test_only_words_are_offered_and_what_is_not_known_is_said(byte_level: Filler, starter: Filler) -> None:
    special = special_ids(starter._tokenizer)
    found = starter.fill("The \U0001f984 saw [MASK] and [MASK].", 50)
    offered = {one.token_id for mask in found.masks for one in mask.predictions}
    assert not offered & special
    assert not any(set(ids) & special for one in found.joint for ids in one.token_ids)
    assert found.unknown == ("\U0001f984",)
    assert "Not in the model's vocabulary: \U0001f984." in found.notes
    assert FillResult.from_json(found.to_json()).unknown == found.unknown
    assert starter.fill("The cat saw [MASK].").unknown == ()
    assert byte_level.fill("The \U0001f984 saw [MASK].").unknown == ()  # bytes spell anything
