"""What filling masks gives: plain data that goes over a pipe, into the store and onto the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """One token in the place of a mask. `probability` is the softmax over the whole vocabulary.

    `text` is the token as a person reads it, without the space that some tokenizers keep in it; a WordPiece
    token that goes on with the word before keeps its `##`. `token_id` tells apart tokens that read alike.
    """

    text: str
    token_id: int
    probability: float


@dataclass(frozen=True, slots=True)
class MaskFill:
    """The best predictions for one mask, most probable first.

    `position` is the index of the mask token in the token sequence that the model reads, special tokens
    counted: in `[CLS] the [MASK]` it is 2.
    """

    position: int
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class FillResult:
    """`text` as it was given, `filled` with the best prediction in each mask, and the masks in reading order.

    `notes`: what the person should know about the model, such as a missing head; not part of the JSON.
    """

    text: str
    filled: str
    masks: tuple[MaskFill, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """{text, filled, masks: [{position, predictions: [{text, token_id, probability}]}]}."""
        return {
            "text": self.text,
            "filled": self.filled,
            "masks": [
                {
                    "position": mask.position,
                    "predictions": [
                        {"text": one.text, "token_id": one.token_id, "probability": one.probability}
                        for one in mask.predictions
                    ],
                }
                for mask in self.masks
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], notes: tuple[str, ...] = ()) -> FillResult:
        """The result that `to_json` wrote."""
        return cls(
            text=values["text"],
            filled=values["filled"],
            masks=tuple(
                MaskFill(mask["position"], tuple(Prediction(**one) for one in mask["predictions"]))
                for mask in values["masks"]
            ),
            notes=notes,
        )
