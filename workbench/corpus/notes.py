"""What a person should know of a text: told when it is prepared, and again when it comes from the cache.

Nothing is left out, changed, guessed or replaced without a word here. What happens once is a sentence
(`info`, `warning`). What may happen to many rows is counted (`count`), and told once, with the first place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.events import Listener, Message, Progress


@dataclass(slots=True)
class Count:
    """How often something happened, and where it happened first."""

    level: str
    first: str
    times: int = 0
    told: int = 0


class Notes:
    """Tells sentences to a listener, and keeps them as (level, sentence) for whoever writes them down.

    `counts`: what was counted so far, by what it is.
    """

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self.kept: list[tuple[str, str]] = []
        self.counts: dict[str, Count] = {}

    def info(self, text: str) -> None:
        """Something that was decided, such as which column is read."""
        self._tell("info", text)

    def warning(self, text: str) -> None:
        """Something that is not as it was asked for."""
        self._tell("warning", text)

    def count(self, what: str, where: str, times: int = 1, level: str = "warning") -> None:
        """Something that was done to a row, a value or a file; `tell_counts` says how often.

        what: a plural noun and what was done, such as "numbers read as their digits". where: the file and
        the line.
        """
        found = self.counts.get(what)
        if found is None:
            found = self.counts[what] = Count(level, where)
        found.times += times

    def tell_counts(self) -> None:
        """Tell what was counted since the last call, a sentence each. Called at the end of a source."""
        for what, found in self.counts.items():
            if found.times > found.told:
                found.told = found.times
                self._tell(
                    found.level, f"{what[0].upper()}{what[1:]}: {found.times:,}. First: {found.first}."
                )

    def progress(self, done: int, total: int, unit: str) -> None:
        """How far the reading is, which is worth no sentence. `total` 0: not known."""
        self._listen(Progress(done, total, unit))

    def repeat(self, kept: Iterable[Sequence[str]]) -> None:
        """Tell again what was kept before."""
        for level, text in kept:
            self._tell(level, text)

    def _tell(self, level: str, text: str) -> None:
        self.kept.append((level, text))
        self._listen(Message(text, level))
