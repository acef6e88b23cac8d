"""What a preview is made of, and its way through JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Fate = Literal["", "special", "mask", "random", "kept"]
"""What became of a token: nothing; it is special and never masked; or one of the three ways of masking."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A token as text, with the space before it when it begins a word.

    `shown` is what the model sees instead, where that is another token of the text's own kind.
    """

    text: str
    fate: Fate = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class PreviewedChunk:
    """The beginning of a chunk: `row` is its number in the training text, `masked` counts all of it."""

    row: int
    pieces: tuple[Piece, ...]
    tokens: int
    masked: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Chunks with the masks that training draws in its first epoch, in the order in which it sees them.

    `counts`: documents, tokens and chunks of both sides, named as in CorpusReady; None where only the
    beginning of a large text was read, whose chunks and masks are then an example.
    """

    chunks: tuple[PreviewedChunk, ...]
    counts: dict[str, Any] | None
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Preview:
        """Back from `to_json`."""
        chunks = tuple(
            PreviewedChunk(
                chunk["row"],
                tuple(Piece(**piece) for piece in chunk["pieces"]),
                chunk["tokens"],
                chunk["masked"],
            )
            for chunk in values["chunks"]
        )
        return cls(chunks, values["counts"], tuple(values["notes"]))
