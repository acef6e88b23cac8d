"""Chooses a sentence of a text with one word masked, as an example for the model trained on that text."""

from __future__ import annotations

import re

from workbench.pretrained import scripts

MASK = "[MASK]"
_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])|\n")
_FEWEST, _MOST = 4, 14  # words
_CHARACTERS = 90


def masked_sentence(texts: list[str]) -> str:
    """The first sentence of medium length, with one of its longer words masked; for text without sentences
    its beginning. "" if there is none.
    """
    beginning = ""
    for text in texts:
        for sentence in _ENDS.split(text[:5_000]):
            sentence = " ".join(sentence.split())
            words = _words(sentence)
            beginning = beginning or (_cut(sentence, words) if words else "")
            if _FEWEST <= len(words) <= _MOST and len(sentence) <= _CHARACTERS and MASK not in sentence:
                return _masked(sentence, words)
    return _masked(beginning, _words(beginning)) if beginning and MASK not in beginning else ""


def _words(sentence: str) -> list[tuple[int, int]]:
    """The begin and end of each word."""
    return [(begin, end) for begin, end in scripts.words(sentence) if sentence[begin].isalnum()]


def _cut(sentence: str, words: list[tuple[int, int]]) -> str:
    end = words[min(len(words), _MOST) - 1][1]
    return sentence[: min(end, _CHARACTERS)]


def _masked(sentence: str, words: list[tuple[int, int]]) -> str:
    """The sentence with its longest word after the first masked; in a single word the middle letter is."""
    if len(words) == 1:
        begin, end = words[0]
        place = (begin + end) // 2
        return f"{sentence[:place]}{MASK}{sentence[place + 1 :]}"
    begin, end = max(words[1:], key=lambda span: (span[1] - span[0], -span[0]))
    return f"{sentence[:begin]}{MASK}{sentence[end:]}"
