"""Random numbers that need no saved generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from workbench.corpus import counters

_DROPOUT, _BY_CHUNK = 4, 5  # what the draws are for; the corpus counts its own purposes from 1
_made: list[torch.Generator] = []
"""To be used again: one for each chunk of the largest forward pass so far."""
_generators: list[torch.Generator] = []
"""Of the chunks in the forward pass that is under way; none between passes."""


@contextmanager
def dropout_of(seed: int, step: int, part: int, rows: np.ndarray) -> Iterator[None]:
    """Dropout of one forward pass, which can be had again: part `part` of step `step`, over chunks `rows`.

    Draws by `bits_by_chunk` depend on the chunk, those of every other generator on the part.
    """
    global _generators
    torch.manual_seed(counters.signed(counters.key(seed, step, part, _DROPOUT)))
    base = counters.key(seed, step, _BY_CHUNK)
    while len(_made) < len(rows):
        _made.append(torch.Generator())
    _generators = _made[: len(rows)]
    for generator, row in zip(_generators, rows, strict=True):
        generator.manual_seed(counters.signed(counters.key(base, int(row))))
    try:
        yield
    finally:
        _generators = []


def bits_by_chunk(shape: torch.Size) -> Tensor | None:
    """Random int16 numbers of that shape on the CPU, the same for a chunk in whatever pass and process it is.

    None where `shape` is not one of whole chunks, one after the other, or no pass is under way.
    """
    chunks = len(_generators)
    if not chunks or len(shape) < 2 or shape[0] % chunks or torch.compiler.is_compiling():
        return None
    values = shape.numel() // chunks
    draws = torch.empty(chunks, (values + 3) // 4, dtype=torch.int64)
    for of_chunk, generator in zip(draws, _generators, strict=True):
        of_chunk.random_(-(2**63), None, generator=generator)
    return draws.view(torch.int16)[:, :values].reshape(shape)
