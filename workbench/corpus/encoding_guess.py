"""Guesses the legacy encoding of a sample of bytes, with a confidence.

chardet ranks encodings by the statistics of letter pairs in some fifty languages. Many encodings differ in
only a few letters (cp1250 and ISO-8859-2, cp1252 and cp850). Among those that chardet scores nearly alike, a
reading that looks odd (a symbol or capital inside a word, a control character) loses; after that, the rarer
encoding does. bench/encodings.py measures it; docs/encodings.md has the table.
"""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from chardet import detect_all

LEAST_SURE = 0.7
"""A guess with a lower confidence is refused."""

_COMMON: dict[str, float] = {
    **dict.fromkeys(("cp1252", "gb18030", "cp932", "cp949", "iso2022_jp_2", "iso2022_kr"), 1.0),
    **dict.fromkeys(("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"), 0.9),
    **dict.fromkeys(("euc_jp", "big5", "koi8_r"), 0.9),
    **dict.fromkeys(("iso8859_1", "iso8859_2", "iso8859_15", "iso8859_5", "iso8859_7", "iso8859_9"), 0.8),
    **dict.fromkeys(("cp866", "koi8_u", "cp1258"), 0.6),
    **dict.fromkeys(
        ("mac_roman", "cp850", "cp852", "iso8859_13", "iso8859_6", "iso8859_8", "mac_cyrillic"), 0.4
    ),
    **dict.fromkeys(
        ("iso8859_16", "cp437", "mac_latin2", "cp737", "cp857", "cp775", "cp862", "iso8859_4"), 0.2
    ),
    **dict.fromkeys(("mac_greek", "mac_turkish", "johab"), 0.2),
}
"""The encodings considered, each with a weight for how common it is, which decides only near ties."""

_AS_CHARDET_HAS_IT = {"euc_jp": "euc_jis_2004", "big5": "big5hkscs"}
_READ_AS = {"euc_jis_2004": ("euc_jp", "euc_jis_2004"), "big5hkscs": ("big5", "cp950", "big5hkscs")}
"""chardet reports the largest encoding of a family; the plain one is tried first."""

_EVIDENCE = 3.0  # the weight of a letter's statistics; chosen with _ODD by bench/encodings.py
_ODD = 2.0
_LEAST_SCORE = 1e-6
_CONSIDERED = 8  # readings
_FAIR_SHARE = 0.02
"""The share of damaged lines allowed in a file whose other lines determine its encoding."""

_LEAST_WHOLE = 5
_KANA = re.compile(r"[\u3041-\u30fe]")
_KANA_SHARE, _KANA_SURE = 0.25, 0.3
"""chardet misses short Japanese text with few kanji; so many kana hardly occur by chance."""
_HOPELESS = 30.0
"""A reading this far behind the best is not examined."""

_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]")
_INSIDE_WORDS = frozenset("'’·-‑‐­\u200c\u200d´`ºª")
_TYPESET = re.compile(
    r"(?<=[a-z])’(?:s|t|re|ll|ve|d|m)\b"
    r"|“[^“”\n]{1,200}”|‘[^‘’\n]{1,200}’|„[^„“\n]{1,200}“|« ?[^«»\n]{1,200} ?»"
)
"""Typographic apostrophes and quotation marks, which count in favour of a reading."""
_USUAL_SIGNS = frozenset("°©®×±→←•™§¶")


@dataclass(frozen=True, slots=True)
class Reading:
    """A sample decoded with one encoding. odd: how many `outside_ascii` characters look out of place."""

    encoding: str
    text: str
    score: float
    odd: float
    outside_ascii: int


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest encoding. sure: the expected share of non-ASCII characters that it decodes correctly.
    others: the alternatives, likeliest first.
    """

    encoding: str
    sure: float
    text: str
    others: tuple[Reading, ...]


def guess(sample: bytes) -> Guess | None:
    """The likeliest encoding of whole lines that are not UTF-8; None if no encoding decodes them.

    A few damaged lines are ignored if the others determine the encoding.
    """
    best = _guess(sample)
    if best is not None and best.sure >= LEAST_SURE:
        return best
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    for encoding in _COMMON:
        whole = [line for line in lines if _decoded(line + b"\n", encoding) is not None]
        damaged = len(lines) - len(whole)
        if 0 < damaged <= max(1.0, _FAIR_SHARE * len(lines)) and len(whole) >= _LEAST_WHOLE:
            again = _guess(b"\n".join(whole))
            if again is not None and again.encoding == encoding and again.sure >= LEAST_SURE:
                return again
    return best


def _guess(sample: bytes) -> Guess | None:
    readings = _readings(sample)
    if not readings:
        return None
    best, *others = readings
    weights = [math.exp(max(-50.0, reading.score - best.score)) for reading in readings]
    lost = sum(
        weight * _difference(best.text, other.text) for weight, other in zip(weights[1:], others, strict=True)
    )
    plain = 1.0 - min(1.0, max(0.0, 2.0 * best.odd / max(1, best.outside_ascii)))
    return Guess(best.encoding, plain * (1.0 - lost / sum(weights)), best.text, tuple(others))


def _readings(sample: bytes) -> list[Reading]:
    """The sample decoded with every plausible encoding, likeliest first, without equal texts."""
    guesses = detect_all(
        sample, ignore_threshold=True, compat_names=False, include_encodings=_names_for_chardet()
    )
    ranked = [(str(guess["encoding"]).replace("-", "_"), float(guess["confidence"])) for guess in guesses]
    ranked += [(name, _KANA_SURE) for name in ("cp932", "euc_jp") if _is_japanese(sample, name)]
    texts: dict[str, tuple[str, float]] = {}
    for name, confidence in sorted(ranked, key=lambda ranking: -ranking[1]):
        for encoding in _READ_AS.get(name, (name,)):
            text = _decoded(sample, encoding)
            if text is not None:
                earlier, best = texts.get(text, (encoding, confidence))
                texts[text] = max(earlier, encoding, key=lambda name: _COMMON.get(name, 0.0)), best
                break
        if len(texts) == _CONSIDERED:
            break
    readings: list[Reading] = []
    for text, (encoding, confidence) in texts.items():
        outside = len(_OUTSIDE_ASCII.findall(text))
        evidence = _EVIDENCE * outside * math.log(max(confidence, _LEAST_SCORE))
        if readings and evidence < readings[0].score - _HOPELESS:
            continue
        odd = _oddities(text)
        score = evidence + math.log(_COMMON.get(encoding, 0.2)) - _ODD * odd
        readings.append(Reading(encoding, text, score, odd, outside))
    return sorted(readings, key=lambda reading: -reading.score)


def _is_japanese(sample: bytes, encoding: str) -> bool:
    text = _decoded(sample, encoding) or ""
    return len(_KANA.findall(text)) > _KANA_SHARE * max(1, len(_OUTSIDE_ASCII.findall(text)))


@lru_cache(maxsize=1)
def _names_for_chardet() -> tuple[str, ...]:
    return tuple(_AS_CHARDET_HAS_IT.get(name, name).replace("_", "-") for name in _COMMON)


def _decoded(sample: bytes, encoding: str) -> str | None:
    """The sample's text; its last character may be incomplete. None if the encoding cannot decode it."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except (UnicodeDecodeError, LookupError):
        return None


def _difference(text: str, other: str) -> float:
    """The share of the non-ASCII characters that differ: 0 to 1."""
    if len(text) != len(other):
        return 1.0
    outside = max(1, len(_OUTSIDE_ASCII.findall(text)))
    return min(1.0, sum(a != b for a, b in zip(text, other, strict=True)) / outside)


def _oddities(text: str) -> float:
    """The number of non-ASCII characters that look out of place, minus the typographic marks."""
    odd = -float(len(_TYPESET.findall(text)))
    for match in _OUTSIDE_ASCII.finditer(text):
        at = match.start()
        odd += _oddity(text[at - 1 : at] or " ", text[at], text[at + 1 : at + 2] or " ")
    return odd


@lru_cache(maxsize=1 << 16)
def _oddity(before: str, letter: str, after: str) -> float:
    """How odd a non-ASCII character is between its neighbours."""
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Co", "Cn"):
        return 3.0
    if kind.startswith("L"):
        if kind == "Lu" and before.islower():
            return 1.0
        if kind == "Ll" and before.isupper() and after.isupper():
            return 1.0
        if kind == "Lo" and before.isascii() and after.isascii() and before.isalpha() and after.isalpha():
            return 1.0
        of_words = before.isalpha() and before not in _INSIDE_WORDS and kind != "Lo"
        return float(of_words and _script(before) != _script(letter))
    if kind.startswith("M"):
        return float(not before.isalpha() and unicodedata.category(before)[0] != "M")
    if letter in _INSIDE_WORDS:
        return 0.0
    if after.isalpha() and (before.isalpha() or letter == "¶"):
        return 1.0
    return 0.5 * (kind in ("Sm", "So", "Sk") and letter not in _USUAL_SIGNS)


def _script(letter: str) -> str:
    """LATIN, GREEK, CYRILLIC …: the first word of the character's name."""
    return unicodedata.name(letter, "?").partition(" ")[0]
