"""How often the intervals of analysis/ cover the truth, and how often equal models seem different.

    .venv/bin/python -m bench.coverage            the table of docs/comparing.md, some minutes
    .venv/bin/python -m bench.coverage --quick    a coarse look

A world is made up whose true difference is known: documents of very different lengths (lognormal, in chunks),
a difference per document that varies (`document_spread`, nats per token: what makes chunks of a document
alike) and noise per token. Its size follows two starter runs: their paired noise is about 0.5 nats a token.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.analysis.bootstrap import paired_bootstrap
from workbench.analysis.seeds import compare_groups

TRUTH = 0.02
"""ln of the true perplexity ratio: 2 %."""
TOKEN_NOISE = 0.5
MASKED_SHARE, CHUNK_SIZE = 0.15, 128


@dataclass(frozen=True)
class World:
    """Where tests are drawn from. `length_spread`: standard deviation of the log of a document's length."""

    documents: int
    document_spread: float
    length_spread: float = 0.8


@dataclass(frozen=True)
class Tally:
    """Shares of the trials: intervals that hold the truth, and equal models that were told apart."""

    coverage: float
    false_alarms: float
    trials: int


def test_sides(world: World, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Predicted tokens in each chunk, and the chunk's document: both (chunks,)."""
    lengths = np.maximum(1, np.round(draw.lognormal(1.2, world.length_spread, world.documents))).astype(int)
    documents = np.repeat(np.arange(world.documents), lengths)
    return draw.binomial(CHUNK_SIZE, MASKED_SHARE, len(documents)), documents


def differences(
    world: World, tokens: np.ndarray, documents: np.ndarray, truth: float, draw: np.random.Generator
) -> np.ndarray:
    """Loss of b less loss of a in each chunk, in nats."""
    of_document = draw.normal(truth, world.document_spread, world.documents)[documents]
    return tokens * of_document + draw.normal(0.0, TOKEN_NOISE, len(tokens)) * np.sqrt(tokens)


def tally_pairs(world: World, trials: int, resamples: int, seed: int = 0, *, by_chunk: bool = False) -> Tally:
    """Pairs of runs. `by_chunk`: as if chunks were independent, to see what that would do."""
    draw = np.random.default_rng(seed)
    covered = alarms = 0
    for trial in range(trials):
        tokens, documents = test_sides(world, draw)
        units = np.arange(len(tokens)) if by_chunk else documents
        base = tokens * 3.0
        for truth in (TRUTH, 0.0):
            other = base + differences(world, tokens, documents, truth, draw)
            found = paired_bootstrap(base, other, tokens, units, resamples=resamples, seed=trial)
            if truth:
                covered += found.low <= truth <= found.high
            else:
                alarms += found.p_value < 0.05
    return Tally(covered / trials, alarms / trials, trials)


def tally_groups(world: World, seeds: int, seed_spread: float, trials: int, seed: int = 0) -> Tally:
    """Recipes with several seeds each; `seed_spread`: what a seed alone does to the log perplexity."""
    draw = np.random.default_rng(seed)
    covered = alarms = 0
    for _ in range(trials):
        tokens, documents = test_sides(world, draw)
        for truth in (TRUTH, 0.0):
            recipe = differences(world, tokens, documents, truth, draw)

            def runs(shift: np.ndarray, tokens: np.ndarray = tokens) -> np.ndarray:
                of_seed = draw.normal(0.0, seed_spread, (seeds, 1)) * tokens
                noise = draw.normal(0.0, TOKEN_NOISE, (seeds, len(tokens))) * np.sqrt(tokens)
                return 3.0 * tokens + shift + of_seed + noise

            found = compare_groups(runs(np.zeros(len(tokens))), runs(recipe), tokens, documents)
            if truth:
                covered += found.low <= truth <= found.high
            else:
                alarms += found.p_value < 0.05
    return Tally(covered / trials, alarms / trials, trials)


def report(trials: int, resamples: int) -> Iterator[str]:
    """The tables of docs/comparing.md, line by line."""
    yield "| documents | their spread | of lengths | covered | false alarms | by chunk | by chunk |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for documents in (20, 80, 300):
        for document_spread, length_spread in ((0.0, 0.8), (0.05, 0.8), (0.05, 1.3)):
            world = World(documents, document_spread, length_spread)
            ours = tally_pairs(world, trials, resamples)
            naive = tally_pairs(world, trials, resamples, by_chunk=True)
            shown = f"| {documents} | {document_spread:g} | {length_spread:g}"
            yield f"{shown} | {_shares(ours)} | {_shares(naive)} |"
    yield ""
    yield "| seeds | spread of seeds | documents | covered | false alarms |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for seeds in (2, 3, 5):
        for seed_spread in (0.0, 0.01, 0.05):
            found = tally_groups(World(80, 0.05), seeds, seed_spread, trials)
            yield f"| {seeds} | {seed_spread:g} | 80 | {_shares(found)} |"


def _shares(tally: Tally) -> str:
    return f"{100 * tally.coverage:.1f} % | {100 * tally.false_alarms:.1f} %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    for line in report(*((200, 500) if quick else (1000, 1000))):
        print(line, flush=True)
