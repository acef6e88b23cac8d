"""Earlier lines, recalled with up and down as in a shell."""

from __future__ import annotations

from collections.abc import Iterable


class History:
    """Oldest first, without repeats. The line being typed comes back after the newest."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._draft = ""
        for line in lines:
            self.add(line)

    def add(self, line: str) -> None:
        """Remember `line` as the newest."""
        if line in self._lines:
            self._lines.remove(line)
        self._lines.append(line)
        self._at = len(self._lines)
        self._draft = ""

    def older(self, typed: str) -> str:
        """The line before; `typed` is kept if it is not from the history."""
        if self._at == len(self._lines):
            self._draft = typed
        self._at = max(self._at - 1, 0)
        return self._lines[self._at] if self._lines else typed

    def newer(self, typed: str) -> str:
        """The line after, or what was being typed."""
        if self._at >= len(self._lines):
            return typed
        self._at += 1
        return self._lines[self._at] if self._at < len(self._lines) else self._draft
