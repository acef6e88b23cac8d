"""What a file is that is not wholly UTF-8: read through once, so that all of it is decoded alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.corpus.encoding_guess import LEAST_SURE, Guess, guess
from workbench.corpus.packing import unpacked

LOOKED_AT = 64 << 10
"""Bytes at the beginning of a file by which its encoding is chosen before a line is read."""

_SURVEYED = 64 << 20  # bytes
_SAMPLE = 24 << 10  # bytes of lines that are not UTF-8, from the beginning; as many come from the rest
_AROUND = 2 << 10  # bytes of lines of ASCII beside them
_LINE = 16 << 10  # bytes looked at of one line
_PLAIN_LETTERS = 3
"""Characters outside ASCII that make a line UTF-8 beyond doubt: two may come about by chance."""
_FEWEST_LINES, _FEWEST_LETTERS = 3, 6
"""Fewer in another encoding among lines of UTF-8 are taken for damage."""
_FEW = 1 / 1000
"""Share of bytes that may be shown as replaced where their encoding cannot be told."""
_LONGEST_SHOWN = 60  # characters
_REPLACED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Finding:
    """How the lines that are not UTF-8 are to be read.

    encoding: None: as UTF-8 with damaged bytes. whole: the whole file is in that encoding, not only those
    `lines`. sure, sample: of the guess. refused: why there is none; `proposed` is what the person may set.
    """

    encoding: str | None
    whole: bool
    lines: int = 0
    sure: float = 1.0
    sample: str = ""
    refused: str = ""
    proposed: str = ""


class _Tally:
    """The lines of a file by what they are: bytes, lines."""

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
            elif self._around < _AROUND:  # the language that they tell helps
                self._around += len(line)
                self._first.append(line)
            return
        right, wrong = letters(_without_half_a_letter(line) if is_last else line)
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
        """Whole lines; only the end of it may cut a character."""
        return b"".join(self._first + self._later) + self._cut

    def _keep(self, line: bytes) -> None:
        """The first of them, and some of the rest: every other one goes whenever they become too many."""
        if not line.endswith(b"\n"):
            self._cut = self._cut or line
            return
        into = self._first if self._size < _SAMPLE else self._later
        into.append(line)
        self._size += len(line)
        if len(into) > 1 and sum(map(len, self._later)) > _SAMPLE:
            del self._later[::2]


def survey(path: Path) -> Finding:
    """Look through a file that is not UTF-8, or not all of it. Raises OSError."""
    tally = _Tally()
    for line, is_last in _lines(path):
        tally.add(line, is_last=is_last)
    sample = tally.sample()
    if not tally.foreign and b"\x1b" not in sample:
        return Finding(None, False)
    found = guess(sample)
    mixed = tally.plain + tally.damaged >= max(1, tally.foreign // 100) and tally.foreign > 0
    few = mixed and (tally.foreign < _FEWEST_LINES or tally.wrong < _FEWEST_LETTERS)
    if found is not None and found.sure >= LEAST_SURE and not few:
        return Finding(found.encoding, not mixed, tally.foreign, found.sure, _shown(found.text))
    if mixed or tally.wrong <= _FEW * tally.read:
        return Finding(None, False)
    return Finding(None, False, refused=_why(found), proposed=found.encoding if found else "cp1252")


def letters(line: bytes) -> tuple[int, int]:
    """How many characters outside ASCII are UTF-8 in a line, and how many places are not."""
    text = line.decode("utf-8", "replace")
    outside = sum(letter > "\x7f" for letter in text)
    wrong = text.count(_REPLACED) - line.count(_REPLACED.encode())
    return outside - wrong, wrong


def is_wide(start: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, by the look of the first bytes of a file; None: it is neither.

    Read as what it is, text has few different upper bytes beside its lower bytes, blanks among its
    characters, and none that Unicode does not have.
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
    """Bits."""
    counts = Counter(numbers)
    total = sum(counts.values())
    return -sum(count / total * math.log2(count / total) for count in counts.values())


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The beginnings of the lines, and whether it is the file's last, which may be cut short."""
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


def _without_half_a_letter(line: bytes) -> bytes:
    """Without the UTF-8 character that the end of the file cut."""
    for length in (1, 2, 3):
        first = line[-length:][:1]
        if first >= b"\xc2":
            needed = 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4
            return line[:-length] if length < needed else line
        if first < b"\x80":
            return line
    return line


def _shown(text: str) -> str:
    """The line that has the most letters outside ASCII, or the part about them of a long one."""
    most = max(text.splitlines(), key=lambda line: sum(letter > "\x7f" for letter in line[:_LONGEST_SHOWN]))
    at = next((place for place, letter in enumerate(most) if letter > "\x7f"), 0)
    begin = max(0, min(at - _LONGEST_SHOWN // 3, len(most) - _LONGEST_SHOWN))
    return most[begin : begin + _LONGEST_SHOWN].strip()


def _why(found: Guess | None) -> str:
    if found is None:
        return "no encoding reads it"
    ways = [f"{found.encoding} reads “{_shown(found.text)}”"]
    ways += [f"{other.encoding} “{_shown(other.text)}”" for other in found.others[:2]]
    return ", ".join(ways)
