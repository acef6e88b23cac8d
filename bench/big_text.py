"""Much text in little memory: prepares a generated .txt file of some gigabytes and prints what it took.

`python -m bench.big_text FOLDER [GIGABYTES]` prints JSON: bytes, documents, tokens, seconds, and the peak of
the process's own memory (without pages of files, which the system takes back when it needs them), of a
preparation that is stopped half-way, of one that goes on with it, and of one that comes from the cache.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np


def write(path: Path, size: int) -> None:
    """Lines of 20 to 400 words, drawn from 200,000 by Zipf's law, as natural text is."""
    draw = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = np.array(["".join(draw.choice(letters, draw.integers(2, 11))) for _ in range(200_000)])
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            drawn = words[np.minimum(draw.zipf(1.15, 500_000), len(words)) - 1]
            at = 0
            while at < len(drawn):
                length = int(draw.integers(20, 400))
                file.write(" ".join(drawn[at : at + length]) + "\n")
                at += length


class Peak:
    """The most memory of its own that this process held at any time, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
            self.bytes = max(self.bytes, 1024 * int(line.split()[1]))


def measure(folder: Path, gigabytes: float) -> dict[str, Any]:
    from workbench.corpus import prepare_corpus
    from workbench.events import Event, Progress
    from workbench.pretrained.tokenizer import load_tokenizer
    from workbench.recipe import PRESETS

    path = folder / f"{gigabytes:g}-gigabytes.txt"
    if not path.exists():
        write(path, int(gigabytes * 1e9))
    recipe = PRESETS["starter"].with_changes(dataset=str(path))
    tokenizer = load_tokenizer("starter")
    found: dict[str, Any] = {"bytes": path.stat().st_size}

    def stop_half_way(event: Event) -> None:
        if isinstance(event, Progress) and event.unit == "documents" and 2 * event.done > event.total:
            raise KeyboardInterrupt

    with TemporaryDirectory(dir=folder) as cache:
        for name in ("first_half", "second_half", "from_cache"):
            began = time.perf_counter()
            with Peak() as peak:
                try:
                    corpus = prepare_corpus(
                        recipe,
                        tokenizer,
                        max_chunk=None,
                        cache=Path(cache),
                        listen=stop_half_way if name == "first_half" else lambda event: None,
                    )
                    found |= {
                        "documents": corpus.train.documents + corpus.test.documents,
                        "tokens": corpus.train.tokens + corpus.test.tokens,
                    }
                except KeyboardInterrupt:
                    pass
            found[name] = {"seconds": round(time.perf_counter() - began, 1), "peak_bytes": peak.bytes}
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.big_text", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the text is written, and kept for the next time")
    parser.add_argument("gigabytes", type=float, nargs="?", default=1.0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(options.folder, options.gigabytes)))
