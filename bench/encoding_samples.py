"""Prose in many languages and their legacy encodings, from this machine's message catalogs."""

from __future__ import annotations

import gettext
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

CATALOGS = Path("/usr/share/locale")

_WESTERN = ("cp1252", "iso8859_15", "mac_roman", "cp850")
USUAL: dict[str, tuple[str, ...]] = {
    "en": ("cp1252", "mac_roman"),
    "de": _WESTERN,
    "fr": _WESTERN,
    "es": _WESTERN,
    "pt": _WESTERN,
    "it": _WESTERN,
    "nl": _WESTERN,
    "sv": _WESTERN,
    "da": _WESTERN,
    "fi": _WESTERN,
    "pl": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "cs": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "hu": ("cp1250", "iso8859_2", "cp852"),
    "sk": ("cp1250", "iso8859_2"),
    "sl": ("cp1250", "iso8859_2"),
    "ro": ("cp1250", "iso8859_2", "iso8859_16"),
    "ru": ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic"),
    "uk": ("cp1251", "koi8_u", "iso8859_5"),
    "bg": ("cp1251", "iso8859_5"),
    "el": ("cp1253", "iso8859_7"),
    "tr": ("cp1254", "iso8859_9"),
    "he": ("cp1255", "iso8859_8"),
    "ar": ("cp1256", "iso8859_6"),
    "lt": ("cp1257", "iso8859_13"),
    "lv": ("cp1257", "iso8859_13"),
    "et": ("cp1257", "iso8859_15"),
    "th": ("cp874", "tis_620"),
    "vi": ("cp1258",),
    "ja": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "zh_CN": ("gbk", "gb18030", "gb2312"),
    "zh_TW": ("big5", "cp950"),
    "ko": ("euc_kr", "cp949"),
}
"""By the name of a language's catalogs: the encodings that its text was kept in before UTF-8."""

_LEAST_LETTERS = 40  # of a sentence that counts as prose
_FIGURES = re.compile(r"%[-+# 0-9.*$hlLqjzt]*[a-zA-Z]|[<{][^<>{}]*[>}]|\s+")
_VIETNAMESE_MARKS = "\u0300\u0301\u0303\u0309\u0323"


class Sample(NamedTuple):
    """One text and its bytes. `text` is what the bytes decode to."""

    language: str
    encoding: str
    length: int
    text: str
    content: bytes


@cache
def sentences(language: str) -> tuple[str, ...]:
    """The longer messages of all catalogs of a language, without their placeholders, in a fixed order."""
    found: dict[str, None] = {}
    folders = ("en@quot", "en_GB") if language == "en" else (language,)
    paths = [path for name in folders for path in (CATALOGS / name / "LC_MESSAGES").glob("*.mo")]
    for path in sorted(paths):
        try:
            with path.open("rb") as file:
                messages = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        except (OSError, UnicodeDecodeError, ValueError):
            continue
        for source, message in messages.items():
            text = _FIGURES.sub(" ", message).strip()
            if source and message != source and sum(map(str.isalpha, text)) >= _least(language):
                found[text] = None
    ordered = list(found)
    random.Random(7).shuffle(ordered)
    return tuple(ordered)


def _least(language: str) -> int:
    return _LEAST_LETTERS // (3 if language in ("ja", "zh_CN", "zh_TW", "ko") else 1)


def samples(lengths: tuple[int, ...], of_each: int) -> Iterator[Sample]:
    """`of_each` texts of about each length in bytes, of each language in each of its encodings."""
    for language, encodings in USUAL.items():
        for encoding in encodings:
            fitting = [text for text in sentences(language) if _encoded(text, encoding) is not None]
            if not fitting:
                continue
            draw = random.Random(f"{language} {encoding}")
            for length in lengths:
                for _ in range(of_each):
                    yield _sample(language, encoding, length, fitting, draw)


def _sample(language: str, encoding: str, length: int, fitting: list[str], draw: random.Random) -> Sample:
    lines, size = [], 0
    while size < length:
        lines.append(draw.choice(fitting))
        size += len(_encoded(lines[-1], encoding) or b"")
    content = _encoded("\n".join(lines) + "\n", encoding)
    assert content is not None
    return Sample(language, encoding, length, content.decode(encoding), content)


def _encoded(text: str, encoding: str) -> bytes | None:
    """The text's bytes, with letters spelt as that encoding has them; None where it has none."""
    if encoding == "cp1258":
        text = "".join(_taken_apart(letter) for letter in text)
    if encoding in ("cp1250", "iso8859_2"):  # Romanian was written with cedillas there
        text = text.translate(str.maketrans("șțȘȚ", "şţŞŢ"))
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


def _taken_apart(letter: str) -> str:
    """A Vietnamese letter with its tone as a mark behind it, which is how cp1258 has it."""
    import unicodedata

    parts = unicodedata.normalize("NFD", letter)
    tones = "".join(mark for mark in parts if mark in _VIETNAMESE_MARKS)
    rest = "".join(mark for mark in parts if mark not in _VIETNAMESE_MARKS)
    return unicodedata.normalize("NFC", rest) + tones
