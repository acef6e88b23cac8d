"""Files being read: unpacked, decoded, and their bytes counted for whoever waits."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.corpus.encodings import Decoder, binary, wide_encoding
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

PACKED = {".gz": "gzip", ".zst": "zstd"}
"""How a file is packed, by the end of its name."""

LONGEST_LINE = 1 << 30
"""Bytes. A line must fit in memory several times over."""

_TELL_EVERY = 8 << 20  # bytes


def kind_of(path: Path) -> str:
    """The kind of a file by its name, whether it is packed or not: ".csv" of a.csv and of a.CSV.gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in PACKED:
        return suffixes[-2] if len(suffixes) > 1 else suffixes[-1]
    return suffixes[-1] if suffixes else ""


class Intake:
    """Opens the files of one source, one after the other, and tells how many of their bytes are read."""

    def __init__(self, notes: Notes, total: int = 0) -> None:
        """total: bytes of all files as they lie on the disk; 0: not told."""
        self.notes = notes
        self._total = total
        self._before = self._told = 0  # bytes of the files that are done; last told

    def lines(self, path: Path) -> Iterator[str]:
        """The lines of a text file without their ends.

        What is not UTF-8 is guessed, and said. Raises CorpusError: binary, not readable, a line that no
        memory holds.
        """
        try:
            with path.open("rb") as on_disk:
                decoder = Decoder(path, self.notes)
                for raw in _raw_lines(_unpacked(on_disk, path), path):
                    self.reached(on_disk.tell())
                    yield decoder(raw).rstrip("\r\n")
        except OSError as error:
            raise unreadable(path, error) from error
        self.finished(path)

    def whole(self, path: Path) -> str:
        """A text file as one text."""
        return "\n".join(self.lines(path))

    def unpacked(self, path: Path) -> Any:
        """The bytes of a file for a reader that jumps about in it: a path, or an unnamed temporary file."""
        if path.suffix.lower() not in PACKED:
            return path
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - it is the caller's, and vanishes with him
        try:
            with path.open("rb") as on_disk:
                shutil.copyfileobj(_unpacked(on_disk, path), unpacked)
        except OSError as error:
            unpacked.close()
            raise unreadable(path, error) from error
        unpacked.seek(0)
        return unpacked

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


def unreadable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.")


def _unpacked(on_disk: io.BufferedReader, path: Path) -> io.BufferedReader:
    """The file's content. What is damaged in it raises OSError when it is read."""
    packing = PACKED.get(path.suffix.lower())
    if packing is None:
        return on_disk
    if packing == "gzip":
        return io.BufferedReader(_Readable(gzip.GzipFile(fileobj=on_disk)), 1 << 20)

    return io.BufferedReader(_Readable(pa.CompressedInputStream(on_disk, packing)), 1 << 20)


class _Readable(io.RawIOBase):
    """A stream that unpacks, whose every complaint is an OSError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read(len(buffer))
        except (EOFError, ValueError, zlib.error, OSError) as error:  # Arrow's are ValueErrors
            raise OSError(f"it is damaged, or not packed as its name says ({error})") from error
        buffer[: len(content)] = content
        return len(content)


def _raw_lines(file: io.BufferedReader, path: Path) -> Iterator[bytes]:
    """The lines of a file in UTF-8, or an encoding with ASCII's line ends; none as long as LONGEST_LINE."""
    encoding = wide_encoding(file.peek(4)[:4])
    if encoding is not None:
        yield from _transcoded(file, encoding, path)
        return
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE:
            raise CorpusError(
                f"{path}, line {number} is longer than {LONGEST_LINE >> 30} GB.",
                "Break it into documents, a line each.",
            )
        yield raw


def _transcoded(file: io.BufferedReader, encoding: str, path: Path) -> Iterator[bytes]:
    """The lines of UTF-16 or UTF-32 as UTF-8, with the mark that says so to the Decoder."""
    number = 1
    try:
        for line in io.TextIOWrapper(file, encoding, newline=""):
            yield line.encode("utf-8", "replace")
            number += 1
    except UnicodeError as error:
        raise binary(path, number) from error
