"""Made-up tests whose true difference is known: what bench.coverage measures intervals on.

A document has a length (lognormal, in chunks of 128 tokens of which 15 % are asked), a gain per token that
varies between documents, and noise per token. Sizes follow runs of the starter: paired noise of 0.5 nats a
token, gains that differ by 0.05 nats between documents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOISE, MASKED_SHARE, CHUNK_SIZE = 0.5, 0.15, 128
GAIN_SPREAD = 0.05


@dataclass(frozen=True)
class World:
    """Where tests are drawn from.

    lengths: standard deviation of the log of a document's length. gains: `normal`, `log-normal` (a long tail
    to one side) or `t3` (long tails to both). with_length: correlation of gain and log length. copies: share
    of documents that are copies of others. spread: standard deviation of the gains, in nats per token.
    """

    lengths: float = 0.8
    gains: str = "normal"
    with_length: float = 0.0
    copies: float = 0.0
    spread: float = GAIN_SPREAD

    def __str__(self) -> str:
        parts = [f"lengths {self.lengths:g}", self.gains]
        parts += [f"correlation {self.with_length:+g}"] * bool(self.with_length)
        parts += [f"{100 * self.copies:.0f} % copies"] * bool(self.copies)
        parts += [f"gains {self.spread:g}"] * (self.spread != GAIN_SPREAD)
        return ", ".join(parts)


@dataclass(frozen=True)
class Tests:
    """Many tests at once; all arrays are (tests, documents). difference: sum of the losses of b less those
    of a, in nats. tokens: asked. copy_of: the number of the document that each one is a copy of, else its
    own.
    """

    difference: np.ndarray
    tokens: np.ndarray
    copy_of: np.ndarray


def draw_tests(world: World, tests: int, documents: int, draw: np.random.Generator) -> Tests:
    """Tests of a world in which b and a are equal in the mean document."""
    shape = (tests, documents)
    log_length = draw.normal(size=shape)
    chunks = np.maximum(1, np.round(np.exp(1.2 + world.lengths * log_length))).astype(int)
    tokens = np.maximum(1, draw.binomial(chunks * CHUNK_SIZE, MASKED_SHARE)).astype(np.float64)
    gain = world.spread * _gains(world, log_length, draw)
    copy_of = np.broadcast_to(np.arange(documents), shape).copy()
    if world.copies:
        copies = draw.random(shape) < world.copies
        copies[:, 0] = False
        copy_of = np.where(copies, (draw.random(shape) * np.arange(documents)).astype(int), copy_of)
        for _ in range(20):  # a copy of a copy is one of the original
            copy_of = np.take_along_axis(copy_of, copy_of, axis=1)
        gain, tokens = (np.take_along_axis(values, copy_of, axis=1) for values in (gain, tokens))
    noise = draw.normal(size=shape) * NOISE * np.sqrt(tokens)
    return Tests(tokens * gain + noise, tokens, copy_of)


def _gains(world: World, log_length: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Gains with mean 0 and standard deviation 1."""
    share = world.with_length
    rest = np.sqrt(1 - share**2)
    if world.gains == "t3":
        return share * log_length + rest * draw.standard_t(3, log_length.shape) / np.sqrt(3)
    mixed = share * log_length + rest * draw.normal(size=log_length.shape)
    if world.gains == "normal":
        return mixed
    return np.asarray((np.exp(mixed) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e))


def truth_by_token(world: World, draw: np.random.Generator) -> float:
    """What b is worse by in the mean token, where it is equal to a in the mean document."""
    found = [draw_tests(world, 1, 200_000, draw) for _ in range(10)]
    return float(sum(one.difference.sum() for one in found) / sum(one.tokens.sum() for one in found))


def draw_cells(
    cells: int, documents: int, seeds: int, seed_spread: float, draw: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray]:
    """A sweep of equal recipes: mean losses of each one's runs in each document, cells times (seeds,
    documents), and the tokens asked in each document (documents,).
    """
    tokens = draw_tests(World(), 1, documents, draw).tokens[0]
    shared = draw.normal(0, 0.3, documents)
    found = []
    for _ in range(cells):
        own = shared + draw.normal(0, 0.7 * GAIN_SPREAD, documents)
        of_seeds = seed_spread * draw.normal(size=(seeds, 1))
        of_both = 0.7 * GAIN_SPREAD * draw.normal(size=(seeds, documents))
        noise = 0.7 * NOISE * draw.normal(size=(seeds, documents)) / np.sqrt(tokens)
        found.append(own + of_seeds + of_both + noise)
    return found, tokens
