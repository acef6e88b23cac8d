"""The special tokens of a vocabulary, which stand for no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The ids of the special tokens and the unknown token, which are never predicted, drawn or offered."""
    special = set(tokenizer.all_special_ids)
    special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    unknown = unknown_id(tokenizer)
    return special if unknown is None else special | {unknown}


def unknown_id(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id of the unknown token, whether or not the tokenizer's files declare it; None without one."""
    if tokenizer.unk_token_id is not None:
        return int(tokenizer.unk_token_id)
    backend = tokenizer.backend_tokenizer
    token = getattr(backend.model, "unk_token", None)
    number = None if token is None else backend.token_to_id(token)
    return None if number is None else int(number)
