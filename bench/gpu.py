"""`python -m bench.gpu`: check and measure the GPU paths on a machine with a CUDA device, in one command.

    --quick            fewer rounds, batch 64 only
    --only NAME,NAME   checks and speeds to run: masks, head, resume, out-of-memory, synchronisations,
                       speed-64, speed-256
    --folder FOLDER    where to lay the workload; kept for the next time
    --out FOLDER       where to write table and JSON (bench/results)

Exit code 1 when there is no CUDA device or when a check does not hold.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import report
from bench.parts import ENGINE, TUTORIAL, ceiling, speed
from bench.speed import Entry, Plan, say
from bench.turns import run_once

CHECKS = ("masks", "head", "resume", "out-of-memory", "synchronisations")  # see bench/gpu_checks.py
COPIES = "copies=100"  # of the text: an epoch must not end while a turn is measured
SIDES = (
    Entry(TUTORIAL, "tutorial"),
    Entry("HF Trainer, bf16", "trainer-bf16", ("workers=4",)),
    Entry("HF Trainer, bf16, compiled", "trainer-bf16", ("workers=4", "compile=on")),
    Entry(ENGINE, "engine", (COPIES, "compile=off")),
    Entry(f"{ENGINE}, compiled", "engine", (COPIES, "compile=on")),
)
SPEEDS = {"speed-64": 64, "speed-256": 256}


def main() -> int:
    """Run what is asked for. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join([*CHECKS, *SPEEDS]))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        machine = run_once(["-m", "bench.machine"], folder, "machine")
        if not machine["gpu"]:
            say("There is no CUDA device here (torch.cuda.is_available() is False): nothing was measured.")
            return 1
        say(f"{machine['gpu']}: laying out text, chunks and models …")
        run_once(["-m", "bench.workload", str(folder)], folder, "workload")
        results: dict[str, Any] = {"machine": machine, "extent": "quick" if options.quick else "usual"}
        names = options.only.split(",")
        results["checks"] = _checks([name for name in names if name in CHECKS], folder)
        for name in names:
            if name in SPEEDS and not (options.quick and name != "speed-64"):
                results[name] = _speed(folder, SPEEDS[name], rounds=3 if options.quick else 5)
    print(report.write(results, prefix="gpu-", folder=options.out))
    return 0 if all(check["ok"] for check in results["checks"].values()) else 1


def _checks(names: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for name in names:
        began = time.monotonic()
        try:
            found[name] = run_once(["-m", "bench.gpu_checks", name, str(folder)], folder, name)
        except RuntimeError as error:
            found[name] = {"ok": False, "error": str(error)}
        verdict = "holds" if found[name]["ok"] else "DOES NOT HOLD"
        say(f"{name}: {verdict} ({time.monotonic() - began:.0f} s) {found[name]}")
    return found


def _speed(folder: Path, batch_size: int, rounds: int) -> dict[str, Any]:
    result = speed(folder, Plan("distilbert", batch_size, 4.0, rounds, warmup_steps=20), SIDES)
    best = max(max(side["rates"]) for name, side in result["sides"].items() if name.startswith(ENGINE))
    result["ceiling"] = ceiling(folder, "distilbert", best, products=200)
    return result


if __name__ == "__main__":
    sys.exit(main())
