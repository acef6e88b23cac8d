"""Reads files: decompresses and decodes them, and reports how many bytes are read."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from workbench.corpus.encodings import Decoder, transcoded
from workbench.corpus.notes import Notes
from workbench.corpus.packing import unpacked, unreadable
from workbench.errors import CorpusError
from workbench.file_kinds import suffixes_of
from workbench.recipe import AUTO_ENCODING

LONGEST_LINE = 1 << 30
"""In bytes. A line must fit in memory several times."""

_TELL_EVERY = 8 << 20  # bytes
_LOOKED_AT = 64 << 10  # bytes
_RETURNS_INSIDE = "lines with carriage returns inside, which are kept"


class Intake:
    """Opens the files of one source one after another, and reports the bytes read."""

    def __init__(self, notes: Notes, total: int = 0, encoding: str = AUTO_ENCODING) -> None:
        """total: bytes of all files on disk; 0 reports no progress. encoding: the recipe's."""
        self.notes, self.encoding = notes, encoding
        self._total = total
        self._before = self._told = 0  # bytes of finished files; bytes last reported

    def lines(self, path: Path, *, ends: bool = False) -> Iterator[str]:
        """The lines of a text file, with or without their line `ends`.

        Lines may end in \\n, \\r\\n, or \\r throughout the file. If the text is not UTF-8, its encoding is
        guessed and reported. Raises CorpusError: binary, unreadable, or a line longer than LONGEST_LINE.
        """
        try:
            with path.open("rb", buffering=2 * _LOOKED_AT) as on_disk:
                decoder = self.decoder(path)
                content = unpacked(on_disk, path)
                unreported = number = 0  # bytes since the position was last checked; lines
                for raw in self._raw_lines(content, path, decoder):
                    unreported += len(raw)
                    number += 1
                    if unreported >= _LOOKED_AT:
                        unreported = 0
                        self.reached(on_disk.tell())
                    line = decoder(raw)
                    if ends:
                        yield line
                        continue
                    line = line.rstrip("\r\n")
                    if "\r" in line:
                        self.notes.count(_RETURNS_INSIDE, f"{path}, line {number}")
                    yield line
                decoder.finish()
        except OSError as error:
            raise unreadable(path, error) from error
        self.finished(path)

    def decoder(self, path: Path) -> Decoder:
        """A decoder for the lines of a file."""
        return Decoder(path, self.notes, self.encoding)

    def silent(self) -> Intake:
        """An Intake without notes, for a look at a file before it is read (and its oddities reported)."""
        return Intake(Notes(lambda event: None), encoding=self.encoding)

    def whole(self, path: Path) -> str:
        """The text of a whole file."""
        return "\n".join(self.lines(path))

    def content(self, path: Path) -> bytes:
        """All bytes of a small file, decompressed."""
        try:
            with path.open("rb") as on_disk:
                content = unpacked(on_disk, path).read()
        except OSError as error:
            raise unreadable(path, error) from error
        self.finished(path)
        return content

    def unpacked(self, path: Path) -> Any:
        """A file for a reader that needs random access: its path, or a temporary decompressed copy."""
        if not suffixes_of(path)[1]:
            return path
        whole = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            with path.open("rb") as on_disk:
                shutil.copyfileobj(unpacked(on_disk, path), whole)
        except OSError as error:
            whole.close()
            raise unreadable(path, error) from error
        whole.seek(0)
        return whole

    def reached(self, position: int) -> None:
        """Report that the current file is read up to this byte."""
        done = self._before + position
        if self._total and done - self._told >= _TELL_EVERY:
            self._told = done
            self.notes.progress(min(done, self._total), self._total, "bytes")

    def finished(self, path: Path) -> None:
        """Report that the current file is read to its end."""
        self._before += path.stat().st_size
        self.reached(0)

    def _raw_lines(self, file: io.BufferedReader, path: Path, decoder: Decoder) -> Iterator[bytes]:
        """The lines of a file in UTF-8 or an encoding with ASCII's line ends. Raises CorpusError above
        LONGEST_LINE.
        """
        encoding = decoder.begin(file.peek(_LOOKED_AT))
        returns = _has_returns_alone(file)
        lines = _between_returns(file) if returns else iter(lambda: file.readline(LONGEST_LINE), b"")
        if encoding is not None:
            lines = transcoded(file, encoding, path)
        elif not returns:
            first = next(lines, b"")
            if b"\r" in first[:-2] and not first.endswith(b"\n"):  # the only line of a file without newlines
                lines, returns = _between_returns(io.BytesIO(first)), True
            else:
                lines = chain([first] if first else (), lines)
        if returns:
            self.notes.count("files whose lines end with carriage returns", str(path), level="info")
        for number, raw in enumerate(lines, start=1):
            if len(raw) >= LONGEST_LINE:
                raise CorpusError(
                    f"{path}, line {number} is longer than {LONGEST_LINE >> 30} GB.",
                    "Split it into documents, one per line.",
                )
            yield raw


def _has_returns_alone(file: io.BufferedReader) -> bool:
    """Whether the first lines of a file end with carriage returns alone, as on old Macs."""
    start = file.peek(_LOOKED_AT)
    return b"\r" in start and b"\n" not in start and start.find(b"\r") < len(start) - 1


def _between_returns(file: io.BufferedReader | io.BytesIO) -> Iterator[bytes]:
    rest = b""
    while piece := file.read1(_LOOKED_AT):
        if piece.endswith(b"\r"):
            piece += file.read(1)  # a newline may follow
        *lines, rest = (rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) >= LONGEST_LINE:
            break
    if rest:
        yield rest
