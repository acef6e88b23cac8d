"""Bytes to text: UTF-8 as it should be, and what else there is, guessed and said."""

from __future__ import annotations

import codecs
from pathlib import Path

from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins like UTF-16, so it is asked first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LIKELY: tuple[str, ...] = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "cp949"),
)
"""The more common first."""
_USUAL = "cp1252"
"""Of Western Europe's Windows: what short text that is not UTF-8 most often is."""

_SAMPLE_BYTES = 64 << 10
_SHORT = 64  # bytes outside ASCII, below which their kinds cannot be told apart


def wide_encoding(start: bytes) -> str | None:
    """The encoding that the mark at the beginning of a file names, if it is one of 16 or 32 bits."""
    return next((name for mark, name in _WIDE.items() if start.startswith(mark)), None)


class Decoder:
    """Decodes the lines of one file, in order. Raises CorpusError for what is no text."""

    def __init__(self, path: Path, notes: Notes) -> None:
        self._path, self._notes = path, notes
        self._number = 0
        self._encoding: str | None = None

    def __call__(self, raw: bytes) -> str:
        self._number += 1
        if b"\0" in raw:
            raise binary(self._path, self._number)
        try:
            return raw.decode("utf-8-sig" if self._number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            if sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in raw) > len(raw) // 50:
                raise binary(self._path, self._number) from error
            if self._encoding is None:
                self._encoding = _guess(raw, self._path)
                self._notes.warning(
                    f"{self._path} is not UTF-8 (line {self._number}, byte 0x{raw[error.start]:02x}): "
                    f"read as {self._encoding}, which is a guess."
                )
            return raw.decode(self._encoding, "replace")


def binary(path: Path, number: int) -> CorpusError:
    return CorpusError(
        f"{path} is binary, not text (line {number}).",
        "Give .txt, .jsonl, .csv, .parquet or .arrow files whose content is what their name says.",
    )


def _guess(line: bytes, path: Path) -> str:
    """The encoding of a file, by one of its lines and what lies at its beginning. Raises CorpusError."""
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        near = file.read(_SAMPLE_BYTES)
    telling = line[:_SAMPLE_BYTES] + b"\n" + (near if any(byte > 127 for byte in near) else b"")
    if sum(byte > 127 for byte in telling) < _SHORT:
        return _USUAL
    found = from_bytes(telling, cp_isolation=list(_LIKELY))
    # those that fit alike stand in the order of how common they are
    ranked = sorted(
        (round(one.chaos, 2), -round(one.coherence, 1), _LIKELY.index(one.encoding)) for one in found
    )
    return _LIKELY[ranked[0][-1]] if ranked else _USUAL
