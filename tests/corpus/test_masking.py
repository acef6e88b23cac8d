"""Masks on real text: their shares, what is never masked, and what they do and do not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from tests.corpus.conftest import recipe_for
from workbench.corpus import Corpus
from workbench.corpus.masking import EVAL_MASK_SEED, IGNORED, Masker, epoch_order
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import ModelError

STRATEGIES = ["token", "whole_word", "span"]
EPOCHS = 4


@pytest.fixture(scope="module")
def chunks(docs: Corpus) -> tuple[Tensor, Tensor, Tensor]:
    """All training chunks of python-docs: ids, word beginnings, row numbers."""
    ids = torch.from_numpy(docs.train.ids.astype(np.int64))
    return ids, torch.from_numpy(np.array(docs.train.word_starts)), torch.arange(len(ids))


@pytest.fixture(scope="module")
def special(chunks: tuple[Tensor, Tensor, Tensor], tokenizer: PreTrainedTokenizerBase) -> Tensor:
    return torch.isin(chunks[0], torch.tensor(tokenizer.all_special_ids))


def within(share: float, expected: float, draws: float) -> bool:
    """Whether a share of so many draws is within five standard errors of what it should be."""
    return abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / draws)


def words_of(starts: Tensor) -> Tensor:
    """A number for each word, unlike any other's in the table; a chunk's first token begins one."""
    begins = starts.bool().clone()
    begins[:, 0] = True
    return begins.flatten().cumsum(0).reshape(starts.shape)


@pytest.mark.parametrize("mask_prob", [0.15, 0.4, 0.9])
@pytest.mark.parametrize("masking", STRATEGIES)
def test_the_expected_share_is_predicted(chunks, special, vocabulary, masking, mask_prob) -> None:
    ids, starts, rows = chunks
    masker = Masker(vocabulary, mask_prob=mask_prob, masking=masking, seed=1)
    chosen = sum(int((masker(ids, rows, epoch, starts).labels != IGNORED).sum()) for epoch in range(EPOCHS))
    candidates = EPOCHS * int((~special).sum())
    # tokens of one word, and words of one span, are chosen together: fewer draws than tokens
    together = {"token": 1, "whole_word": 4, "span": 4 * 3 / (1 - mask_prob)}[masking]
    assert within(chosen / candidates, mask_prob, candidates / together)


@pytest.mark.parametrize("masking", STRATEGIES)
def test_of_the_predicted_80_are_masked_10_replaced_10_kept(chunks, vocabulary, masking) -> None:
    ids, starts, rows = chunks
    batch = Masker(vocabulary, mask_prob=0.15, masking=masking, seed=2)(ids, rows, 0, starts)
    predicted = batch.labels != IGNORED
    shown, truth, n = batch.input_ids[predicted], batch.labels[predicted], int(predicted.sum())
    masked = int((shown == vocabulary.mask_id).sum())
    kept = int((shown == truth).sum())
    drawable = vocabulary.size - len(vocabulary.special_ids)
    assert within(masked / n, 0.8, n)
    assert within(kept / n, 0.1 + 0.1 / drawable, n)
    assert within((n - masked - kept) / n, 0.1, n)
    assert torch.equal(truth, ids[predicted])
    assert torch.equal(batch.input_ids[~predicted], ids[~predicted])


@pytest.mark.parametrize(("shares", "shown_kinds"), [((1, 0, 0), "M"), ((0, 1, 0), "R"), ((0, 0, 1), "K")])
def test_a_share_of_one_leaves_nothing_to_the_others(chunks, vocabulary, shares, shown_kinds) -> None:
    ids, _, rows = chunks
    mask_share, random_share, keep_share = shares
    masker = Masker(
        vocabulary,
        mask_prob=0.15,
        mask_share=mask_share,
        random_share=random_share,
        keep_share=keep_share,
        seed=3,
    )
    batch = masker(ids, rows, 0)
    predicted = batch.labels != IGNORED
    shown, truth = batch.input_ids[predicted], batch.labels[predicted]
    if shown_kinds == "M":
        assert bool((shown == vocabulary.mask_id).all())
    elif shown_kinds == "K":
        assert torch.equal(shown, truth)
    else:
        assert float((shown == truth).float().mean()) < 0.001
        assert not bool((shown == vocabulary.mask_id).any())


@pytest.mark.parametrize("masking", STRATEGIES)
def test_special_tokens_are_neither_predicted_nor_drawn(chunks, vocabulary, tokenizer, masking) -> None:
    ids, starts, rows = (part.clone() for part in chunks)
    # the text has [CLS] and [SEP]; unknown words are put in
    ids[:, 7], starts[:, 7] = tokenizer.unk_token_id, 1
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    assert {"[CLS]", "[SEP]", "[UNK]"} == set(tokenizer.convert_ids_to_tokens(ids[special].unique().tolist()))
    masker = Masker(
        vocabulary,
        mask_prob=0.9,
        masking=masking,
        mask_share=0.0,
        random_share=1.0,
        keep_share=0.0,
        seed=4,
    )
    batch = masker(ids, rows, 0, starts)
    predicted = batch.labels != IGNORED
    assert not bool((predicted & special).any())
    assert not bool(torch.isin(batch.input_ids[predicted], torch.tensor(vocabulary.special_ids)).any())


def test_random_tokens_come_from_the_whole_vocabulary(chunks, vocabulary) -> None:
    ids, _, rows = chunks
    masker = Masker(vocabulary, mask_prob=0.9, mask_share=0.0, random_share=1.0, keep_share=0.0, seed=5)
    shown = torch.cat([batch.input_ids[batch.labels != IGNORED] for batch in (masker(ids, rows, 0),)])
    counts = torch.bincount(shown, minlength=vocabulary.size).double()
    drawable = vocabulary.size - len(vocabulary.special_ids)
    expected = counts.sum() / drawable
    chi_square = float(((counts - expected) ** 2 / expected).sum() - len(vocabulary.special_ids) * expected)
    assert abs(chi_square - (drawable - 1)) < 5 * math.sqrt(2 * (drawable - 1))


def test_a_word_is_predicted_as_a_whole_or_not_at_all(chunks, special, vocabulary) -> None:
    ids, starts, rows = chunks
    batch = Masker(vocabulary, mask_prob=0.3, masking="whole_word", seed=6)(ids, rows, 0, starts)
    predicted = (batch.labels != IGNORED)[~special]
    words = words_of(starts)[~special]
    total = torch.zeros(int(words.max()) + 1).index_add_(0, words, torch.ones(len(words)))
    chosen = torch.zeros_like(total).index_add_(0, words, predicted.float())
    assert int((total > 1).sum()) > 10_000  # there are many words of several tokens to tell by
    assert bool(((chosen == 0) | (chosen == total)).all())
    # and within a word the three fates are drawn for each token on its own
    several = total[words_of(starts)] > 1
    shown = batch.input_ids[(batch.labels != IGNORED) & several]
    assert 0.7 < float((shown == vocabulary.mask_id).float().mean()) < 0.9


def test_words_are_those_a_reader_would_see(tokenizer, docs) -> None:
    ids, starts = docs.test.ids[0], docs.test.word_starts[0]
    for token, begins in zip(tokenizer.convert_ids_to_tokens(ids.tolist()), starts, strict=True):
        assert bool(begins) != token.startswith("##")


@pytest.mark.parametrize("span_length", [1.0, 3.0, 6.0])
def test_spans_have_the_mean_length_asked_for(vocabulary, span_length) -> None:
    # one long row of one-token words, so that no span is cut by a chunk's end
    ids = torch.full((4, 100_000), 2000)
    masker = Masker(vocabulary, mask_prob=0.15, masking="span", span_length=span_length, seed=7)
    predicted = masker(ids, torch.arange(4), 0, torch.ones_like(ids)).labels != IGNORED
    begins = predicted.clone()
    begins[:, 1:] &= ~predicted[:, :-1]
    spans = int(begins.sum())
    deviation = math.sqrt(span_length * (span_length - 1)) if span_length > 1 else 0.0
    mean = int(predicted.sum()) / spans
    assert abs(mean - span_length) <= 5 * deviation / math.sqrt(spans) + 0.01


def test_spans_are_of_whole_words_and_end_at_a_document(chunks, special, vocabulary) -> None:
    ids, starts, rows = chunks
    masker = Masker(vocabulary, mask_prob=0.3, masking="span", span_length=5, seed=8)
    predicted = masker(ids, rows, 0, starts).labels != IGNORED
    inside = ~starts.bool() & ~special
    inside[:, 0] = False
    before = torch.roll(predicted, 1, dims=1)
    assert torch.equal(predicted[inside], before[inside])
    # after a document's end, the word before it says nothing about the next
    after = torch.roll(special, 1, dims=1) & ~special
    after[:, 0] = False
    assert float(predicted[after].float().mean()) < 0.5


@pytest.mark.parametrize("masking", STRATEGIES)
def test_a_row_is_masked_alike_in_any_batch(chunks, vocabulary, masking) -> None:
    ids, starts, rows = chunks
    masker = Masker(vocabulary, mask_prob=0.15, masking=masking, seed=9)
    whole = masker(ids, rows, 3, starts)
    order = torch.from_numpy(epoch_order(9, 3, len(ids)))[:100]
    for part in (order, order[:1], order[50:57]):
        some = masker(ids[part], rows[part], 3, starts[part])
        assert torch.equal(some.input_ids, whole.input_ids[part])
        assert torch.equal(some.labels, whole.labels[part])


@pytest.mark.parametrize("masking", STRATEGIES)
def test_seed_and_epoch_and_row_change_the_masks(chunks, vocabulary, masking) -> None:
    ids, starts, rows = (part[:64] for part in chunks)

    def labels(seed: int = 1, epoch: int = 0, shift: int = 0) -> Tensor:
        masker = Masker(vocabulary, mask_prob=0.15, masking=masking, seed=seed)
        return masker(ids, rows + shift, epoch, starts).labels

    assert torch.equal(labels(), labels())
    for other in (labels(seed=2), labels(epoch=1), labels(shift=1)):
        both = (labels() != IGNORED) & (other != IGNORED)
        # masks drawn apart meet on 0.15 squared of the tokens
        assert float(both.float().mean()) < 0.05


def test_small_integer_ids_are_masked_as_large_ones(chunks, vocabulary) -> None:
    ids, _, rows = (part[:8] for part in chunks)
    masker = Masker(vocabulary, mask_prob=0.15, seed=1)
    assert torch.equal(masker(ids, rows, 0).input_ids, masker(ids.to(torch.int32), rows, 0).input_ids)


@pytest.mark.parametrize("masking", STRATEGIES)
def test_test_masks_are_the_same_for_any_recipe_seed_and_batch_size(docs, vocabulary, masking) -> None:
    ids = torch.from_numpy(docs.test.ids.astype(np.int64))
    starts = torch.from_numpy(np.array(docs.test.word_starts))
    rows = torch.arange(len(ids))

    def labels(seed: int, batch_size: int) -> Tensor:
        masker = Masker.for_test(recipe_for("python-docs", seed=seed, masking=masking), vocabulary)
        batches = zip(*(part.split(batch_size) for part in (ids, rows, starts)), strict=True)
        return torch.cat([masker(part, places, 0, begins).labels for part, places, begins in batches])

    first = labels(1, 64)
    assert first.shape == docs.test.ids.shape
    assert torch.equal(first, labels(2, 17))
    training = Masker.for_training(recipe_for("python-docs", seed=1, masking=masking), vocabulary)
    assert not torch.equal(first, training(ids, rows, 0, starts).labels)


def test_no_recipe_can_have_the_seed_of_the_test_masks() -> None:
    bound = next(
        m.le for m in recipe_for("python-docs").__class__.model_fields["seed"].metadata if hasattr(m, "le")
    )
    assert bound < EVAL_MASK_SEED


def test_epochs_have_orders_of_their_own() -> None:
    first, second, other = epoch_order(1, 0, 1000), epoch_order(1, 1, 1000), epoch_order(2, 0, 1000)
    assert sorted(first.tolist()) == list(range(1000))
    assert np.array_equal(first, epoch_order(1, 0, 1000))
    assert (first == second).mean() < 0.02
    assert (first == other).mean() < 0.02


@pytest.mark.parametrize("masking", ["whole_word", "span"])
def test_words_are_needed_where_words_are_masked(chunks, vocabulary, masking) -> None:
    with pytest.raises(ValueError, match="word_starts"):
        Masker(vocabulary, mask_prob=0.15, masking=masking, seed=1)(chunks[0][:2], chunks[2][:2], 0)


def test_a_vocabulary_cut_to_the_model_draws_nothing_above_it(chunks, tokenizer) -> None:
    ids, _, rows = chunks
    small = Vocabulary.from_tokenizer(tokenizer, model_vocab_size=5000)
    masker = Masker(small, mask_prob=0.5, mask_share=0.0, random_share=1.0, keep_share=0.0, seed=1)
    batch = masker(ids, rows, 0)
    assert int(batch.input_ids[batch.labels != IGNORED].max()) < 5000


def test_a_mask_token_that_the_model_does_not_know_is_refused(tokenizer) -> None:
    with pytest.raises(ModelError, match="id 103"):
        Vocabulary.from_tokenizer(tokenizer, model_vocab_size=100)
