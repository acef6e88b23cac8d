"""The properties of a vocabulary that masking needs: its size, mask token and special tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.errors import ModelError
from workbench.pretrained.special_tokens import special_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Vocabulary:
    """Token ids 0 to size-1. `special_ids` are never predicted and never drawn as replacements."""

    size: int
    mask_id: int
    special_ids: tuple[int, ...]
    _tables: dict[torch.device, tuple[Tensor, Tensor]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not 0 <= self.mask_id < self.size:
            raise ModelError(
                f"The mask token has id {self.mask_id}, but the model has only ids below {self.size}.",
                "The tokenizer does not belong to this model: use the one it was trained with.",
            )
        if self.mask_id not in self.special_ids:
            object.__setattr__(self, "special_ids", (*self.special_ids, self.mask_id))

    @classmethod
    def from_tokenizer(
        cls, tokenizer: PreTrainedTokenizerBase, model_vocab_size: int | None = None
    ) -> Vocabulary:
        """The vocabulary of a tokenizer, limited to the rows of the model's embedding if given.

        All special tokens of the tokenizer count as special, including [UNK]. Raises ModelError without a
        mask token.
        """
        if tokenizer.mask_token_id is None:
            raise ModelError(
                "The tokenizer has no mask token.",
                "Choose a model that was made for masked language modelling.",
            )
        special = special_ids(tokenizer)
        size = len(tokenizer) if model_vocab_size is None else min(len(tokenizer), model_vocab_size)
        return cls(size, int(tokenizer.mask_token_id), tuple(sorted(special)))

    def tables(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """On `device`: which ids are special, bool (n,), where the last entry stands for all larger ids; and
        the ids that may be drawn, int64 (m,). Created once per device.
        """
        if device not in self._tables:
            special = torch.zeros(max(self.size, *self.special_ids) + 2, dtype=torch.bool)
            special[list(self.special_ids)] = True
            drawable = torch.nonzero(~special[: self.size]).flatten()
            self._tables[device] = special.to(device), drawable.to(device)
        return self._tables[device]
