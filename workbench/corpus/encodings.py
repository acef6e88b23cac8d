"""Decodes files: in the named encoding, in UTF-8, or in the encoding that a survey of the file finds."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from workbench.corpus.encoding_survey import LOOKED_AT, Finding, is_wide, letters, survey
from workbench.corpus.notes import Count, Notes
from workbench.errors import CorpusError
from workbench.recipe import AUTO_ENCODING

_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins like UTF-16's, so it is tested first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BY_LINES = b"one line\nand more\n"
_UTF8, _REPLACED, _MARK = "utf-8", "\ufffd", "\ufeff"
_FEW = 10
"""The undecodable bytes allowed in a named encoding before it counts as wrong."""


def transcoded(file: io.BufferedReader, encoding: str, path: Path) -> Iterator[bytes]:
    """The lines of a file in any encoding, as UTF-8; undecodable bytes become U+FFFD."""
    try:
        for line in io.TextIOWrapper(file, encoding, errors="replace", newline=""):
            yield line.encode(_UTF8, "replace")
    except UnicodeError as error:  # such as UTF-16 without a byte order mark
        raise CorpusError(
            f"{path} is not {encoding}.", "Set encoding (--encoding) to the file's encoding, or to auto."
        ) from error


class Decoder:
    """Decodes the lines of one file, in order. Raises CorpusError for a binary file and for an encoding that
    cannot be determined.

    encoding: a codec's name, or "auto". Guesses and replaced bytes are reported through `notes`.
    """

    def __init__(self, path: Path, notes: Notes, encoding: str = AUTO_ENCODING) -> None:
        self._path, self._notes = path, notes
        self._named = None if encoding == AUTO_ENCODING else codecs.lookup(encoding).name
        self._reads = self._named or _UTF8
        self._finding: Finding | None = None
        self._number = self._right = self._wrong = 0
        self._transcoded = False

    def begin(self, start: bytes) -> str | None:
        """Examine the beginning of the file. Returns the encoding from which its lines must be `transcoded`
        before decoding, if it has 16- or 32-bit units, other line ends than ASCII's, or shift states; else
        None.
        """
        start = start[:LOOKED_AT]
        encoding = self._named or _wide(start)
        if encoding is None and not _is_utf8_so_far(start):
            if b"\0" in start or _has_controls(start):
                raise binary(self._path, _first_wrong(start)[0])
            self._examine(*_first_wrong(start))
            encoding = self._finding.encoding if self._finding and self._finding.whole else None
        if encoding is None or _is_by_lines(encoding):
            return None
        self._transcoded, self._reads = True, encoding
        return encoding

    def __call__(self, raw: bytes) -> str:
        """Decode the next line."""
        self._number += 1
        if b"\0" in raw:
            raise binary(self._path, self._number)
        if self._transcoded:
            return self._checked(raw.decode(_UTF8))
        if self._named is not None and self._reads != _UTF8:
            return self._replaced(raw, self._reads)
        if self._finding is not None and self._finding.whole and self._finding.encoding:
            return self._replaced(raw, self._finding.encoding)
        try:
            text = raw.decode(_UTF8)
        except UnicodeDecodeError as error:
            if _has_controls(raw):
                raise binary(self._path, self._number) from error
            return self._not_utf8(raw, raw[error.start])
        if self._named and not raw.isascii():
            self._right += 1
        return self._without_mark(text) if text[:1] == _MARK else text

    def finish(self) -> None:
        """Called at the end of the file. Raises CorpusError if the named encoding must be wrong."""
        if self._named is not None and self._wrong > _FEW and self._wrong > self._right:
            raise CorpusError(
                f"{self._path} is not {self._named}: {self._wrong:,} of its bytes cannot be decoded.",
                "Set encoding (--encoding) to the file's encoding, or to auto.",
            )

    def _not_utf8(self, raw: bytes, byte: int) -> str:
        if self._named is not None:
            return self._replaced(raw, _UTF8)
        if self._finding is None:
            self._examine(self._number, byte)
        assert self._finding is not None
        encoding = self._finding.encoding
        if encoding is None:
            return self._replaced(raw, _UTF8)
        if self._finding.whole:
            return self._replaced(raw, encoding)
        right, wrong = letters(raw)
        if right >= wrong:
            return self._replaced(raw, _UTF8)
        self._notes.count(f"lines read as {encoding} among lines of UTF-8", self._where())
        return self._replaced(raw, encoding)

    def _replaced(self, raw: bytes, encoding: str) -> str:
        """The text of a line, with U+FFFD for undecodable bytes, which are counted."""
        try:
            text = raw.decode(encoding)
            self._right += not raw.isascii()
        except UnicodeDecodeError:
            text = raw.decode(encoding, "replace")
            self._count(
                text.count(_REPLACED) - (raw.count(b"\xef\xbf\xbd") if encoding == _UTF8 else 0), encoding
            )
        return self._without_mark(text) if text[:1] == _MARK else text

    def _checked(self, text: str) -> str:
        """A transcoded line; its U+FFFD characters are counted."""
        wrong = 0 if text.isascii() else text.count(_REPLACED)
        if wrong:
            if self._named is None and wrong > len(text) // 50 + 1:
                raise binary(self._path, self._number)
            self._count(wrong, self._reads)
        self._right += sum(letter > "\x7f" for letter in text) - wrong
        return self._without_mark(text) if text[:1] == _MARK else text

    def _without_mark(self, text: str) -> str:
        """A line without its byte order mark, which later lines have where files were joined."""
        if self._number > 1:
            self._notes.count("byte order marks after the first line, left out", self._where())
        return text.removeprefix(_MARK)

    def _count(self, wrong: int, encoding: str) -> None:
        self._wrong += wrong
        self._notes.count(
            f"bytes that are not {encoding}, read as U+FFFD ({_REPLACED})", self._where(), wrong
        )

    def _examine(self, number: int, byte: int) -> None:
        """Survey a file whose line of that number is not UTF-8. Raises CorpusError."""
        finding = self._finding = survey(self._path)
        where = f"{self._path} is not UTF-8 (line {number}, byte 0x{byte:02x})"
        if finding.refused:
            raise CorpusError(
                f"{where}, and its encoding cannot be determined: {finding.refused}.",
                f"Set encoding (--encoding), for instance {finding.proposed}.",
            )
        if finding.encoding is None:
            return
        what = f"files that are not UTF-8, read as {finding.encoding} (a guess)"
        if what in self._notes.counts:
            self._notes.count(what, str(self._path))
            return
        self._notes.counts[what] = Count("warning", str(self._path), times=1, told=1)
        lines = "it is" if finding.whole else f"{finding.lines:,} of its lines are"
        self._notes.warning(
            f"{where}: {lines} read as {finding.encoding}, a guess with {finding.sure:.0%} confidence. "
            f"It gives “{finding.sample}”. Set encoding (--encoding) if that is wrong."
        )

    def _where(self) -> str:
        return f"{self._path}, line {self._number}"


def binary(path: Path, number: int) -> CorpusError:
    return CorpusError(
        f"{path} is binary, not text (line {number}).",
        "Give .txt, .jsonl, .csv, .parquet or .arrow files whose content matches their name.",
    )


def _has_controls(raw: bytes) -> bool:
    """Whether more than one byte in fifty is a control character that text does not contain."""
    return sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in raw) > len(raw) // 50


def _wide(start: bytes) -> str | None:
    """The 16- or 32-bit encoding of a file's beginning, by its byte order mark or its look; or None."""
    marked = next((name for mark, name in _WIDE.items() if start.startswith(mark)), None)
    if marked or (_is_utf8_so_far(start) and b"\0" not in start):
        return marked
    return is_wide(start)


def _is_by_lines(encoding: str) -> bool:
    """Whether text in this encoding can be split at newline bytes and decoded line by line."""
    stateful = encoding.startswith(("iso2022", "utf-7", "utf_7", "hz"))
    return not stateful and _BY_LINES.decode().encode(encoding, "ignore") == _BY_LINES


def _is_utf8_so_far(start: bytes) -> bool:
    """Whether the beginning of a file is UTF-8 and not ISO-2022; its last character may be incomplete."""
    try:
        codecs.getincrementaldecoder(_UTF8)().decode(start)
    except UnicodeDecodeError:
        return False
    return b"\x1b$" not in start


def _first_wrong(start: bytes) -> tuple[int, int]:
    """The line number and the byte of the first place that is not UTF-8 or switches the character set."""
    try:
        start.decode(_UTF8)
        at = max(0, start.find(b"\x1b$"))
    except UnicodeDecodeError as error:
        at = error.start
    return start.count(b"\n", 0, at) + 1, start[at]
