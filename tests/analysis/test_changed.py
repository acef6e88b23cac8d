"""Which words moved between two runs."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis.changed import changes, token_losses
from workbench.analysis.yardstick import prepare_test
from workbench.paths import cache_folder
from workbench.pretrained.tokenizer import load_tokenizer

from .conftest import SHORT, Trained


@pytest.fixture(scope="module")
def asked(trained: Trained):
    """The test, and the losses of two runs at each of its tokens."""
    test, _ = prepare_test(SHORT, "starter", None, cache=cache_folder(), listen=lambda event: None)
    return test, *(token_losses(test, str(trained.run(name).checkpoint)) for name in ("usual", "many masks"))


def test_token_losses_add_up_to_the_yardstick(trained: Trained, asked) -> None:
    test, usual, _ = asked
    score = trained.store.yardsticks.of_run(trained.ids("usual")[0])[-1]
    by_chunk = np.bincount(usual.chunks, usual.losses, minlength=len(test.table))
    first_draw = np.frombuffer(score.chunk_losses, "<f8").reshape(score.draws, -1)[0]
    assert by_chunk == pytest.approx(first_draw, rel=1e-4)


def test_words_add_up_to_the_whole_difference(asked) -> None:
    test, usual, masks = asked
    everything = changes(test, usual, masks, load_tokenizer("starter"), words=10**6)
    words = [*everything.improved, *everything.worsened]
    assert sum(word.gain for word in words) == pytest.approx((usual.losses - masks.losses).sum())
    assert all(word.gain > 0 for word in everything.improved)
    assert all(word.gain < 0 for word in everything.worsened)
    gains = [word.gain for word in everything.improved]
    assert gains == sorted(gains, reverse=True)


def test_a_word_is_whole_and_stands_in_its_context(asked) -> None:
    test, usual, masks = asked
    tokenizer = load_tokenizer("starter")
    text = tokenizer.decode(test.table.ids.reshape(-1).tolist())
    found = changes(test, usual, masks, tokenizer, words=40)
    assert not any(word.word.startswith("##") for word in found.improved)
    long = next(word for word in found.improved if len(word.word) > 3)
    place = long.contexts[0]
    assert f"{place.before[-10:]} {long.word}" in text
    moves = [one.loss_a - one.loss_b for one in long.contexts]
    assert moves == sorted(moves, reverse=True)


def test_rare_words_can_be_left_out(asked) -> None:
    test, usual, masks = asked
    found = changes(test, usual, masks, load_tokenizer("starter"), words=20, fewest=15)
    assert found.improved and all(word.count >= 15 for word in (*found.improved, *found.worsened))
