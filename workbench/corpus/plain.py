"""Plain text: what a document is in .txt files, as it was asked for or as they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from workbench.corpus.intake import Intake
from workbench.corpus.notes import Notes

_LOOKED_AT = 2_000
"""Lines of a file by which its documents are guessed."""

_LONGEST_BLOCK = 25
"""Lines on average; where blank lines are rarer than that, they are not what divides."""

_WORDS = {
    "line": ("each line is a document", "lines"),
    "file": ("each file is a document", "files"),
    "paragraph": ("blank lines divide the documents", "documents"),
}


class PlainText:
    """The documents of .txt files. `unit`: line, file, paragraph, or auto.

    auto: several files are a document each. One file holds a document a line, unless blank lines divide it
    into blocks of which most have several lines: then it is text that was broken to some width, and the
    blocks are the documents.
    """

    def __init__(self, paths: Sequence[Path], unit: str, intake: Intake) -> None:
        self._paths, self._intake = paths, intake
        self._guessed = unit == "auto"
        self.unit = self._guess() if self._guessed else unit

    def texts(self) -> Iterator[str]:
        """The documents in order; "" for an empty line."""
        for path in self._paths:
            if self.unit == "file":
                yield self._intake.whole(path)
            elif self.unit == "line":
                yield from self._intake.lines(path)
            else:
                yield from map("\n".join, _blocks(self._intake.lines(path)))

    def described(self, documents: int) -> str:
        """What a document is, for the person."""
        rule, unit = _WORDS[self.unit]
        where = self._paths[0].name if len(self._paths) == 1 else f"{len(self._paths):,} files"
        guessed = " (guessed)" if self._guessed and self.unit == "paragraph" else ""
        return f"{where}: {rule}{guessed}; {unit}: {documents:,}."

    def _guess(self) -> str:
        if len(self._paths) > 1:
            return "file"
        looking = Intake(Notes(lambda event: None))
        blocks = list(_blocks(islice(looking.lines(self._paths[0]), _LOOKED_AT)))
        long = sum(len(block) > 1 for block in blocks)
        lines = sum(map(len, blocks))
        divided = len(blocks) > 1 and lines <= _LONGEST_BLOCK * len(blocks)
        return "paragraph" if divided and 2 * long > len(blocks) else "line"


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The runs of lines that blank lines divide."""
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block
