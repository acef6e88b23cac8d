"""Notes for the user about a text, reported when it is prepared and again when it comes from the cache.

Everything that is left out, changed, guessed or replaced is noted here. Single events are sentences (`info`,
`warning`). Events that may concern many rows are counted (`count`) and reported once, with the first place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.events import Listener, Message, Progress


@dataclass(slots=True)
class Count:
    """How often something happened, and where first."""

    level: str
    first: str
    times: int = 0
    told: int = 0


class Notes:
    """Reports sentences to a listener. kept: all of them as (level, sentence). counts: the counts so far, by
    what is counted.
    """

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self.kept: list[tuple[str, str]] = []
        self.counts: dict[str, Count] = {}

    def info(self, text: str) -> None:
        """Report a decision, such as which column is read."""
        self._tell("info", text)

    def warning(self, text: str) -> None:
        """Report something that differs from the request."""
        self._tell("warning", text)

    def count(self, what: str, where: str, times: int = 1, level: str = "warning") -> None:
        """Count something that was done to a row, a value or a file, for `tell_counts`.

        what: a plural noun and what was done, such as "numbers read as their digits". where: the file and
        the line.
        """
        count = self.counts.get(what)
        if count is None:
            count = self.counts[what] = Count(level, where)
        count.times += times

    def tell_counts(self) -> None:
        """Report each count that grew since the last call. Called at the end of a source."""
        for what, count in self.counts.items():
            if count.times > count.told:
                count.told = count.times
                self._tell(
                    count.level, f"{what[0].upper()}{what[1:]}: {count.times:,}. First: {count.first}."
                )

    def progress(self, done: int, total: int, unit: str) -> None:
        """Report progress without keeping it. total: 0 if unknown."""
        self._listen(Progress(done, total, unit))

    def repeat(self, kept: Iterable[Sequence[str]]) -> None:
        """Report kept notes again."""
        for level, text in kept:
            self._tell(level, text)

    def _tell(self, level: str, text: str) -> None:
        self.kept.append((level, text))
        self._listen(Message(text, level))
