"""Speeds up training steps on a CPU. Nothing here changes what is computed, only how.

Three costs stand out in a profile of a BERT step on a CPU (bench/NOTES.md): dropout, whose random numbers
PyTorch draws one by one; attention with dropout, which takes a slow path; and memory that malloc returns to
the system after every step, to be paged in again.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from workbench.training.randomness import bits_by_chunk

ATTENTION = "workbench_cpu"
_LEVELS = 1 << 16  # dropout probabilities are rounded to 1/65536


class _Dropout(torch.autograd.Function):
    """Dropout that takes four 16-bit random numbers from every 64-bit draw.

    Each chunk has its own stream, so dropout does not depend on batch size or number of processes.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, threshold: int) -> Tensor:
        bits = bits_by_chunk(values.shape)
        if bits is None:
            draws = torch.empty((values.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
            bits = draws.view(torch.int16)[: values.numel()].view(values.shape)
        keep = bits >= threshold - _LEVELS // 2
        ctx.scale = _LEVELS / (_LEVELS - threshold)
        ctx.save_for_backward(keep)
        # values * keep * scale in one pass; despite its name it is the forward's arithmetic as well
        return torch.ops.aten.native_dropout_backward(values, keep, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (keep,) = ctx.saved_tensors
        return torch.ops.aten.native_dropout_backward(gradients[0].contiguous(), keep, ctx.scale), None


def dropout(values: Tensor, probability: float) -> Tensor:
    """Zero each value with `probability` (to the nearest 1/65536), scale the others to keep the mean."""
    threshold = round(probability * _LEVELS)
    if threshold <= 0:
        return values
    if threshold >= _LEVELS:
        return values * 0
    return _Dropout.apply(values.contiguous(), threshold)


class Dropout(nn.Module):
    """A faster replacement for `nn.Dropout`."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.p = probability

    def forward(self, values: Tensor) -> Tensor:
        return dropout(values, self.p) if self.training else values


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot-product attention for training.

    Takes (batch, heads, tokens, width), returns (batch, tokens, heads, width). Evaluation, grouped key heads
    and unusual options use PyTorch's own kernel.
    """
    if (
        not module.training
        or key.shape[1] != query.shape[1]
        or options.keys() & {"is_causal", "position_bias"}
    ):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
    batch, heads, tokens, width = query.shape
    key_tokens = key.shape[2]
    scaling = width**-0.5 if scaling is None else scaling
    scores = torch.bmm(
        (query * scaling).reshape(batch * heads, tokens, width),
        key.reshape(batch * heads, key_tokens, width).transpose(1, 2),
    )
    if attention_mask is not None:
        scores = _masked(scores.view(batch, heads, tokens, key_tokens), attention_mask).view(scores.shape)
    weights = _drop(torch.softmax(scores, dim=-1, dtype=query.dtype), dropout)
    mixed = torch.bmm(weights, value.reshape(batch * heads, key_tokens, value.shape[-1]))
    return mixed.view(batch, heads, tokens, -1).transpose(1, 2).contiguous(), None


_drop = dropout  # the attention interface calls its own argument `dropout`


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    mask = mask[..., : scores.shape[-1]]
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores + mask


def speed_up(model: PreTrainedModel) -> None:
    """Replace the dropout of `model`, and its attention if its family supports other implementations."""
    AttentionInterface.register(ATTENTION, attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    if model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(ATTENTION)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout and not child.inplace:
                setattr(module, name, Dropout(child.p))


def keep_memory() -> None:
    """Let glibc's malloc keep freed memory, so that the next step's pages are already mapped.

    The values are those of mallopt(3). Does nothing with another C library.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    trim_threshold, top_pad, mmap_max = -1, -2, -4
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, -1)
    mallopt(top_pad, 64 << 20)


def has_bf16() -> bool:
    """Whether this processor multiplies bf16 matrices in hardware (AVX-512 BF16 or AMX)."""
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_tile"))
