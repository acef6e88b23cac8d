"""A text with masks, tokenized."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import ModelError, UsageError
from workbench.pretrained.unspelled import UnknownWords

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MASK = "[MASK]"
"""How users write a mask, whatever the tokenizer's own mask token is."""


@dataclass(frozen=True, slots=True)
class MaskedText:
    """`around`: the parts of the text between the masks, one more than masks; `ids`: the tokens with special
    tokens; `positions`: the masks' indices in `ids`; `spans`: each token's (start, end) in `text`.
    """

    text: str
    around: tuple[str, ...]
    ids: tuple[int, ...]
    positions: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


def read_text(tokenizer: PreTrainedTokenizerBase, text: str, limit: int, name: str) -> MaskedText:
    """Tokenize `text`, in which `[MASK]` and the tokenizer's own mask token both mean a mask, if any.

    Raises UsageError for a text that is not Unicode or has more than `limit` tokens, ModelError when the
    tokenizer does not recognize a mask. `name`: the model's, for messages.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("The text is not valid Unicode.", "Give it as UTF-8.") from None
    own = str(tokenizer.mask_token)
    written = list(re.finditer("|".join({re.escape(MASK), re.escape(own)}), text))
    cuts = [0, *(place for match in written for place in match.span()), len(text)]
    around = tuple(text[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True))
    encoded = _encoded(tokenizer, own.join(around), name)
    ids = tuple(encoded["input_ids"])
    if len(ids) > limit:
        raise UsageError(
            f"The text is {len(ids):,} tokens long; this model reads at most {limit:,}.",
            "Shorten it around the mask." if written else "Use a shorter part of it.",
        )
    positions = tuple(place for place, token in enumerate(ids) if token == tokenizer.mask_token_id)
    if len(positions) != len(written):
        raise ModelError(
            f"The tokenizer of {name} recognizes {len(positions)} of the {len(written)} masks.",
            "Put spaces around each mask.",
        )
    shifts, read = [], 0
    for part, match in zip(around, written, strict=False):
        read += len(part) + len(own)
        shifts.append((read, match.end() - read))
    spans = list(original_spans([(int(a), int(b)) for a, b in encoded["offset_mapping"]], shifts))
    for place, match in zip(positions, written, strict=True):
        spans[place] = match.span()
    return MaskedText(text, around, ids, positions, tuple(spans))


def spaces_seen(tokenizer: PreTrainedTokenizerBase, before: Sequence[str]) -> bool:
    """Whether the tokens depend on a space before a mask. `before`: the parts of the text up to the mask."""
    own = str(tokenizer.mask_token)
    text = own.join(before).rstrip(" \t")
    return bool(tokenizer.encode(f"{text} {own}") != tokenizer.encode(f"{text}{own}"))


def _encoded(tokenizer: PreTrainedTokenizerBase, text: str, name: str) -> Any:
    try:
        return tokenizer(text, return_offsets_mapping=True, verbose=False)
    except Exception as error:  # raised by the tokenizer's Rust code for a word without a token
        words = UnknownWords(tokenizer)(text)
        shown = f" {', '.join(words[:3])}" if words else " some of this text"
        raise UsageError(
            f"{name} does not know{shown}: its vocabulary has no token for that, nor one for unknown words.",
            "Write it with words of its vocabulary.",
        ) from error


def require_masks(text: MaskedText, own_mask: str) -> None:
    """Raise UsageError, which explains how to write a mask, if there is none."""
    if not text.positions:
        also = f" ({own_mask} is this model's own, and works as well)" if own_mask != MASK else ""
        raise UsageError(
            "The text has no mask.",
            f"Write {MASK} where a word is missing{also}: The {MASK} is returned.",
        )


def original_spans(
    spans: list[tuple[int, int]], shifts: list[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """Spans in the original text. `shifts`: (index in the tokenized text, what to add from there on)."""
    places = [place for place, _ in shifts]

    def moved(place: int, *, end: bool) -> int:
        at = bisect_right(places, place - end) - 1
        return place + (shifts[at][1] if at >= 0 else 0)

    return tuple((moved(a, end=False), moved(b, end=a < b)) for a, b in spans)
