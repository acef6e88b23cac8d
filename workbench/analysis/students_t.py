"""Student's t distribution, by numerical integration."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_STEPS = 20_000
_MOST_FREEDOM = 1e4
"""Above it t is close to normal, and its angles are too small for the grid."""


def students_t_within(reach: float, freedom: float) -> float:
    """P(|T| < reach) of Student's t: with t = sqrt(freedom) tan(angle) the density is cos^(freedom-1)."""
    freedom = min(freedom, _MOST_FREEDOM)
    angles, share = _angles(freedom)
    return float(np.interp(np.arctan(reach / np.sqrt(freedom)), angles, share))


def students_t_quantile(level: float, freedom: float) -> float:
    """The reach that |T| stays within with probability `level`."""
    freedom = min(freedom, _MOST_FREEDOM)
    angles, share = _angles(freedom)
    return float(np.sqrt(freedom) * np.tan(np.interp(level, share, angles)))


@lru_cache(maxsize=64)
def _angles(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Angles from 0 to pi/2 and the share of |T| within each, by the trapezoidal rule."""
    angles = np.linspace(0.0, np.pi / 2, _STEPS + 1)
    density = np.cos(angles) ** (freedom - 1)
    share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return angles, share / share[-1]
