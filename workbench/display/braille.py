"""A canvas of braille dots: two dots wide and four high in each cell, so 80 columns show 160 points."""

from __future__ import annotations

# Unicode numbers the dots of a braille cell by column, the fourth row having been added later.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


class Canvas:
    """`width` x `height` cells. (0, 0) is the dot at the bottom left; a cell has the colour drawn last."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        self.dots_wide, self.dots_high = self.width * 2, self.height * 4
        self._bits = [[0] * self.width for _ in range(self.height)]
        self._glyphs: list[list[str | None]] = [[None] * self.width for _ in range(self.height)]
        self._owners: list[list[str]] = [[""] * self.width for _ in range(self.height)]

    def dot(self, x: int, y: int, owner: str) -> None:
        """Set one dot. Dots outside the canvas are ignored."""
        if not (0 <= x < self.dots_wide and 0 <= y < self.dots_high):
            return
        row, line = divmod(self.dots_high - 1 - y, 4)
        self._bits[row][x // 2] |= _BITS[line][x % 2]
        self._owners[row][x // 2] = owner

    def line(self, x0: int, y0: int, x1: int, y1: int, owner: str) -> None:
        """A straight line of dots, ends included."""
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for i in range(steps + 1):
            part = i / steps if steps else 0.0
            self.dot(round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part), owner)

    def glyph(self, x: int, y: int, glyph: str, owner: str, *, over: bool = True) -> None:
        """Put a character into the cell of dot (x, y); with `over` False only into an empty cell."""
        if not (0 <= x < self.dots_wide and 0 <= y < self.dots_high):
            return
        row, column = (self.dots_high - 1 - y) // 4, x // 2
        if over or not (self._bits[row][column] or self._glyphs[row][column]):
            self._glyphs[row][column] = glyph
            self._owners[row][column] = owner

    def rows(self) -> list[list[tuple[str, str]]]:
        """Each row, top first, as runs of (text, owner); owner "" is empty space."""
        lines = []
        for bits, glyphs, owners in zip(self._bits, self._glyphs, self._owners, strict=True):
            runs: list[tuple[str, str]] = []
            for bit, glyph, owner in zip(bits, glyphs, owners, strict=True):
                text = glyph or (chr(_BLANK + bit) if bit else " ")
                if runs and runs[-1][1] == owner:
                    runs[-1] = (runs[-1][0] + text, owner)
                else:
                    runs.append((text, owner))
            lines.append(runs)
        return lines
