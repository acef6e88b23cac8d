"""Seeds random number generators from the step's number, so that no generator state is saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from workbench.corpus import counters

_DROPOUT, _BY_CHUNK = 4, 5  # the purposes of the draws; the corpus uses 1 to 3
_pool: list[torch.Generator] = []
"""Generators for reuse: one for each chunk of the largest forward pass so far."""
_generators: list[torch.Generator] = []
"""The generators of the chunks in the current forward pass; none between passes."""


@contextmanager
def dropout_of(seed: int, step: int, part: int, rows: np.ndarray) -> Iterator[None]:
    """Seed the dropout of one forward pass: part `part` of step `step`, over chunks `rows`.

    Draws by `bits_by_chunk` depend on the chunk, those of all other generators on the part.
    """
    global _generators
    torch.manual_seed(counters.signed(counters.key(seed, step, part, _DROPOUT)))
    base = counters.key(seed, step, _BY_CHUNK)
    while len(_pool) < len(rows):
        _pool.append(torch.Generator())
    _generators = _pool[: len(rows)]
    for generator, row in zip(_generators, rows, strict=True):
        generator.manual_seed(counters.signed(counters.key(base, int(row))))
    try:
        yield
    finally:
        _generators = []


def bits_by_chunk(shape: torch.Size) -> Tensor | None:
    """Random int16 numbers of that shape on the CPU, the same for a chunk in any pass and process.

    None if `shape` does not consist of whole chunks, or there is no current pass.
    """
    chunks = len(_generators)
    if not chunks or len(shape) < 2 or shape[0] % chunks or torch.compiler.is_compiling():
        return None
    values = shape.numel() // chunks
    draws = torch.empty(chunks, (values + 3) // 4, dtype=torch.int64)
    for of_chunk, generator in zip(draws, _generators, strict=True):
        of_chunk.random_(-(2**63), None, generator=generator)
    return draws.view(torch.int16)[:, :values].reshape(shape)
