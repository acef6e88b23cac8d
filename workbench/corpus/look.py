"""What a person may want to take out of a text: frequent lines, documents in another language, short ones."""

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
"""A line is frequent that stands there so often, and in so large a share of as many lines as documents."""
_LEAST_LETTERS = 3
_MOST_LINES = 1 << 20
"""Different lines that are counted at once: of more, those that came once are forgotten."""
_EXAMPLES, _SHOWN = 5, 80  # of each; characters
_JUDGED_BY = 300  # characters
_MOST_JUDGED = 100_000
"""Documents whose language is looked at, evenly spaced: more would take minutes."""
_TOGETHER = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HALFWIDTH": "CJK", "FULLWIDTH": "LATIN"}


@dataclass(frozen=True)
class Example:
    """A document (counted from 1), its beginning, where it stands, and its language where it is an example of
    that; "" where it is not known.
    """

    document: int
    text: str
    place: str = ""
    language: str = ""


@dataclass(frozen=True)
class FrequentLine:
    """A line, how often it stands there (at least, in a text of very many different lines)."""

    text: str
    times: int


@dataclass(frozen=True)
class Look:
    """What was found, with examples. script: of most documents (LATIN, CYRILLIC, CJK …), "" where none has
    letters. other_scripts: how many documents are mostly in another, by script. language, other_languages:
    the same by language, of `judged_languages` documents; where it is not sure a document counts for none.
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
        notes.progress(number, len(documents), "documents looked at")
    return Look(
        lines.frequent(number),
        tuple(short),
        scripts.main(),
        scripts.others(),
        scripts.examples(),
        languages.main(),
        languages.others(),
        tuple(replace(one, language=kind) for kind, one in languages.labelled()),
        judged,
    )


class _Kinds:
    """How many documents are of each kind, with examples."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._examples: dict[str, list[Example]] = {}

    def add(self, kind: str, documents: Documents, number: int, text: str) -> None:
        self._counts[kind] += 1
        found = self._examples.setdefault(kind, [])
        if len(found) < _EXAMPLES:
            found.append(_example(documents, number, text))

    def main(self) -> str:
        """The kind of most documents; "" where there are none."""
        return max(self._counts, key=lambda kind: self._counts[kind], default="")

    def others(self) -> dict[str, int]:
        """How many are of each other kind, the most frequent first."""
        main = self.main()
        return {kind: count for kind, count in self._counts.most_common() if kind != main}

    def labelled(self) -> list[tuple[str, Example]]:
        """Examples of the other kinds, each with its kind."""
        return [(kind, one) for kind in self.others() for one in self._examples[kind]][:_EXAMPLES]

    def examples(self) -> tuple[Example, ...]:
        """The same without their kinds."""
        return tuple(one for _, one in self.labelled())


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
