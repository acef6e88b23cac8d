"""Splits texts without columns into documents, as requested or as they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from workbench.corpus.finding import kind_of_named
from workbench.corpus.intake import Intake
from workbench.corpus.places import Place
from workbench.corpus.tables import reader_of

_LOOKED_AT = 2_000
"""The lines of a file from which the unit of its documents is guessed."""

_LONGEST_BLOCK = 25
"""The average lines of a block; if blank lines are rarer, they do not separate documents."""

_WORDS = {
    "line": ("each line is a document", "lines"),
    "file": ("each file is a document", "files"),
    "paragraph": ("blank lines separate documents", "documents"),
}
_OF_MAIL = ("each message is a document", "messages")


def lines(intake: Intake, path: Path) -> Iterator[str]:
    """The lines of a plain text file, without their ends."""
    return intake.lines(path)


class PlainText:
    """The documents of text files. unit: line, file, paragraph, or auto. place: of the last text of `texts`.

    auto: each of several files is a document, and so is each e-mail. A single text file has one document per
    line, unless blank lines split it into blocks and most blocks have several lines: then it is hard-wrapped
    text, and the blocks are the documents. A single document, such as a PDF, is split at its blank lines.
    """

    def __init__(self, paths: Sequence[Path], unit: str, intake: Intake) -> None:
        self._paths, self._intake = paths, intake
        self._guessed = unit == "auto"
        is_mail = all(kind_of_named(path).name == "Mail" for path in paths)
        self.place = Place(paths[0], unit="message" if is_mail else "line")
        self.unit = self._guess() if self._guessed else unit

    def texts(self) -> Iterator[str]:
        """The documents in order; "" for an empty line."""
        for path in self._paths:
            kind = kind_of_named(path)
            self.place.path, self.place.number = path, 0
            if kind.shape == "text":
                yield from self._of_lines(path, reader_of(kind)(self._intake, path))
                continue
            for number, text in enumerate(reader_of(kind)(self._intake, path), start=1):
                self.place.number = number if self.place.unit == "message" else 0
                yield from self._of_whole(path, text)

    def described(self, documents: int) -> str:
        """What a document is, as text for the user."""
        rule, unit = _WORDS[self.unit]
        if self.unit == "file" and all(kind_of_named(path).name == "Mail" for path in self._paths):
            rule, unit = _OF_MAIL
        where = self._paths[0].name if len(self._paths) == 1 else f"{len(self._paths):,} files"
        guessed = " (guessed)" if self._guessed and self.unit == "paragraph" else ""
        return f"{where}: {rule}{guessed}; {unit}: {documents:,}."

    def _of_lines(self, path: Path, lines: Iterator[str]) -> Iterator[str]:
        if self.unit == "line":
            yield from self._each_line(path, lines)
        elif self.unit == "paragraph":
            for self.place.number, block in numbered_blocks(lines):
                yield "\n".join(block)
        else:
            text = "\n".join(lines)
            if self._holds_text(path, text):
                yield text

    def _of_whole(self, path: Path, text: str) -> Iterator[str]:
        if not self._holds_text(path, text):
            return
        if self.unit == "file":
            yield text
        elif self.unit == "line":
            yield from (line for line in text.split("\n") if line.strip())
        else:
            yield from map("\n".join, blocks(text.split("\n")))

    def _each_line(self, path: Path, lines: Iterator[str]) -> Iterator[str]:
        place = self.place
        for place.number, line in enumerate(lines, start=1):
            if not line or line.isspace():
                where = f"{path}, line {place.number}"
                self._intake.notes.count("blank lines, left out", where, level="info")
            yield line

    def _holds_text(self, path: Path, text: str) -> bool:
        has_text = bool(text) and not text.isspace()
        if not has_text:
            self._intake.notes.count("files or messages without text, left out", str(path))
        return has_text

    def _guess(self) -> str:
        kind = kind_of_named(self._paths[0])
        if len(self._paths) > 1 or kind.name == "Mail":
            return "file"
        if kind.shape == "document":
            return "paragraph"
        first = list(blocks(islice(reader_of(kind)(self._intake.silent(), self._paths[0]), _LOOKED_AT)))
        long = sum(len(block) > 1 for block in first)
        count = sum(map(len, first))
        separated = len(first) > 1 and count <= _LONGEST_BLOCK * len(first)
        return "paragraph" if separated and 2 * long > len(first) else "line"


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The blocks of lines between blank lines."""
    return (block for _, block in numbered_blocks(lines))


def numbered_blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The blocks of lines between blank lines, each with the number of its first line."""
    block: list[str] = []
    number = 0
    for number, line in enumerate(lines, start=1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []
    if block:
        yield number - len(block) + 1, block
