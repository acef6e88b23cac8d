"""Random numbers that need no saved generator."""

from __future__ import annotations

import torch

from workbench.corpus import counters

_DROPOUT = 4  # what the draws are for; the corpus counts its own purposes from 1


def seed_dropout(seed: int, step: int, process: int) -> None:
    """Start every device's generator anew for an optimizer step, so that its dropout can be had again."""
    torch.manual_seed(counters.signed(counters.key(seed, step, process, _DROPOUT)))
