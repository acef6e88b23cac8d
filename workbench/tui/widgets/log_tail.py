"""The end of a growing log file, read as it grows."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Log

from workbench.text import printable

_FIRST_BYTES = 64 * 1024
_MOST_LINES = 2000


class LogTail(Log):
    """Follows a file by its size: a file that has not grown costs one `stat`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(highlight=False, max_lines=_MOST_LINES, auto_scroll=True, id=id)
        self._path: Path | None = None
        self._at = 0
        self._rest = ""

    def follow(self, path: Path) -> None:
        """Show the end of `path` from now on. It need not exist yet."""
        if path != self._path:
            self._path, self._at, self._rest = path, 0, ""
            self.clear()
        self.read_more()

    def read_more(self) -> None:
        """Append what was written since the last look."""
        if self._path is None:
            return
        try:
            size = self._path.stat().st_size
        except OSError:
            return
        if size < self._at:  # the file was replaced
            self._at, self._rest = 0, ""
            self.clear()
        if size == self._at:
            return
        cut = self._at == 0 and size > _FIRST_BYTES
        with self._path.open("rb") as file:
            file.seek(size - _FIRST_BYTES if cut else self._at)
            text = self._rest + file.read().decode("utf-8", errors="replace")
            self._at = file.tell()
        lines = text.split("\n")
        # A line still being written waits for its end, but not for ever: a progress bar may have none.
        self._rest = lines.pop()
        self.write_lines([self._clean(line) for line in (lines[1:] if cut else lines)])

    @staticmethod
    def _clean(line: str) -> str:
        """What a terminal would show of the line: the part after the last carriage return, made harmless."""
        return printable(line.rstrip("\r").rpartition("\r")[2].expandtabs(4))
