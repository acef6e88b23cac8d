"""What a person may want to take out of a text: frequent lines, documents of another script, short ones."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xxhash

from workbench.corpus.dedup import FEW_WORDS, has_words, in_batches
from workbench.corpus.documents import Documents
from workbench.corpus.notes import Notes
from workbench.corpus.sources import open_source
from workbench.recipe import Recipe

_LEAST_TIMES, _LEAST_SHARE = 10, 1 / 1000
"""A line is frequent that stands there so often, and in so large a share of as many lines as documents."""
_LEAST_LETTERS = 3
_MOST_LINES = 1 << 20
"""Different lines that are counted at once: of more, those that came once are forgotten."""
_EXAMPLES, _SHOWN = 5, 80  # of each; characters
_JUDGED_BY = 300  # characters
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HALFWIDTH": "CJK", "FULLWIDTH": "LATIN"}


@dataclass(frozen=True)
class Example:
    """A document (counted from 1), its beginning, and where it stands, "" where that is not known."""

    document: int
    text: str
    place: str = ""


@dataclass(frozen=True)
class FrequentLine:
    """A line, how often it stands there (at least, in a text of very many different lines)."""

    text: str
    times: int


@dataclass(frozen=True)
class Look:
    """What was found, with examples. script: of most documents (LATIN, CYRILLIC, CJK …), "" where none has
    letters. other_scripts: how many documents are mostly in another, by script.
    """

    frequent_lines: tuple[FrequentLine, ...]
    near_empty_examples: tuple[Example, ...]
    script: str
    other_scripts: dict[str, int]
    other_script_examples: tuple[Example, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def look_through(recipe: Recipe, cache: Path, notes: Notes) -> Look:
    """Read the recipe's whole text once more. Raises CorpusError."""
    with TemporaryDirectory(dir=cache) as scratch:
        source = open_source(recipe, cache)
        source.identity(Notes(lambda event: None))
        return look_at(source.read(Path(scratch), Notes(lambda event: None)), notes)


def look_at(documents: Documents, notes: Notes) -> Look:
    """Look at every document, in little memory."""
    lines, scripts = _Lines(), Counter[str]()
    short: list[Example] = []
    of_script: dict[str, list[Example]] = {}
    number = 0
    for texts in in_batches(documents, np.arange(len(documents))):
        for text in texts:
            number += 1
            lines.add(text)
            if len(short) < _EXAMPLES and text.strip() and not has_words(text, FEW_WORDS):
                short.append(_example(documents, number, text))
            if script := script_of(text):
                scripts[script] += 1
                if len(of_script.setdefault(script, [])) < _EXAMPLES:
                    of_script[script].append(_example(documents, number, text))
        notes.progress(number, len(documents), "documents looked at")
    main = max(scripts, key=lambda name: scripts[name], default="")
    others = {name: count for name, count in scripts.most_common() if name != main}
    examples = [example for name in others for example in of_script[name]]
    return Look(lines.frequent(number), tuple(short), main, others, tuple(examples[:_EXAMPLES]))


def script_of(text: str) -> str:
    """The script of most letters at the beginning of a text; "" where it has none."""
    start = text[:_JUDGED_BY]
    if start.isascii():
        return "LATIN" if any(map(str.isalpha, start)) else ""
    found = Counter(_script(letter) for letter in start if letter.isalpha())
    return max(found, key=lambda name: found[name], default="")


@lru_cache(maxsize=1 << 14)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return _TOGETHER.get(first, first)


def _example(documents: Documents, number: int, text: str) -> Example:
    return Example(number, " ".join(text[: 4 * _SHOWN].split())[:_SHOWN], documents.place(number - 1))


class _Lines:
    """How often each line stands in the documents, by its hash; the text of those that come often."""

    def __init__(self) -> None:
        self._times: dict[int, int] = {}
        self._texts: dict[int, str] = {}

    def add(self, text: str) -> None:
        for line in text.split("\n"):
            stripped = line.strip()
            if len(stripped) < _LEAST_LETTERS:
                continue
            key = xxhash.xxh3_64_intdigest(stripped.encode("utf-8", "replace"))
            times = self._times[key] = self._times.get(key, 0) + 1
            if times == _LEAST_TIMES:
                self._texts[key] = stripped[:_SHOWN]
        least = 1
        while len(self._times) > _MOST_LINES:
            self._times = {key: times for key, times in self._times.items() if times > least}
            least += 1

    def frequent(self, documents: int) -> tuple[FrequentLine, ...]:
        least = max(_LEAST_TIMES, int(_LEAST_SHARE * documents))
        found = [
            FrequentLine(text, self._times[key])
            for key, text in self._texts.items()
            if self._times.get(key, 0) >= least
        ]
        return tuple(sorted(found, key=lambda line: -line.times)[:_EXAMPLES])
