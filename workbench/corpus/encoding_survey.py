"""Surveys a file that is not entirely UTF-8, so that all of it is decoded consistently."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.corpus.encoding_guess import LEAST_SURE, Guess, guess
from workbench.corpus.packing import unpacked

LOOKED_AT = 64 << 10
"""Bytes at the beginning of a file that decide its encoding before a line is read."""

_SURVEYED = 64 << 20  # bytes
_SAMPLE = 24 << 10  # bytes of non-UTF-8 lines sampled from the beginning; as many from the rest
_AROUND = 2 << 10  # bytes of ASCII lines sampled with them
_LINE = 16 << 10  # bytes examined of one line
_PLAIN_LETTERS = 3
"""So many valid non-ASCII characters make a line UTF-8 for certain; two may occur by chance."""
_FEWEST_LINES, _FEWEST_LETTERS = 3, 6
"""Fewer non-UTF-8 lines or characters among UTF-8 lines count as damage."""
_FEW = 1 / 1000
"""The share of bytes that may be replaced if their encoding cannot be determined."""
_LONGEST_SHOWN = 60  # characters
_REPLACED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Finding:
    """How to decode the lines that are not UTF-8.

    encoding: None means UTF-8 with damaged bytes. whole: whether the whole file has this encoding, or only
    `lines` of it. sure, sample: the guess's confidence and an example. refused: why there is no guess, with
    `proposed` as an encoding that the user may set.
    """

    encoding: str | None
    whole: bool
    lines: int = 0
    sure: float = 1.0
    sample: str = ""
    refused: str = ""
    proposed: str = ""


class _LineCounts:
    """Counts a file's lines by kind (plain UTF-8, damaged, foreign), and samples the foreign ones."""

    def __init__(self) -> None:
        self.read = self.plain = self.damaged = self.foreign = self.wrong = 0
        self._first: list[bytes] = []
        self._later: list[bytes] = []
        self._size = self._around = 0
        self._cut = b""

    def add(self, line: bytes, *, is_last: bool) -> None:
        self.read += len(line)
        if line.isascii():
            if b"\x1b" in line:
                self._keep(line)
            elif self._around < _AROUND:  # they reveal the language, which helps the guess
                self._around += len(line)
                self._first.append(line)
            return
        right, wrong = letters(_without_cut_letter(line) if is_last else line)
        if not wrong:
            self.plain += right >= _PLAIN_LETTERS
            self.damaged += is_last and right < _PLAIN_LETTERS
        elif right >= wrong:
            self.damaged += 1
        else:
            self.foreign += 1
            self.wrong += wrong
            self._keep(line)

    def sample(self) -> bytes:
        """Whole lines; only the last character may be incomplete."""
        return b"".join(self._first + self._later) + self._cut

    def _keep(self, line: bytes) -> None:
        """Keep the first lines and some of the rest: every other one is dropped when they become too many."""
        if not line.endswith(b"\n"):
            self._cut = self._cut or line
            return
        into = self._first if self._size < _SAMPLE else self._later
        into.append(line)
        self._size += len(line)
        if len(into) > 1 and sum(map(len, self._later)) > _SAMPLE:
            del self._later[::2]


def survey(path: Path) -> Finding:
    """Determine how to decode a file that is not entirely UTF-8. Raises OSError."""
    counts = _LineCounts()
    for line, is_last in _lines(path):
        counts.add(line, is_last=is_last)
    sample = counts.sample()
    if not counts.foreign and b"\x1b" not in sample:
        return Finding(None, False)
    best = guess(sample)
    mixed = counts.plain + counts.damaged >= max(1, counts.foreign // 100) and counts.foreign > 0
    few = mixed and (counts.foreign < _FEWEST_LINES or counts.wrong < _FEWEST_LETTERS)
    if best is not None and best.sure >= LEAST_SURE and not few:
        return Finding(best.encoding, not mixed, counts.foreign, best.sure, _shown(best.text))
    if mixed or counts.wrong <= _FEW * counts.read:
        return Finding(None, False)
    return Finding(None, False, refused=_why(best), proposed=best.encoding if best else "cp1252")


def letters(line: bytes) -> tuple[int, int]:
    """The number of non-ASCII characters in a line that are valid UTF-8, and of those that are not."""
    text = line.decode("utf-8", "replace")
    outside = sum(letter > "\x7f" for letter in text)
    wrong = text.count(_REPLACED) - line.count(_REPLACED.encode())
    return outside - wrong, wrong


def is_wide(start: bytes) -> str | None:
    """The encoding of a file that begins in UTF-16 or UTF-32 without a byte order mark; None if it is
    neither.

    Decoded correctly, text has few different upper bytes compared with its lower bytes, contains spaces, and
    has no invalid characters.
    """
    best, least = None, math.inf
    for encoding, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        whole = start[: len(start) // width * width]
        try:
            text = whole.decode(encoding, "strict" if width == 4 else "ignore")
        except UnicodeDecodeError:
            continue
        if not text or not _is_prose(text):
            continue
        upper = _entropy(ord(letter) >> 8 for letter in text)
        if upper < least and upper + 0.5 < _entropy(ord(letter) & 255 for letter in text):
            best, least = encoding, upper
    return best


def _is_prose(text: str) -> bool:
    common = sum(letter in " \n\t,.，。、　" for letter in text)
    good = sum(letter.isprintable() or letter in "\r\n\t　\ufeff\u200b\xa0" for letter in text)
    return good >= 0.99 * len(text) and (common > 0 or len(text) < 20)


def _entropy(numbers: Iterator[int]) -> float:
    """The entropy of the numbers' distribution, in bits."""
    counts = Counter(numbers)
    total = sum(counts.values())
    return -sum(count / total * math.log2(count / total) for count in counts.values())


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The beginning of each line, and whether it is the file's last line, which may be incomplete."""
    with path.open("rb") as on_disk:
        file = unpacked(on_disk, path)
        read = 0
        while (line := file.readline(_LINE)) and read < _SURVEYED:
            read += len(line)
            rest = line
            while rest and not rest.endswith(b"\n") and read < _SURVEYED:
                rest = file.readline(_LINE)
                read += len(rest)
            is_last = not line.endswith(b"\n") and not rest and len(line) < _LINE
            yield line, is_last


def _without_cut_letter(line: bytes) -> bytes:
    """The line without an incomplete UTF-8 character at its end."""
    for length in (1, 2, 3):
        first = line[-length:][:1]
        if first >= b"\xc2":
            needed = 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4
            return line[:-length] if length < needed else line
        if first < b"\x80":
            return line
    return line


def _shown(text: str) -> str:
    """The line with the most non-ASCII letters; of a long line the part around them."""
    most = max(text.splitlines(), key=lambda line: sum(letter > "\x7f" for letter in line[:_LONGEST_SHOWN]))
    at = next((place for place, letter in enumerate(most) if letter > "\x7f"), 0)
    begin = max(0, min(at - _LONGEST_SHOWN // 3, len(most) - _LONGEST_SHOWN))
    return most[begin : begin + _LONGEST_SHOWN].strip()


def _why(best: Guess | None) -> str:
    if best is None:
        return "no encoding decodes it"
    readings = [f"{best.encoding} gives “{_shown(best.text)}”"]
    readings += [f"{other.encoding} “{_shown(other.text)}”" for other in best.others[:2]]
    return ", ".join(readings)
