"""Scores the vocabulary only at masked positions.

A forward hook on the base model replaces its last hidden state, (batch, tokens, hidden), with the rows of the
masked positions, (1, masked, hidden). The model's own head then sees about 15 % of the rows, whatever the
architecture. Loss and gradients do not change, because a masked-LM head treats each position separately;
`fit_head` detects models whose head does not, and uses the plain forward for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from workbench.errors import ModelError

PROBE_CHUNKS = 2


class MaskedLM(nn.Module):
    """A masked language model that returns logits for some positions only.

    `masked_only` False: the head scores every position, and the rows are selected afterwards.
    """

    def __init__(self, model: PreTrainedModel, *, masked_only: bool = True) -> None:
        super().__init__()
        self.model = model
        self.masked_only = masked_only
        self._positions: Tensor | None = None
        # Before any compiled call: torch.compile silently ignores hooks that are added later.
        model.base_model.register_forward_hook(self._keep_masked_rows)

    def forward(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """Logits (masked, vocabulary) at `positions`, flat indices into `input_ids` (chunks, tokens)."""
        if not self.masked_only:
            logits = _first(self.model(input_ids=input_ids))
            if logits.shape[:2] != input_ids.shape:
                raise ModelError(
                    f"The model scores {logits.shape[1]} positions, not {input_ids.shape[1]}.",
                    f"Set chunk_size = {logits.shape[1]}.",
                )
            return logits.reshape(-1, logits.shape[-1]).index_select(0, positions)
        self._positions = positions
        try:
            return _first(self.model(input_ids=input_ids))[0]
        finally:
            self._positions = None

    def _keep_masked_rows(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        if self._positions is None:
            return output
        hidden = _first(output)
        rows = hidden.reshape(-1, hidden.shape[-1]).index_select(0, self._positions)[None]
        if isinstance(output, tuple):
            return (rows, *output[1:])
        # The first field is not called last_hidden_state in every family.
        output[next(iter(output))] = rows
        return output


def vocabulary_size(model: PreTrainedModel) -> int:
    """The number of token ids in the model's vocabulary."""
    size = getattr(model.config.get_text_config(), "vocab_size", None)
    if size is None:
        embeddings = model.get_input_embeddings()
        size = getattr(embeddings, "weight", embeddings).shape[0]
    return int(size)


def fit_head(model: PreTrainedModel, chunk_size: int) -> tuple[MaskedLM, str]:
    """Wrap `model`; check the masked-only head against the plain forward on chunks of random tokens.

    Returns the wrapped model and the reason why it needs the plain forward ("" if it does not). Parameters
    that do not affect the loss are frozen: distributed training would wait for their gradients for ever.
    Raises ModelError when the model cannot score chunks of that size.
    """
    wrapped = MaskedLM(model)
    device = next(model.parameters()).device
    input_ids, positions, targets = _probe_batch(vocabulary_size(model), chunk_size, device)
    with _mode(model, train=False), torch.no_grad():
        wrapped.masked_only = False
        plain = wrapped(input_ids, positions).float()
        wrapped.masked_only = True
        try:
            reason = _difference(plain, wrapped(input_ids, positions).float())
        except Exception as error:  # whatever fails, this head cannot work on selected rows
            reason = f"its head needs every position ({type(error).__name__})"
    wrapped.masked_only = not reason

    def backward(*, train: bool) -> None:
        with _mode(model, train=train):
            nn.functional.cross_entropy(wrapped(input_ids, positions).float(), targets).backward()

    try:
        backward(train=False)  # without layer drop, which would hide a layer's parameters
    except AssertionError:  # Reformer can go backward in train mode only
        backward(train=True)
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.requires_grad_(False)
        parameter.grad = None
    return wrapped, reason


def _difference(plain: Tensor, masked: Tensor) -> str:
    if plain.shape != masked.shape:
        return f"its head returns {tuple(masked.shape)} instead of {tuple(plain.shape)}"
    tolerance = 1e-3 * float(plain.abs().max().clamp(min=1.0))
    worst = float((plain - masked).abs().max())
    return "" if worst <= tolerance else f"its head's scores differ by {worst:.1e} from the plain forward's"


def _probe_batch(
    vocabulary_size: int, chunk_size: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Random tokens (chunks, tokens), some of their flat positions, and the targets there.

    A separate generator is used: the probe must not change the random state of the training.
    """
    generator = torch.Generator().manual_seed(0)
    shape = (PROBE_CHUNKS, chunk_size)
    # The lowest ids are often special tokens such as padding, which some models treat differently.
    lowest = min(10, vocabulary_size - 1)
    input_ids = torch.randint(lowest, vocabulary_size, shape, generator=generator).to(device)
    positions = torch.arange(1, input_ids.numel(), 3, device=device)
    return input_ids, positions, input_ids.reshape(-1)[positions]


def _first(output: Any) -> Tensor:
    """The first field of a model's output, as a tuple or a ModelOutput."""
    return output.to_tuple()[0] if isinstance(output, ModelOutput) else output[0]


@contextmanager
def _mode(model: nn.Module, *, train: bool) -> Iterator[None]:
    """Temporarily switch to train or evaluation mode."""
    before = model.training
    model.train(train)
    try:
        yield
    finally:
        model.train(before)
