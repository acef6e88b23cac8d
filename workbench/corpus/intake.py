"""Files being read: unpacked, decoded, and their bytes counted for whoever waits."""

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
"""Bytes. A line must fit in memory several times over."""

_TELL_EVERY = 8 << 20  # bytes
_LOOKED_AT = 64 << 10  # bytes
_RETURNS_INSIDE = "lines with carriage returns inside, which are kept"


class Intake:
    """Opens the files of one source, one after the other, and tells how many of their bytes are read."""

    def __init__(self, notes: Notes, total: int = 0, encoding: str = AUTO_ENCODING) -> None:
        """total: bytes of all files as they lie on the disk; 0: not told. encoding: as the recipe has it."""
        self.notes, self.encoding = notes, encoding
        self._total = total
        self._before = self._told = 0  # bytes of the files that are done; last told

    def lines(self, path: Path, *, ends: bool = False) -> Iterator[str]:
        """The lines of a text file, with their `ends` or without.

        They may end with a newline, with a return and a newline, or, throughout a file, with a return. What
        is not UTF-8 is guessed, and said. Raises CorpusError: binary, not readable, a line that no memory
        holds.
        """
        try:
            with path.open("rb", buffering=2 * _LOOKED_AT) as on_disk:
                decoder = self.decoder(path)
                content = unpacked(on_disk, path)
                unlooked = number = 0  # bytes since it was looked at how far the reading is; lines
                for raw in self._raw_lines(content, path, decoder):
                    unlooked += len(raw)
                    number += 1
                    if unlooked >= _LOOKED_AT:
                        unlooked = 0
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
        """What decodes the lines of a file."""
        return Decoder(path, self.notes, self.encoding)

    def looking(self) -> Intake:
        """Another that tells nothing, for a look at a file before it is read: what is odd is said then."""
        return Intake(Notes(lambda event: None), encoding=self.encoding)

    def whole(self, path: Path) -> str:
        """A text file as one text."""
        return "\n".join(self.lines(path))

    def content(self, path: Path) -> bytes:
        """All bytes of a file, unpacked. For files that are small by nature."""
        try:
            with path.open("rb") as on_disk:
                found = unpacked(on_disk, path).read()
        except OSError as error:
            raise unreadable(path, error) from error
        self.finished(path)
        return found

    def unpacked(self, path: Path) -> Any:
        """The bytes of a file for a reader that jumps about in it: a path, or an unnamed temporary file."""
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
        """So many bytes of the present file are read."""
        done = self._before + position
        if self._total and done - self._told >= _TELL_EVERY:
            self._told = done
            self.notes.progress(min(done, self._total), self._total, "bytes")

    def finished(self, path: Path) -> None:
        """The present file is read to its end."""
        self._before += path.stat().st_size
        self.reached(0)

    def _raw_lines(self, file: io.BufferedReader, path: Path, decoder: Decoder) -> Iterator[bytes]:
        """The lines of a file in UTF-8, or an encoding with ASCII's line ends; none as long as
        LONGEST_LINE.
        """
        encoding = decoder.begin(file.peek(_LOOKED_AT))
        returns = _has_returns_alone(file)
        lines = _between_returns(file) if returns else iter(lambda: file.readline(LONGEST_LINE), b"")
        if encoding is not None:
            lines = transcoded(file, encoding, path)
        elif not returns:
            first = next(lines, b"")
            if b"\r" in first[:-2] and not first.endswith(b"\n"):  # the one line of a file without newlines
                lines, returns = _between_returns(io.BytesIO(first)), True
            else:
                lines = chain([first] if first else (), lines)
        if returns:
            self.notes.count("files whose lines end with carriage returns", str(path), level="info")
        for number, raw in enumerate(lines, start=1):
            if len(raw) >= LONGEST_LINE:
                raise CorpusError(
                    f"{path}, line {number} is longer than {LONGEST_LINE >> 30} GB.",
                    "Break it into documents, a line each.",
                )
            yield raw


def _has_returns_alone(file: io.BufferedReader) -> bool:
    """Whether the lines of a file at its beginning end with carriage returns alone, as old Macs wrote."""
    near = file.peek(_LOOKED_AT)
    return b"\r" in near and b"\n" not in near and near.find(b"\r") < len(near) - 1


def _between_returns(file: io.BufferedReader | io.BytesIO) -> Iterator[bytes]:
    rest = b""
    while piece := file.read1(_LOOKED_AT):
        if piece.endswith(b"\r"):
            piece += file.read(1)  # it may be half of an end
        *lines, rest = (rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) >= LONGEST_LINE:
            break
    if rest:
        yield rest
