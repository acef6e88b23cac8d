"""The names of the yardsticks that there are, and which one ranks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.store import Yardstick

MASKED = "masked-1"
"""Every asked token is shown as the mask. Scores on it rank models."""
TOKENS = "tokens-1"
"""The yardstick of earlier versions: of the asked tokens 10 % were shown as they are and 10 % as a random
token, which rewards models that copy. Its scores are kept, and shown as what they are."""


def ranks(score: Yardstick) -> bool:
    """Whether a score is on the yardstick that ranks models."""
    return score.protocol.partition("/")[0] == MASKED


def ranking(scores: Iterable[Yardstick]) -> list[Yardstick]:
    """The scores that rank models, in their order."""
    return [score for score in scores if ranks(score)]
