"""Packed files, unpacked while they are read; what is damaged says so."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from workbench.errors import CorpusError
from workbench.file_kinds import PACKED, suffixes_of

_BUFFER = 1 << 20


class Damaged(OSError):
    """The content of a packed file cannot be unpacked."""


def unreadable(path: Path, error: OSError) -> CorpusError:
    """What is wrong with a file that cannot be read, and what to do."""
    if isinstance(error, Damaged):
        _, suffix = suffixes_of(path)
        return CorpusError(
            f"{path} cannot be read: it is damaged, cut short, or not packed as its name ({suffix}) says.",
            "Copy or download it again, or give it the name of what it is.",
        )
    if error.errno is None:
        return CorpusError(f"{path} is damaged or cut short.", "Copy or download it again.")
    return CorpusError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.")


def unpacked(on_disk: IO[bytes], path: Path) -> io.BufferedReader:
    """The content of an open file as its name says it is packed. What is damaged raises Damaged when read."""
    _, suffix = suffixes_of(path)
    if not suffix:
        assert isinstance(on_disk, io.BufferedReader)
        return on_disk
    return io.BufferedReader(_Readable(_stream(on_disk, PACKED[suffix])), _BUFFER)


def _stream(on_disk: IO[bytes], packing: str) -> Any:
    if packing == "gzip":
        return gzip.GzipFile(fileobj=on_disk)
    if packing == "bz2":
        return bz2.BZ2File(on_disk)
    if packing == "xz":
        return lzma.LZMAFile(on_disk)
    return pa.CompressedInputStream(on_disk, packing)


class _Readable(io.RawIOBase):
    """A stream that unpacks, whose every complaint is Damaged."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read(len(buffer))
        except (EOFError, ValueError, zlib.error, lzma.LZMAError, OSError) as error:  # Arrow's: ValueError
            if isinstance(error, OSError) and error.errno:  # of the disk
                raise
            raise Damaged(str(error)) from error
        buffer[: len(content)] = content
        return len(content)
