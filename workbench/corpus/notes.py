"""What a person should know of a text: told when it is prepared, and again when it comes from the cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.events import Listener, Message, Progress


class Notes:
    """Tells sentences to a listener, and keeps them as (level, sentence) for whoever writes them down."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self.kept: list[tuple[str, str]] = []

    def info(self, text: str) -> None:
        """Something that was decided, such as which column is read."""
        self._tell("info", text)

    def warning(self, text: str) -> None:
        """Something that is not as it was asked for."""
        self._tell("warning", text)

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
