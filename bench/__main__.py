"""`python -m bench [--quick] [--full] [--folder FOLDER] [PART…]`: measure, print, keep it in results/.

PARTS: speed-tiny, speed-distilbert, curve, preparation, quality. --quick: about two minutes, smaller batches.
--full: the notebook's preparation at x100 as well, which alone takes several minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import parts, report
from bench.speed import say
from bench.turns import run_once

PARTS: dict[str, Callable[[Path, parts.Extent], dict[str, Any]]] = {
    "speed-tiny": parts.speed_tiny,
    "speed-distilbert": parts.speed_distilbert,
    "curve": parts.curve,
    "preparation": parts.preparation,
    "quality": parts.quality,
}


def main() -> int:
    """Measure what is asked for. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to lay the workload; kept for the next time")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    options = parser.parse_args()
    extent = parts.QUICK if options.quick else parts.FULL if options.full else parts.USUAL
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        say("Laying out text, chunks and models …")
        run_once(["-m", "bench.workload", str(folder)], folder, "workload")
        results: dict[str, Any] = {
            "machine": run_once(["-m", "bench.machine"], folder, "machine"),
            "extent": "-".join([extent.name, *options.parts]),
        }
        for name in options.parts or PARTS:
            say(f"{name} …")
            began = time.monotonic()
            results[name] = PARTS[name](folder, extent)
            say(f"{name}: {time.monotonic() - began:.0f} s")
    text = report.write(results)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
