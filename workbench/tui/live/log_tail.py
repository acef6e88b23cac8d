"""The tail of a growing log file, with search."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip
from textual.widgets import Log

from workbench.text import printable

_MOST_BYTES = 64 * 1024
"""Bytes read at once; of more, only the end is shown."""
_MOST_LINES = 2000


class LogTail(Log):
    """Follows a file by its size: a file that has not grown costs one `stat`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(highlight=False, max_lines=_MOST_LINES, auto_scroll=True, id=id)
        self._path: Path | None = None
        self._at = 0
        self._rest = ""
        self._needle = ""
        self._found: int | None = None

    def follow(self, path: Path) -> None:
        """Show the end of `path` from now on. It need not exist yet."""
        if path != self._path:
            self._path, self._at, self._rest = path, 0, ""
            self.clear()
        self.read_more()

    def read_more(self) -> None:
        """Append what was written since the last read."""
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
        # An unfinished line waits for its end, but not for ever: a progress bar may never end its line.
        self._rest = lines.pop()
        follows = self.is_vertical_scroll_end or not self.line_count
        self.write_lines([self._clean(line) for line in (lines[1:] if cut else lines)], scroll_end=False)
        if follows:  # do not scroll away from what is being read
            self.call_after_refresh(self.scroll_end, animate=False)

    def find(self, needle: str) -> tuple[int, int]:
        """Highlight `needle` and go to its last line: (number of the match, number of matches).

        Lower case matches upper case too. (0, 0): no match. "" ends the search.
        """
        self._needle, self._found = needle, None
        self.refresh()
        return self.find_next(-1)

    def find_next(self, by: int) -> tuple[int, int]:
        """Go to the next match, or with -1 to the one before; wraps around."""
        lines = [number for number, line in enumerate(self.lines) if self._spots(line)]
        if not lines:
            return 0, 0
        if self._found is None:
            at = len(lines) - 1 if by < 0 else 0
        else:
            here = sum(number < self._found for number in lines)
            at = (here + by - (by > 0 and self._found not in lines)) % len(lines)
        self._found = lines[at]
        self.refresh()
        self.scroll_to(y=max(self._found - self.size.height // 2, 0), animate=False, force=True)
        return at + 1, len(lines)

    def _spots(self, line: str) -> list[int]:
        """Where the needle begins in each line."""
        if not self._needle:
            return []
        exact = any(letter.isupper() for letter in self._needle)
        text, spots, at = line if exact else line.lower(), [], -1
        while (at := text.find(self._needle, at + 1)) >= 0:
            spots.append(at)
        return spots

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        column, row = self.scroll_offset
        line = self.lines[row + y] if row + y < len(self.lines) else ""
        style = Style(bold=row + y == self._found or None, reverse=True)
        for at in self._spots(line):
            start = cell_len(line[:at]) - column
            end = start + cell_len(line[at : at + len(self._needle)])
            before, spot, after = (
                strip.crop(0, max(start, 0)),
                strip.crop(max(start, 0), end),
                strip.crop(max(end, 0)),
            )
            strip = Strip.join((before, spot.apply_style(style), after))
        return strip

    @staticmethod
    def _clean(line: str) -> str:
        """What a terminal would show: the part after the last carriage return, without control characters."""
        return printable(line.rstrip("\r").rpartition("\r")[2].expandtabs(4))
