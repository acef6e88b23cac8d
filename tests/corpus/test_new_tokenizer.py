"""Tokenizers learnt from text in many scripts: no letter is lost, and the same text gives the same one."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest

from workbench.corpus.new_tokenizer import LONGEST_WORD, SPECIAL, learn

KINDS = ("wordpiece", "bpe", "unigram", "bytes")
TEXTS = {
    "hindi": "क्या आप हिन्दी में लिख सकते हैं? विद्यालय की पुस्तकें ज़रूरी हैं।",
    "japanese": "ガラスのパンダがバナナをたべました。東京の病院で診察した。",
    "thai": "แพทย์ตรวจหัวใจของผู้ป่วยและบันทึกผลทั้งหมดไว้ในวันนี้",
    "korean": "의사가 환자의 심장을 진찰했다. 안녕하세요",
    "vietnamese": "Bác sĩ đã khám tim của bệnh nhân và ghi lại kết quả.",
    "german": "Die Ärztin prüfte das Herz; Übergröße, Straße, Öl.",
    "chinese": "中文没有空格的句子很长",
    "persian": "می\u200cخواهم کتاب بخوانم",
    "dna": "ACGTTGCA" * 100,
    "signs": "e\u0301 1\u00bd \u00a0 👩\u200d👩\u200d👧 (x) [y] <0x41>, don't; \u200b\u2581",
}
SCRIPT = """
import hashlib, sys
from tests.corpus.test_new_tokenizer import TEXTS
from workbench.corpus.new_tokenizer import learn
learnt = learn(sys.argv[1], lambda: iter([[*TEXTS.values()] * 20]), 1500, lowercase=False)
print(hashlib.sha256(learnt.to_str().encode()).hexdigest())
"""


def learnt(kind: str, *, lowercase: bool = False):
    return learn(kind, lambda: iter([[*TEXTS.values()]] * 20), 1500, lowercase=lowercase)


def bare(text: str) -> str:
    """Without blanks, composed; SentencePiece's sign for a blank is one."""
    return "".join(unicodedata.normalize("NFC", text).replace("\u2581", " ").split())


@pytest.mark.parametrize("kind", KINDS)
def test_no_letter_is_lost(kind: str) -> None:
    tokenizer = learnt(kind)
    for name, text in TEXTS.items():
        encoding = tokenizer.encode(text)
        assert "[UNK]" not in encoding.tokens, name
        assert (encoding.tokens[0], encoding.tokens[-1]) == ("[CLS]", "[SEP]")
        back = tokenizer.decode(encoding.ids)
        assert bare(back) == bare(text) if kind != "bytes" else back == text, name


@pytest.mark.parametrize("kind", ["bpe", "unigram", "bytes"])
def test_letters_that_were_not_learnt_are_spelled_by_bytes(kind: str) -> None:
    tokenizer = learnt(kind)
    encoding = tokenizer.encode("Ωmega ΑΒΓ 𓀀")
    assert "[UNK]" not in encoding.tokens
    assert tokenizer.decode(encoding.ids) == "Ωmega ΑΒΓ 𓀀"


@pytest.mark.parametrize("kind", KINDS)
def test_small_letters_alone_if_asked(kind: str) -> None:
    tokenizer = learnt(kind, lowercase=True)
    back = tokenizer.decode(tokenizer.encode("Die ÄRZTIN หัวใจ पुस्तकें").ids)
    assert bare(back) == bare("die ärztin หัวใจ पुस्तकें")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_text_gives_the_same_tokenizer_in_any_process(kind: str) -> None:
    command = [sys.executable, "-c", SCRIPT, kind]
    found = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)}
    assert len(found) == 1


def test_the_vocabulary_is_as_large_as_asked_and_begins_with_the_special_tokens() -> None:
    many = [f"word{n} of{n % 97} text{n % 31}" for n in range(3_000)]
    for kind in KINDS:
        tokenizer = learn(kind, lambda: iter([many]), 1_000, lowercase=False)
        assert tokenizer.get_vocab_size() <= 1_000, kind
        assert [tokenizer.id_to_token(number) for number in range(5)] == list(SPECIAL), kind


def test_a_word_of_any_length_is_read_in_time() -> None:
    tokenizer = learnt("wordpiece")
    text = "ACGTTGCA" * 20_000
    encoding = tokenizer.encode(text)
    assert "[UNK]" not in encoding.tokens
    assert bare(tokenizer.decode(encoding.ids)) == text
    assert max(end - begin for begin, end in encoding.offsets) <= LONGEST_WORD
