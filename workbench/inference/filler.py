"""A loaded masked language model that fills masks in sentences."""

from __future__ import annotations

import os
import re
import threading

import torch
from huggingface_hub.utils import enable_progress_bars
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from workbench.errors import ModelError, UsageError, WorkbenchError
from workbench.inference.pieces import Pieces, fill_in
from workbench.inference.results import FillResult, MaskFill, Prediction
from workbench.pretrained.model import load_model, usable_positions
from workbench.pretrained.tokenizer import load_tokenizer

MASK = "[MASK]"
"""How a person writes a mask, whatever the tokenizer calls it."""

MOST_TOKENS = 8192
"""Limit for models that set none: attention takes memory with the square of the length."""

# The bar of reading weights flashes by in a tenth of a second; downloads keep theirs.
transformers_logging.disable_progress_bar()
if "HF_HUB_DISABLE_PROGRESS_BARS" not in os.environ:
    enable_progress_bars()


class Filler:
    """Runs on the CPU: one sentence takes milliseconds there, and a training keeps its GPU to itself.

    `fill` may be called from several threads at once.
    """

    def __init__(
        self,
        name: str,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._name = name
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._pieces = Pieces(tokenizer)
        self._lock = threading.Lock()
        self.notes = notes
        self.limit = _limit(model, tokenizer)
        """The most tokens of a text, special tokens counted."""

    @classmethod
    def load(cls, model: str) -> Filler:
        """Load a hub id, a folder or `starter`. Only safetensors are read, no code of the model's own is run.

        Raises ModelError when there is no such model or it cannot fill masks.
        """
        try:
            loaded = load_model(model)
            return cls(model, loaded.model, load_tokenizer(model), loaded.notes)
        except WorkbenchError:
            raise
        except Exception as error:  # a damaged file fails in any of the libraries' ways
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(
                f"The model {model} cannot be loaded: {first_line}",
                "Its files may be damaged or not a model's.",
            ) from error

    def fill(self, text: str, top_k: int = 5) -> FillResult:
        """The `top_k` most probable tokens for each mask of `text`; each mask sees the others as masks.

        Raises UsageError: no mask, more tokens than `limit`, `top_k` below 1, text that is not Unicode.
        Raises ModelError when the model gives no usable scores.
        """
        if top_k < 1:
            raise UsageError(f"top_k must be at least 1; got {top_k}.")
        ids, around, positions = self._read(text)
        probabilities = self._probabilities(ids, positions)
        best = probabilities.topk(min(top_k, probabilities.shape[-1]))
        masks = []
        for position, shares, tokens in zip(
            positions, best.values.tolist(), best.indices.tolist(), strict=True
        ):
            predictions = tuple(
                Prediction(self._pieces.readable(token), token, share)
                for token, share in zip(tokens, shares, strict=True)
            )
            masks.append(MaskFill(position, predictions))
        added = [self._pieces.added_text(mask.predictions[0].token_id) for mask in masks]
        filled = fill_in(around, added, mask_takes_space=self._pieces.mask_takes_space)
        return FillResult(text, filled, tuple(masks), self.notes)

    def _read(self, text: str) -> tuple[list[int], list[str], list[int]]:
        """Token ids, the text around the masks, and the masks' indices in the ids."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError("The text is not valid Unicode.", "Give it as UTF-8.") from None
        own_mask = str(self._tokenizer.mask_token)
        around = re.split("|".join({re.escape(MASK), re.escape(own_mask)}), text)
        if len(around) == 1:
            also = f" ({own_mask} is this model's own, and works as well)" if own_mask != MASK else ""
            raise UsageError(
                "The text has no mask.",
                f"Write {MASK} where a word is missing{also}: The {MASK} is returned.",
            )
        ids = self._tokenizer(own_mask.join(around), verbose=False)["input_ids"]
        if len(ids) > self.limit:
            raise UsageError(
                f"The text is {len(ids):,} tokens long; this model reads at most {self.limit:,}.",
                "Shorten it around the mask.",
            )
        positions = [index for index, token in enumerate(ids) if token == self._tokenizer.mask_token_id]
        if len(positions) != len(around) - 1:
            raise ModelError(
                f"The tokenizer of {self._name} sees {len(positions)} of the {len(around) - 1} masks.",
                "Put spaces around each mask.",
            )
        return ids, around, positions

    def _probabilities(self, ids: list[int], positions: list[int]) -> torch.Tensor:
        """(masks, tokens that the tokenizer can name), fp32: softmax over all that the model scores."""
        try:
            with self._lock, torch.inference_mode():
                scores = self._model(input_ids=torch.tensor([ids])).logits[0, positions].float()
        except Exception as error:  # whatever a foreign forward raises
            raise ModelError(f"{self._name} cannot read this text: {str(error).strip()[:200]}") from error
        probabilities = scores.softmax(-1)[:, : len(self._tokenizer)]
        if not probabilities.isfinite().all():
            raise ModelError(
                f"{self._name} gives no numbers as scores: its weights are damaged, or training diverged.",
                "Try an earlier checkpoint, or train with a lower learning rate.",
            )
        return probabilities


def _limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The fewest of what the model's positions allow, what the tokenizer says, and MOST_TOKENS if neither."""
    said = tokenizer.model_max_length  # tokenizers without a limit say 10 to the 30
    limits = [limit for limit in (usable_positions(model.config), said) if limit and limit < 1_000_000]
    return int(min(limits, default=MOST_TOKENS))
