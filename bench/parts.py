"""The parts of the benchmark: each measures one thing and returns it as plain data."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.speed import Entry, Measured, Plan, compare, quiet_turn, ratio, say, wait_for_quiet
from bench.turns import Side, run_once

TUTORIAL, ENGINE = "tutorial's loop, fp32", "this engine"
TRAINER_BF16 = "HF Trainer, bf16"
SIDES = (
    Entry(TUTORIAL, "tutorial"),
    Entry("HF Trainer, fp32", "trainer-fp32", ("workers=1",)),
    Entry(TRAINER_BF16, "trainer-bf16", ("workers=1",)),
    Entry(ENGINE, "engine"),
)


@dataclass(frozen=True)
class Extent:
    """How much is measured. `tutorial_copies`: corpus sizes at which to run the notebook's preparation."""

    name: str
    rounds: int
    turn_seconds: float
    distilbert_batch: int
    copies: tuple[int, ...]
    tutorial_copies: tuple[int, ...]
    seeds: tuple[int, ...]
    quality_steps: int


QUICK = Extent("quick", 3, 1.0, 8, (1, 10), (1,), (1, 2, 3), 20)
USUAL = Extent("usual", 3, 4.0, 64, (1, 10, 100), (1, 10), (1, 2, 3), 153)
FULL = Extent("full", 5, 10.0, 64, (1, 10, 100), (1, 10, 100), (1, 2, 3), 1_000)


def speed_tiny(folder: Path, extent: Extent) -> dict[str, Any]:
    """BERT-tiny at batch 64: all sides."""
    return speed(folder, Plan("tiny", 64, extent.turn_seconds, extent.rounds, warmup_steps=2))


def speed_distilbert(folder: Path, extent: Extent) -> dict[str, Any]:
    """Full-size DistilBERT: all sides, and the share of the machine's bf16 rate that the engine reaches."""
    plan = Plan("distilbert", extent.distilbert_batch, extent.turn_seconds, extent.rounds, together=False)
    result = speed(folder, plan)
    result["ceiling"] = ceiling(folder, "distilbert", max(result["sides"][ENGINE]["rates"]))
    return result


def speed(folder: Path, plan: Plan, sides: Sequence[Entry] = SIDES) -> dict[str, Any]:
    """Let `sides` take turns; how many times as fast the engine (its first entry) is as the others."""
    measured = compare(sides, plan, folder)
    ours = measured[ENGINE]
    return {
        "model": plan.model,
        "batch_size": plan.batch_size,
        "chunk_size": 128,
        "seconds_per_turn": plan.seconds,
        "sides": {name: _as_data(side) for name, side in measured.items()},
        "engine_times_as_fast_as": {
            name: ratio(ours, side) for name, side in measured.items() if side is not ours
        },
    }


def _as_data(side: Measured) -> dict[str, Any]:
    return {
        "tokens_per_second": side.tokens_per_second,
        "rates": side.rates,
        "disturbances": side.disturbances,
        "peak_bytes": side.peak_bytes,
        **side.facts,
    }


def ceiling(folder: Path, model: str, engine_rate: float, products: int = 12) -> dict[str, Any]:
    """The machine's best rate of matrix products, and the share of it that `engine_rate` (tokens/s) makes."""
    from bench.workload import CHUNK_SIZE, model_folder

    cost = run_once(["-m", "bench.ceiling", "cost", str(model_folder(folder, model))], folder, "cost")
    rates = {}
    for precision in ("fp32", "bf16"):
        wait_for_quiet()
        side = Side(f"products {precision}", ["-m", "bench.ceiling", "products", precision], folder)
        try:
            side.turn(2)
            turns = [quiet_turn(side, products).seconds / products for _ in range(5)]
            facts = side.end()
        finally:
            side.kill()
        rates[precision] = facts["flop_per_step"] / min(turns)
        say(f"  {precision} products: {rates[precision] / 1e9:,.0f} GFLOP/s in shape {facts['shape']}")
    reached = engine_rate / CHUNK_SIZE * cost["masked_only"]
    return {
        "products_flop_per_second": rates,
        "flop_per_chunk": cost,
        "engine_flop_per_second": reached,
        "share_of_bf16": reached / rates["bf16"],
        "share_of_fp32": reached / rates["fp32"],
    }


def curve(folder: Path, extent: Extent) -> dict[str, Any]:
    """Does a step cost more when the corpus is larger? BERT-tiny on the text 1, 10 and 100 times over."""
    from bench.workload import text_file

    entries = []
    for copies in extent.copies:
        text_file(folder, copies)
        # an epoch of x1 is 46 steps of 64: the turns below, repeated ones too, end before it does
        entries.append(Entry(f"this engine, text x{copies}", "engine", (f"copies={copies}",)))
    measured = compare(entries, Plan("tiny", 64, 1.0, 3, warmup_steps=4), folder)
    return {entry.name: _as_data(measured[entry.name]) for entry in entries}


def preparation(folder: Path, extent: Extent) -> dict[str, Any]:
    """Text to chunks: seconds per million tokens, each size three times while that is cheap."""
    from bench.workload import text_file

    result: dict[str, Any] = {}
    for copies in extent.copies:
        text_file(folder, copies)
        ways = [way for way in ("ours", "tutorial") if way == "ours" or copies in extent.tutorial_copies]
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
        for _ in range(3 if copies <= 10 else 1):
            for way in ways:
                wait_for_quiet()
                runs[way].append(
                    run_once(["-m", "bench.preparation", way, str(folder), str(copies)], folder, way)
                )
        result[f"x{copies}"] = {way: _per_million(found) for way, found in runs.items()}
        for way, found in result[f"x{copies}"].items():
            say(f"  text x{copies}, {way}: {found['seconds_per_million_tokens']:.2f} s per million tokens")
    return result


def _per_million(runs: list[dict[str, Any]]) -> dict[str, Any]:
    seconds = [run["seconds"] for run in runs]
    tokens = runs[0]["tokens"]
    found = {
        "tokens": tokens,
        "seconds": seconds,
        "seconds_per_million_tokens": statistics.median(seconds) / tokens * 1e6,
        "peak_bytes": max(run["peak_bytes"] for run in runs),
    }
    if "again_seconds" in runs[0]:
        found["again_seconds"] = statistics.median(run["again_seconds"] for run in runs)
    return found


def quality(folder: Path, extent: Extent) -> dict[str, Any]:
    """Test perplexity after the same number of tokens, by seed, and the mean difference of the losses.

    `margin`: half the 95 % interval of the mean of the paired differences (Student's t).
    """
    runs: dict[str, list[dict[str, Any]]] = {"engine": [], "tutorial": []}
    for seed in extent.seeds:
        for side, found in runs.items():
            arguments = ["-m", "bench.quality", side, str(folder), str(seed), str(extent.quality_steps)]
            found.append(run_once(arguments, folder, f"quality-{side}"))
            say(f"  seed {seed}, {side}: perplexity {found[-1]['perplexity']:.2f}")
    differences = [
        ours["loss"] - theirs["loss"] for ours, theirs in zip(runs["engine"], runs["tutorial"], strict=True)
    ]
    margin = STUDENT_95[len(differences)] * statistics.stdev(differences) / math.sqrt(len(differences))
    mean = statistics.mean(differences)
    return {**runs, "mean_difference": mean, "margin": margin, "within_noise": abs(mean) <= margin}


STUDENT_95 = {3: 4.303, 4: 3.182, 5: 2.776}
