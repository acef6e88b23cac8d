"""Counter-based random numbers: each draw depends only on its key, not on a generator's state.

The mixing function is the finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014; constants of Stafford's variant 13). It is implemented for Python, numpy and
torch integers with equal results, so that draws are the same on every device and in every version of the
libraries.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

GAMMA = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_ALL = 0xFFFFFFFFFFFFFFFF


def mix(value: int) -> int:
    """Mix the low 64 bits of `value`; 0 <= result < 2**64."""
    value &= _ALL
    value = ((value ^ (value >> 30)) * _FIRST) & _ALL
    value = ((value ^ (value >> 27)) * _SECOND) & _ALL
    return value ^ (value >> 31)


def key(*parts: int) -> int:
    """A 64-bit key from several numbers; their order matters."""
    state = 0
    for part in parts:
        state = mix(state + GAMMA + mix(part + GAMMA))
    return state


def signed(value: int) -> int:
    """The same 64 bits as a signed number, for torch's int64."""
    value &= _ALL
    return value - (1 << 64) if value >> 63 else value


def mix_tensor(value: Tensor) -> Tensor:
    """Apply `mix` to each element of an int64 tensor in place. Products wrap around."""
    value.bitwise_xor_(_shift_right(value, 30)).mul_(signed(_FIRST))
    value.bitwise_xor_(_shift_right(value, 27)).mul_(signed(_SECOND))
    return value.bitwise_xor_(_shift_right(value, 31))


def high_half(value: Tensor) -> Tensor:
    """The upper 32 bits as int64 numbers from 0 to 2**32 - 1."""
    return _shift_right(value, 32)


def low_half(value: Tensor) -> Tensor:
    """The lower 32 bits as int64 numbers from 0 to 2**32 - 1."""
    return value & 0xFFFFFFFF


def threshold(probability: float) -> int:
    """The bound below which a uniform 32-bit draw falls with this probability."""
    return round(min(max(probability, 0.0), 1.0) * (1 << 32))


def permutation(seed: int, n: int) -> np.ndarray:
    """The numbers 0 to n-1, ordered by their hashes: int64, shape (n,).

    numpy's own permutations may change between versions, and a run may be resumed years later.
    """
    with np.errstate(over="ignore"):
        value = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(seed & _ALL)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(_FIRST)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(_SECOND)
        value ^= value >> np.uint64(31)
    return np.argsort(value, kind="stable").astype(np.int64, copy=False)


def _shift_right(value: Tensor, bits: int) -> Tensor:
    """A logical right shift; torch's shift of signed numbers copies the sign bit."""
    return torch.bitwise_right_shift(value, bits).bitwise_and_((1 << (64 - bits)) - 1)
