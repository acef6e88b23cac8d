"""Joint fills, candidates and surprisal, each against what the plain model gives, one sentence at a time."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from workbench.errors import UsageError
from workbench.inference import candidates, joint, reader
from workbench.inference.filler import Filler
from workbench.inference.results import FillResult, Surprisal
from workbench.pretrained.starter import starter_folder
from workbench.rpc import Cancelled

TWO = "The [MASK] of the list is an [MASK]."


class Plain:
    """The plain model: ln p(token at a place of a sequence)."""

    def __init__(self, folder: str | Path) -> None:
        self.model = AutoModelForMaskedLM.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    @torch.no_grad()
    def log_probability(self, ids: list[int], place: int, token: int) -> float:
        return float(self.model(torch.tensor([ids])).logits[0, place].log_softmax(-1)[token])


@pytest.fixture(scope="module")
def plain() -> Plain:
    return Plain(starter_folder())


def test_surprisal_is_that_of_the_plain_model(starter: Filler, plain: Plain) -> None:
    text = "Returns the lenght of the list."
    found = starter.surprisal(text)
    ids = plain.tokenizer(text)["input_ids"]
    expected = [
        plain.log_probability([*ids[:i], plain.tokenizer.mask_token_id, *ids[i + 1 :]], i, ids[i])
        for i in range(1, len(ids) - 1)
    ]
    assert [token.token_id for token in found.tokens] == ids[1:-1], "special tokens are not scored"
    assert [token.bits for token in found.tokens] == pytest.approx(
        [-one / math.log(2) for one in expected], rel=1e-4
    )
    assert found.pseudo_log_likelihood == pytest.approx(sum(expected), rel=1e-5)
    assert found.pseudo_perplexity == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-4)
    assert found.bits_per_token == pytest.approx(math.log2(found.pseudo_perplexity))
    assert [text[token.start : token.end] for token in found.tokens][:2] == ["Returns", "the"]
    assert "".join(text[token.start : token.end] for token in found.tokens) == text.replace(" ", "")
    assert Surprisal.from_json(json.loads(json.dumps(found.to_json()))) == found
    for token in found.tokens:
        assert (token.rank == 1) == (token.best == token.token)


def test_masks_and_unknown_letters_are_not_scored(starter: Filler) -> None:
    text = "The [MASK] of \U0001f984 is [MASK] here."
    found = starter.surprisal(text)
    shown = {text[token.start : token.end]: token.bits for token in found.tokens}
    assert shown["[MASK]"] is None and shown["\U0001f984"] is None and shown["of"] is not None
    assert found.count == len(found.tokens) - 3
    assert found.notes == (
        "Not in the model's vocabulary: \U0001f984.",
        "1 token is unknown to the vocabulary and not scored.",
    )
    for text in ("", "  ", "[MASK]", "[CLS]"):
        with pytest.raises(UsageError, match="no word in the text"):
            starter.surprisal(text)


def test_a_text_too_long_to_score_is_refused(starter: Filler, byte_level: Filler) -> None:
    with pytest.raises(UsageError, match="513 tokens long; this model reads at most 512") as raised:
        starter.surprisal("a " * 511)
    assert raised.value.hint == "Use a shorter part of it."
    assert byte_level.surprisal("a" * 8).count


@pytest.mark.parametrize("family", ["byte_level", "metaspace", "open_mask"])
def test_spans_are_of_the_text_as_it_was_typed(family: str, request: pytest.FixtureRequest) -> None:
    filler: Filler = request.getfixturevalue(family)
    text = "A [MASK] café, <mask> in Zürich [MASK]."
    found = filler.surprisal(text)
    assert [text[one.start : one.end].strip() for one in found.tokens if one.bits is None] == [
        "[MASK]",
        "<mask>",
        "[MASK]",
    ]
    joined = "".join(text[one.start : one.end].strip() for one in found.tokens if one.bits is not None)
    for word in ("café", "in", "rich"):
        assert word in joined or family != "metaspace"


def test_small_batches_give_the_same(starter: Filler, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The list is sorted in place."
    whole = starter.surprisal(text)
    monkeypatch.setattr(reader, "MOST_SCORES", 1)
    singly = starter.surprisal(text)
    assert [one.bits for one in singly.tokens] == pytest.approx([one.bits for one in whole.tokens], rel=1e-4)


def test_work_that_is_taken_back_ends_between_passes(
    starter: Filler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_SCORES", 1)
    passes = []

    def check() -> None:
        passes.append(1)
        if len(passes) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        starter.surprisal("The list is sorted in place.", check)
    assert len(passes) == 3


def tokens_of(plain: Plain, word: str) -> list[int]:
    return list(plain.tokenizer(word, add_special_tokens=False)["input_ids"])


def pseudo(plain: Plain, words: list[list[int]], slot: int) -> float:
    """ln p(word in slot | the other words) of "The _ of the list is an _.", left to right within the word."""
    total = 0.0
    for known in range(len(words[slot])):
        tried = [list(word) for word in words]
        tried[slot][known:] = [103] * (len(words[slot]) - known)
        ids = [101, *tokens_of(plain, "the"), *tried[0], *tokens_of(plain, "of the list is an")]
        place = 2 + known if slot == 0 else len(ids) + known
        ids += [*tried[1], *tokens_of(plain, "."), 102]
        total += plain.log_probability(ids, place, words[slot][known])
    return total


def test_joint_scores_are_those_of_the_plain_model(starter: Filler, plain: Plain) -> None:
    result = starter.fill(TWO, 3)
    assert len(result.joint) == joint.WIDTH
    for one in result.joint:
        words = [list(ids) for ids in one.token_ids]
        assert one.score == pytest.approx(sum(pseudo(plain, words, slot) for slot in (0, 1)), rel=1e-4)
        assert one.mean_probability == pytest.approx(math.exp(one.score / 2))
        if all(map(str.isalpha, one.words)):
            assert one.filled == f"The {one.words[0]} of the list is an {one.words[1]}."
    assert any(one.words[0].isalpha() for one in result.joint)
    assert [one.score for one in result.joint] == sorted((one.score for one in result.joint), reverse=True)
    assert FillResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert starter.fill("One [MASK].").joint == ()
    assert starter.fill("[MASK] " * (joint.MOST_MASKS + 1)).joint == ()


def test_the_best_of_all_pairs_of_candidates_is_found(starter: Filler, plain: Plain) -> None:
    words = ("length", "value", "integer", "object", "tokenizer")
    result = starter.fill(TWO, 1, words)
    best = max(
        itertools.product(words, words),
        key=lambda pair: sum(pseudo(plain, [tokens_of(plain, word) for word in pair], s) for s in (0, 1)),
    )
    assert result.joint[0].words == best
    assert result.joint[0].filled == f"The {best[0]} of the list is an {best[1]}."


def test_candidates_are_scored_as_by_hand(starter: Filler, plain: Plain) -> None:
    text = "The [MASK] of the list."
    result = starter.fill(text, 2, ("length", "tokenizer", "end", "Length"))
    found = {one.text: one for one in result.masks[0].candidates}
    assert set(found) == {"length", "tokenizer", "end"}, "Length is the same to a model without capitals"
    ids = plain.tokenizer(text)["input_ids"]
    place = ids.index(103)
    for word, one in found.items():
        own = tokens_of(plain, word)
        assert list(one.token_ids) == own
        expected = 0.0
        for known, token in enumerate(own):
            masks = [103] * (len(own) - known)
            tried = [*ids[:place], *own[:known], *masks, *ids[place + 1 :]]
            expected += plain.log_probability(tried, place + known, token)
        assert one.log_probability == pytest.approx(expected, rel=1e-4)
        assert one.probability == pytest.approx(math.exp(expected), rel=1e-3)
    assert len(found["tokenizer"].token_ids) > 1
    order = [one.log_probability for one in result.masks[0].candidates]
    assert order == sorted(order, reverse=True)  # type: ignore[type-var]
    assert result.filled == f"The {result.masks[0].candidates[0].text} of the list."
    assert len(result.masks[0].predictions) == 2


def test_words_that_cannot_stand_in_the_mask_say_why(starter: Filler) -> None:
    result = starter.fill("A [MASK] is.", 1, ("list", "\U0001f984", "un believ"))
    found = {one.text: one.why_not for one in result.masks[0].candidates}
    assert found == {"list": "", "\U0001f984": candidates.UNKNOWN, "un believ": ""}
    assert list(found)[-1] == "\U0001f984", "it comes last"
    with pytest.raises(UsageError, match="can stand in mask 1") as raised:
        starter.fill("A [MASK]able [MASK].", 1, ("list",))
    assert candidates.MERGES in raised.value.hint
    with pytest.raises(UsageError, match="None of the candidates can stand in the mask") as raised:
        starter.fill("A [MASK].", 1, ("\U0001f984",))
    assert candidates.UNKNOWN in raised.value.hint
    with pytest.raises(UsageError, match="too many"):
        starter.fill("A [MASK].", 1, [str(i) for i in range(candidates.MOST + 1)])
    with pytest.raises(UsageError, match="this model reads at most"):
        starter.fill("a " * 509 + "[MASK]", 1, ("two words",))


@pytest.mark.parametrize("family", ["byte_level", "metaspace", "open_mask"])
@pytest.mark.parametrize("text", ["The capital of France is [MASK].", "[MASK] is (<mask>)"])
def test_candidates_become_the_tokens_of_the_whole_sentence(
    family: str, text: str, request: pytest.FixtureRequest
) -> None:
    """For any family: the word in the mask reads as the word in the sentence, and is scored."""
    filler: Filler = request.getfixturevalue(family)
    result = filler.fill(text, 1, ("Paris", "walking"))
    tokenizer = filler._tokenizer
    for mask in result.masks:
        for one in mask.candidates:
            assert one.why_not == "" and one.log_probability is not None
            assert tokenizer.decode(one.token_ids).strip() == one.text
    assert result.filled.count("Paris") + result.filled.count("walking") == len(result.masks)


def test_a_list_of_words_is_split_at_commas() -> None:
    assert candidates.split_words(" bbc, police ,,bbc, New York ") == ("bbc", "police", "New York")
