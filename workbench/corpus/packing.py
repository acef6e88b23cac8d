"""Decompresses files while they are read, with clear errors for damaged ones."""

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
    """The content of a compressed file cannot be decompressed."""


def unreadable(path: Path, error: OSError) -> CorpusError:
    """The error for a file that cannot be read."""
    if isinstance(error, Damaged):
        _, suffix = suffixes_of(path)
        return CorpusError(
            f"{path} cannot be read: it is damaged, truncated, or not compressed as {suffix}.",
            "Copy or download it again, or correct its suffix.",
        )
    if error.errno is None:
        return CorpusError(f"{path} is damaged or truncated.", "Copy or download it again.")
    return CorpusError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.")


def unpacked(on_disk: IO[bytes], path: Path) -> io.BufferedReader:
    """The content of an open file, decompressed according to its name. Reading damaged content raises
    Damaged.
    """
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
    """A decompressing stream; all errors of the libraries become Damaged."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read(len(buffer))
        except (EOFError, ValueError, zlib.error, lzma.LZMAError, OSError) as error:  # Arrow's: ValueError
            if isinstance(error, OSError) and error.errno:  # from the disk
                raise
            raise Damaged(str(error)) from error
        buffer[: len(content)] = content
        return len(content)
