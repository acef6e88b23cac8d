"""Finds what a user may want to remove: frequent lines, short documents, other scripts and languages."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xxhash

from workbench.corpus.dedup import FEW_WORDS, has_words, in_batches
from workbench.corpus.documents import Documents
from workbench.corpus.languages import language_of
from workbench.corpus.notes import Notes
from workbench.corpus.sources import open_source
from workbench.recipe import Recipe

_LEAST_TIMES, _LEAST_SHARE = 10, 1 / 1000
"""A line is frequent if it occurs at least so many times, and at least so many times per document."""
_LEAST_LETTERS = 3
_MOST_LINES = 1 << 20
"""The different lines that are counted at once; beyond that the rarest are forgotten."""
_EXAMPLES, _SHOWN = 5, 80  # of each; characters
_JUDGED_BY = 300  # characters
_MOST_JUDGED = 100_000
"""The documents whose language is detected, evenly spaced; more would take minutes."""
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HALFWIDTH": "CJK", "FULLWIDTH": "LATIN"}


@dataclass(frozen=True)
class Example:
    """A document's number (from 1), its beginning, its place, and for an example of a language that language;
    "" if unknown.
    """

    document: int
    text: str
    place: str = ""
    language: str = ""


@dataclass(frozen=True)
class FrequentLine:
    """A line and how often it occurs (a lower bound if the text has very many different lines)."""

    text: str
    times: int


@dataclass(frozen=True)
class Look:
    """The findings with examples.

    script: the script of most documents (LATIN, CYRILLIC, CJK …); "" if none has letters. other_scripts: the
    number of documents that are mostly in another script, by script. language, other_languages: the same for
    languages, among `judged_languages` documents; documents of uncertain language count for none.
    """

    frequent_lines: tuple[FrequentLine, ...]
    near_empty_examples: tuple[Example, ...]
    script: str
    other_scripts: dict[str, int]
    other_script_examples: tuple[Example, ...]
    language: str = ""
    other_languages: dict[str, int] = field(default_factory=dict)
    other_language_examples: tuple[Example, ...] = ()
    judged_languages: int = 0

    def as_json(self) -> dict[str, Any]:
        """The findings as plain values."""
        return asdict(self)


def look_through(recipe: Recipe, cache: Path, notes: Notes) -> Look:
    """Examine the recipe's whole text, read once more. Raises CorpusError."""
    with TemporaryDirectory(dir=cache) as scratch:
        source = open_source(recipe, cache)
        source.identity(Notes(lambda event: None))
        return look_at(source.read(Path(scratch), Notes(lambda event: None)), notes)


def look_at(documents: Documents, notes: Notes) -> Look:
    """Examine every document, in little memory."""
    lines, scripts, languages = _Lines(), _Kinds(), _Kinds()
    short: list[Example] = []
    number = judged = 0
    every = max(1, -(-len(documents) // _MOST_JUDGED))
    for texts in in_batches(documents, np.arange(len(documents))):
        for text in texts:
            number += 1
            lines.add(text)
            if len(short) < _EXAMPLES and text.strip() and not has_words(text, FEW_WORDS):
                short.append(_example(documents, number, text))
            if script := script_of(text):
                scripts.add(script, documents, number, text)
            if number % every == 0:
                judged += 1
                if language := language_of(text):
                    languages.add(language, documents, number, text)
        notes.progress(number, len(documents), "documents checked")
    return Look(
        lines.frequent(number),
        tuple(short),
        scripts.main(),
        scripts.others(),
        scripts.examples(),
        languages.main(),
        languages.others(),
        tuple(replace(example, language=language) for language, example in languages.labelled()),
        judged,
    )


class _Kinds:
    """Counts documents by kind, with examples."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._examples: dict[str, list[Example]] = {}

    def add(self, kind: str, documents: Documents, number: int, text: str) -> None:
        self._counts[kind] += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _EXAMPLES:
            examples.append(_example(documents, number, text))

    def main(self) -> str:
        """The kind of most documents; "" if there are none."""
        return max(self._counts, key=lambda kind: self._counts[kind], default="")

    def others(self) -> dict[str, int]:
        """The number of documents of each other kind, most frequent first."""
        main = self.main()
        return {kind: count for kind, count in self._counts.most_common() if kind != main}

    def labelled(self) -> list[tuple[str, Example]]:
        """Examples of the other kinds, each with its kind."""
        return [(kind, example) for kind in self.others() for example in self._examples[kind]][:_EXAMPLES]

    def examples(self) -> tuple[Example, ...]:
        """Examples of the other kinds."""
        return tuple(example for _, example in self.labelled())


def script_of(text: str) -> str:
    """The script of most letters at the beginning of a text; "" if it has no letters."""
    start = text[:_JUDGED_BY]
    if start.isascii():
        return "LATIN" if any(map(str.isalpha, start)) else ""
    counts = Counter(_script(letter) for letter in start if letter.isalpha())
    return max(counts, key=lambda name: counts[name], default="")


@lru_cache(maxsize=1 << 14)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return _TOGETHER.get(first, first)


def _example(documents: Documents, number: int, text: str) -> Example:
    return Example(number, " ".join(text[: 4 * _SHOWN].split())[:_SHOWN], documents.place(number - 1))


class _Lines:
    """Counts how often each line occurs, by its hash, and keeps the text of frequent lines."""

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
        lines = [
            FrequentLine(text, self._times[key])
            for key, text in self._texts.items()
            if self._times.get(key, 0) >= least
        ]
        return tuple(sorted(lines, key=lambda line: -line.times)[:_EXAMPLES])
