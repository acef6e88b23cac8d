"""New models: `new:SHAPE` is a BERT of a standard size with random weights."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import ModelError

PREFIX = "new:"


@dataclass(frozen=True)
class Shape:
    """The number of layers and the hidden size; each attention head is 64 wide."""

    layers: int
    width: int

    @property
    def heads(self) -> int:
        return self.width // 64


SHAPES = {
    "tiny": Shape(2, 128),
    "mini": Shape(4, 256),
    "small": Shape(4, 512),
    "medium": Shape(8, 512),
    "base": Shape(12, 768),
}
"""From Turc et al., "Well-Read Students Learn Better" (2019), table 1."""

POSITIONS = 512


def is_new(model: str) -> bool:
    return model.startswith(PREFIX)


def shape_of(model: str) -> Shape:
    """The shape that `new:SHAPE` names. Raises ModelError for an unknown one, listing the shapes."""
    try:
        return SHAPES[model.removeprefix(PREFIX)]
    except KeyError:
        names = ", ".join(PREFIX + name for name in SHAPES)
        raise ModelError(f"There is no shape {model}.", f"Shapes: {names}.") from None
