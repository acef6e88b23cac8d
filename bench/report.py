"""The results as a table for people and as JSON for programs, in bench/results/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
TITLES = {"tiny": "BERT-tiny", "distilbert": "DistilBERT, full size"}


def write(results: dict[str, Any], prefix: str = "", folder: Path | None = None) -> str:
    """Write both files into `folder` (bench/results) and return the table."""
    folder = folder or RESULTS
    machine = results["machine"]
    device = machine["gpu"] or f"{machine['processor']} {machine['cores']} cores"
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
    name = f"{prefix}{machine['date'][:10]}-{slug}-{results['extent']}"
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(table(results)) + "\n"
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def table(results: dict[str, Any]) -> Iterator[str]:
    """Markdown, line by line."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    yield f"# {machine['gpu'] or machine['processor']}, {machine['date'][:10]} ({results['extent']})"
    yield ""
    yield (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB; "
        + (f"{machine['gpu']}; " if machine["gpu"] else "")
        + f"Python {machine['python']}, {versions}."
    )
    if "checks" in results:
        yield from _checks(results["checks"])
    for name, part in results.items():
        if name.startswith("speed-"):
            yield from _speed(part)
    if "curve" in results:
        yield from _curve(results["curve"])
    if "preparation" in results:
        yield from _preparation(results["preparation"])
    if "quality" in results:
        yield from _quality(results["quality"])


def _checks(part: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Checks"
    yield ""
    for name, found in part.items():
        figures = {key: value for key, value in found.items() if key != "ok"}
        yield f"- {name}: {'holds' if found['ok'] else 'DOES NOT HOLD'}; {json.dumps(figures)}"


def _speed(part: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"## Training: {TITLES[part['model']]}, {part['batch_size']} chunks of {part['chunk_size']} a step"
    yield ""
    gpu = any("peak_gpu_bytes" in side for side in part["sides"].values())
    yield f"| side | tokens/s (median) | all rounds | this engine is | peak {'GPU ' * gpu}memory |"
    yield "| --- | ---: | --- | ---: | ---: |"
    for name, side in part["sides"].items():
        times = part["engine_times_as_fast_as"].get(name)
        rounds = ", ".join(f"{rate:,.0f}" for rate in side["rates"])
        peak = side["peak_gpu_bytes" if gpu else "peak_bytes"] / 2**30
        ours = f"{times:.2f} x" if times else ""
        yield f"| {name} | {side['tokens_per_second']:,.0f} | {rounds} | {ours} | {peak:.2f} GiB |"
    worst = max(max(side["disturbances"], default=0.0) for side in part["sides"].values())
    yield ""
    yield f"Other programs used at most {worst:.0%} of the machine during a turn."
    if "ceiling" in part:
        found = part["ceiling"]
        rates, cost = found["products_flop_per_second"], found["flop_per_chunk"]
        yield ""
        giga = 1e-9
        yield (
            f"Matrix products reach {rates['fp32'] * giga:,.0f} GFLOP/s in fp32 and "
            f"{rates['bf16'] * giga:,.0f} in bf16. A chunk costs {cost['masked_only'] * giga:.1f} GFLOP "
            f"({cost['full'] * giga:.1f} with the head at every position): the engine's best round makes "
            f"{found['engine_flop_per_second'] * giga:,.0f} GFLOP/s, {found['share_of_bf16']:.0%} of the "
            f"bf16 rate."
        )


def _curve(part: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Training speed against corpus size (BERT-tiny, batch 64)"
    yield ""
    yield "| | tokens/s (median) | peak memory |"
    yield "| --- | ---: | ---: |"
    for name, side in part.items():
        yield f"| {name} | {side['tokens_per_second']:,.0f} | {side['peak_bytes'] / 2**30:.2f} GiB |"


def _preparation(part: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Preparation: file to chunks"
    yield ""
    yield "| text | tokens | this project, s per million | again, cached | tutorial, s per million | ratio |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for size, ways in part.items():
        ours, theirs = ways["ours"], ways.get("tutorial")
        mine = ours["seconds_per_million_tokens"]
        other = theirs["seconds_per_million_tokens"] if theirs else None
        yield (
            f"| {size} | {ours['tokens']:,} | {mine:.2f} | {ours['again_seconds']:.2f} s | "
            f"{f'{other:.2f}' if other else 'not run'} | {f'{other / mine:.1f} x' if other else ''} |"
        )


def _quality(part: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "## Quality: test perplexity of the starter after the same number of tokens"
    yield ""
    yield "| seed | steps of 16 | before | tutorial's loop, fp32 | this engine |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for ours, theirs in zip(part["engine"], part["tutorial"], strict=True):
        before = 2.718281828459045 ** ours["baseline_loss"]
        yield (
            f"| {ours['seed']} | {ours['steps']} | {before:,.0f} | {theirs['perplexity']:.2f} "
            f"| {ours['perplexity']:.2f} |"
        )
    verdict = "within noise" if part["within_noise"] else "NOT within noise"
    yield ""
    yield (
        f"Mean difference of the loss {part['mean_difference']:+.4f} nats ± {part['margin']:.4f} "
        f"(95 % interval over the seeds; lower is better for the engine): {verdict}."
    )
