"""Words of any text: where they begin and end is counted in characters."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpus.sample import masked_sentence
from workbench.pretrained import scripts

anything = st.text(st.characters(), max_size=40)  # with what is beyond U+FFFF, and with lone surrogates


@given(text=anything)
def test_words_follow_each_other_from_the_first_character_to_the_last(text: str) -> None:
    words = scripts.words(text)
    assert "".join(text[begin:end] for begin, end in words) == text
    assert all(begin < end for begin, end in words)


def test_words_behind_an_emoji_are_the_same_words() -> None:
    plain, behind = "我们喜欢学习", "\U0001f600\U0001f468 我们喜欢学习"
    words = [behind[begin:end] for begin, end in scripts.words(behind)]
    assert words[-3:] == [plain[begin:end] for begin, end in scripts.words(plain)] == ["我们", "喜欢", "学习"]


@given(text=anything)
def test_each_token_of_one_character_is_asked_whether_it_begins_a_word(text: str) -> None:
    unspaced = scripts.unspaced(text)
    if unspaced is None:
        return
    characters = np.arange(len(text))
    starts = scripts.word_starts(text, unspaced, characters, np.zeros(len(text), np.uint8))
    assert len(starts) == len(text)


def test_words_to_mask_behind_an_emoji_begin_where_they_do_without_it() -> None:
    plain = "我们喜欢学习ภาษาไทย"
    behind = "\U0001f600" + plain
    starts = []
    for text in (plain, behind):
        unspaced = scripts.unspaced(text)
        assert unspaced is not None
        characters = np.arange(len(text))
        starts.append(scripts.word_starts(text, unspaced, characters, np.zeros(len(text), np.uint8)).tolist())
    assert starts[1][1:] == starts[0]


@given(texts=st.lists(anything, max_size=3))
def test_a_sentence_to_try_is_made_of_any_text(texts: list[str]) -> None:
    assert masked_sentence(texts).count("[MASK]") <= 1
