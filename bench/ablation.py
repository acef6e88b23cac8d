"""What each part of the engine is worth: it is measured whole, and with one part left out at a time.

python -m bench.ablation FOLDER tiny|distilbert BATCH SECONDS ROUNDS [PART,PART…]
FOLDER: a workload (python -m bench.workload FOLDER).
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.engine import PARTS
from bench.speed import Entry, Plan, compare, ratio


def main(arguments: list[str]) -> None:
    """Print tokens per second and how much slower it is without each part."""
    folder, model = Path(arguments[0]), arguments[1]
    batch_size, seconds, rounds = int(arguments[2]), float(arguments[3]), int(arguments[4])
    parts = arguments[5].split(",") if len(arguments) > 5 else list(PARTS)
    entries = [Entry("engine", "engine")]
    entries += [Entry(f"without {part}", "engine", (f"without={part}",)) for part in parts]
    results = compare(entries, Plan(model, batch_size, seconds, rounds, warmup_steps=2), folder)
    whole = results["engine"]
    for entry in entries:
        side = results[entry.name]
        print(
            f"{entry.name:20} {side.tokens_per_second:10,.0f} tokens/s   "
            f"{ratio(whole, side):5.2f} x   {side.peak_bytes / 2**30:5.2f} GiB"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
