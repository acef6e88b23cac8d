"""Candidate words for a mask: the tokens of a word in its place, or why it cannot stand there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.pretrained.special_tokens import special_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.inference.slots import Word

MOST = 200
MERGES = "merges with the word beside it"
UNKNOWN = "has a letter that the tokenizer does not know"
EMPTY = "is empty for this tokenizer"


def split_words(text: str) -> tuple[str, ...]:
    """The words of a comma-separated list, without duplicates and surrounding spaces."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def check_words(words: Sequence[str]) -> None:
    """Raises UsageError for more than MOST words, or for words that are not Unicode."""
    if len(words) > MOST:
        raise UsageError(f"{len(words):,} candidates are too many.", f"Give at most {MOST}.")
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise UsageError("A candidate is not valid Unicode.", "Give them as UTF-8.") from None


def tokens_in_place(
    tokenizer: PreTrainedTokenizerBase,
    around: Sequence[str],
    ids: Sequence[int],
    positions: Sequence[int],
    slot: int,
    word: str,
) -> Word | str:
    """The tokens of `word` in the place of mask `slot`, or the reason why it cannot stand there.

    `around`: the text between the masks; `ids`, `positions`: the same text's tokens and its masks' places.

    The whole sentence is tokenized with the word in it, so that the tokenizer sees spaces, apostrophes and
    case. If the tokens beside the word differ from those beside the mask, as with tokenizers that begin a
    word after every mask, the word is tokenized separately, unless it touches a letter: then it is a part of
    another word.
    """  # fmt: skip
    mask = str(tokenizer.mask_token)
    parts = [part for text in around for part in (text, mask)][:-1]
    parts[2 * slot + 1] = word
    try:
        filled: list[int] = tokenizer("".join(parts), verbose=False)["input_ids"]
    except Exception:  # raised by the tokenizer's Rust code when it has no token for unknown text
        return UNKNOWN
    before, after = list(ids[: positions[slot]]), list(ids[positions[slot] + 1 :])
    end = len(filled) - len(after)
    if end >= len(before) and filled[: len(before)] == before and filled[end:] == after:
        own = filled[len(before) : end]
    elif around[slot][-1:].isalnum() or around[slot + 1][:1].isalnum():
        return MERGES
    else:
        own = _alone(tokenizer, word, before, around[slot])
    if not own:
        return EMPTY
    if set(own) & special_ids(tokenizer):
        return UNKNOWN
    return tuple(own)


def _alone(tokenizer: PreTrainedTokenizerBase, word: str, before: list[int], left: str) -> list[int]:
    """The tokens of a word that starts after the space at the end of `left`, the text before it.

    The space is left out if a separate token stands for it.
    """

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False))

    stem = left.rstrip()
    has_space_token = before and not str(tokenizer.decode(before[-1:])).strip()
    if has_space_token or stem == left:
        return ids(word)
    plain, joined = ids(stem), ids(f"{stem} {word}")
    return joined[len(plain) :] if joined[: len(plain)] == plain else ids(word)
