"""The result of a preview, and its conversion to and from JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Fate = Literal["", "special", "mask", "random", "kept"]
"""How a token was masked: not at all, never (a special token), or in one of the three ways of masking."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A token as text, with the space before it if it begins a word.

    shown: the random token that the model sees instead, if there is one.
    """

    text: str
    fate: Fate = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class PreviewedChunk:
    """The beginning of a chunk. row: its number in the training text. masked: counted in the whole chunk."""

    row: int
    pieces: tuple[Piece, ...]
    tokens: int
    masked: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Chunks with the masks of the first epoch, in training order.

    counts: documents, tokens and chunks of both sides, named as in CorpusReady; None if only the beginning of
    a large text was read, in which case the chunks are an example.
    """

    chunks: tuple[PreviewedChunk, ...]
    counts: dict[str, Any] | None
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The preview as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Preview:
        """The inverse of `to_json`."""
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
