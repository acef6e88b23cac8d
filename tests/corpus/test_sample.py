from __future__ import annotations

import pytest

from workbench.corpus.sample import masked_sentence


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Short one. The committee described the bridge."], "The [MASK] described the bridge."),
        (["", "E01 E02 E03 E04 E05"], "E01 [MASK] E03 E04 E05"),
        (["क्या आप हिन्दी में लिख सकते हैं? जी हाँ।"], "क्या आप [MASK] में लिख सकते हैं?"),
        (["医生检查了病人的心脏。护士给了他一些药物。"], "医生[MASK]了病人的心脏。"),
        (["ACDEFGHIKL"], "ACDEF[MASK]HIKL"),
        (["Two words"], "Two [MASK]"),
        (["", "   ", "..."], ""),
        (["The [MASK] is there already, and so it is not taken."], ""),
    ],
)
def test_a_sentence_of_the_text_with_its_longest_word_masked(texts: list[str], expected: str) -> None:
    assert masked_sentence(texts) == expected


def test_a_long_text_without_sentences_gives_its_beginning() -> None:
    found = masked_sentence([" ".join(f"w{n}" for n in range(1_000))])
    assert found.count("[MASK]") == 1 and len(found) < 100
