"""Words in scripts without spaces between them: Chinese, Japanese, Thai, Lao, Khmer, Burmese and others.

ICU, Unicode's own library, finds the words: it has a dictionary for each of those six. In scripts without a
dictionary each character is a word. The same text and the same ICU version give the same words.
"""

from __future__ import annotations

import re

import numpy as np
from icu4py import icu_version
from icu4py.breakers import CharacterBreaker, WordBreaker

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals
    (0x3001, 0x312F),  # punctuation of Chinese and Japanese, kana, Bopomofo
    (0x31A0, 0x33FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),  # Yi
    (0xA980, 0xA9FF),  # Javanese, more of Burmese
    (0xAA00, 0xAADF),  # Cham, more of Burmese, Tai Viet
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFF9F),  # full-width letters and signs, half-width kana
    (0x1AFF0, 0x1B16F),  # more kana
    (0x20000, 0x323AF),  # more of Han
)
_WITHOUT_DICTIONARY = (
    (0x1950, 0x19DF),
    (0x1A20, 0x1AAF),
    (0x1B00, 0x1B7F),
    (0xA000, 0xA4CF),
    (0xA980, 0xA9DF),
    (0xAA00, 0xAA5F),
    (0xAA80, 0xAADF),
)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANKS = np.array([0x20, *range(0x09, 0x0E), 0x85, 0xA0, 0x2028, 0x2029, 0x3000], np.uint32)


def _limits(ranges: tuple[tuple[int, int], ...]) -> np.ndarray:
    return np.array([limit for low, high in ranges for limit in (low, high + 1)], np.uint32)


_UNSPACED_LIMITS, _WITHOUT_LIMITS = _limits(_UNSPACED), _limits(_WITHOUT_DICTIONARY)


def version() -> str:
    """The version of this word segmentation, for cache keys of prepared text."""
    return f"2 icu {icu_version}"


def has_unspaced(text: str) -> bool:
    """Whether any character belongs to a script without spaces; faster than `unspaced` for long texts."""
    if text.isascii():
        return False
    codes = _codes(text)
    return bool(_within(codes[codes >= _UNSPACED_LIMITS[0]], _UNSPACED_LIMITS).any())


def unspaced(text: str) -> np.ndarray | None:
    """Which characters belong to a script without spaces: bool (characters,); None if none does."""
    if text.isascii():
        return None
    mask = _within(_codes(text), _UNSPACED_LIMITS)
    return mask if mask.any() else None


def is_unspaced(letter: str) -> bool:
    """Whether a single character belongs to a script without spaces between words."""
    return bool(_within(np.array([ord(letter)], np.uint32), _UNSPACED_LIMITS)[0])


def words(text: str) -> list[tuple[int, int]]:
    """The begin and end of each of ICU's words in a text; whitespace and punctuation are words too."""
    ends = _ends(WordBreaker, text).tolist()
    return list(zip([0, *ends], ends, strict=False))


def word_starts(text: str, of_script: np.ndarray, begins: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Which tokens begin a word: uint8 (tokens,).

    of_script: `unspaced(text)`. begins: (tokens,) each token's first character. starts: (tokens,) the word
    starts by the tokenizer, which are kept for scripts with spaces. A token that crosses a word boundary
    belongs to the word in which it begins, and so does the rest of the next word.
    """
    codes = _codes(text)
    boundary = _boundaries(text, codes)
    # a token's first letter; the whitespace that some tokenizers include before it is skipped
    letters = np.where(np.isin(codes, _BLANKS), len(codes), np.arange(len(codes)))
    following = np.minimum.accumulate(letters[::-1])[::-1]
    last = len(codes) - 1
    first = np.minimum(following[np.minimum(begins, last)], last)
    # of several tokens for one character (its bytes, or a space and the character) the first begins the word
    anew = np.ones(len(first), bool)
    anew[1:] = first[1:] != first[:-1]
    here = of_script[first]
    # a word begins where a script without spaces ends, whatever the tokenizer says
    after = np.zeros(len(first), bool)
    after[first > 0] = of_script[first[first > 0] - 1]
    decided = np.where(here, boundary[first] & anew, starts.astype(bool) | (after & boundary[first] & anew))
    return decided.astype(np.uint8)


def _boundaries(text: str, codes: np.ndarray) -> np.ndarray:
    """Which characters begin a word: bool (characters,)."""
    starts = _starts(WordBreaker, text)
    without = _within(codes, _WITHOUT_LIMITS)
    if without.any():
        starts |= _starts(CharacterBreaker, text) & without
    return starts


def _starts(breaker: type[WordBreaker | CharacterBreaker], text: str) -> np.ndarray:
    """Which characters begin a segment: bool (characters,)."""
    starts = np.zeros(len(text) + 1, bool)
    starts[0] = True
    starts[_ends(breaker, text)] = True
    return starts[:-1]


def _ends(breaker: type[WordBreaker | CharacterBreaker], text: str) -> np.ndarray:
    """The end of each segment of a text, in characters: (segments,).

    ICU counts UTF-16 code units, of which a character beyond U+FFFF has two. It rejects lone surrogates, so
    they are replaced with U+FFFD.
    """
    text = _LONE_SURROGATES.sub("\ufffd", text)
    ends = np.fromiter((end for _, end in breaker(text, "root").segments()), np.int64)
    if text.isascii():
        return ends
    wide = _codes(text) > 0xFFFF
    if not wide.any():
        return ends
    # the cumulative number of code units maps each end back to a character
    return np.searchsorted(np.cumsum(1 + wide), ends) + 1


def _within(codes: np.ndarray, limits: np.ndarray) -> np.ndarray:
    return np.searchsorted(limits, codes, side="right") % 2 == 1


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
