"""The end of a growing log file, read as it grows."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Log

from workbench.text import printable

_MOST_BYTES = 64 * 1024
"""Read at one look; of more only the end is shown."""
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
        cut = size - self._at > _MOST_BYTES
        with self._path.open("rb") as file:
            file.seek(size - _MOST_BYTES if cut else self._at)
            text = ("" if cut else self._rest) + file.read(_MOST_BYTES).decode("utf-8", errors="replace")
            self._at = file.tell()
        lines = text.split("\n")
        # A line still being written waits for its end, but not for ever: a progress bar may have none.
        self._rest = lines.pop()
        follows = self.is_vertical_scroll_end or not self.line_count
        self.write_lines([self._clean(line) for line in (lines[1:] if cut else lines)], scroll_end=False)
        if follows:  # whoever has scrolled up to read stays there
            self.call_after_refresh(self.scroll_end, animate=False)

    @staticmethod
    def _clean(line: str) -> str:
        """What a terminal would show of the line: the part after the last carriage return, made harmless."""
        return printable(line.rstrip("\r").rpartition("\r")[2].expandtabs(4))
