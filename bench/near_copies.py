"""Copies among documents: how fast they are looked for, how many planted ones are found, how many falsely.

`python -m bench.near_copies [MEGABYTES]` prints a line for documents of each length. Seconds are those of the
processor, so that they hold on a machine that others use.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.turns import peak_memory
from workbench.corpus.documents import SpooledDocuments
from workbench.corpus.near_copies import find_copies, jaccard
from workbench.corpus.notes import Notes

_PLANTED = 500
_WORDS = 30_000


def main() -> None:
    """Measure and print."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for words in (20, 200, 2_000):
        with TemporaryDirectory() as folder:
            _measure(Path(folder), words, megabytes * 1_000_000)


def _measure(folder: Path, words: int, size: int) -> None:
    draw = random.Random(words)
    vocabulary = ["".join(draw.choices("etaoinshrdlucmfw", k=draw.randrange(2, 10))) for _ in range(_WORDS)]
    planted: list[tuple[int, int, bool]] = []
    documents = SpooledDocuments(
        folder / "documents.txt", _texts(draw, vocabulary, words, size, planted), None
    )
    wall, began = time.perf_counter(), time.process_time()
    groups = find_copies(documents, np.arange(len(documents)), folder, Notes(lambda event: None)).groups
    seconds, wall = time.process_time() - began, time.perf_counter() - wall
    size = (folder / "documents.txt").stat().st_size
    found = sum(groups[one] == groups[other] for one, other, near in planted if near)
    false = sum(groups[one] == groups[other] for one, other, near in planted if not near)
    mates = {row for pair in planted for row in pair[:2]}
    others = sum(int(groups[row]) != row for row in range(len(documents)) if row not in mates)
    print(
        f"{words:,} words: {len(documents):,} documents, {size / 1e6:.0f} MB, "
        f"{size / 1e6 / seconds:.0f} MB/s of one processor ({size / 1e6 / wall:.0f} MB/s on the clock); "
        f"found {found} of {_PLANTED} at 0.8, {false} of {_PLANTED} at 0.45, {others} others; "
        f"{peak_memory() / 1e6:.0f} MB at most"
    )


def _texts(
    draw: random.Random, vocabulary: list[str], words: int, size: int, planted: list[tuple[int, int, bool]]
) -> Iterator[str]:
    """Documents of about so many words, with copies of some among them: (row, row, whether it is near)."""
    row = written = 0
    wanted = [True] * _PLANTED + [False] * _PLANTED
    while written < size or wanted:
        text = [
            vocabulary[min(_WORDS - 1, int(draw.expovariate(1 / 2000)))]
            for _ in range(draw.randrange(words // 2 + 10, 3 * words // 2 + 10))
        ]
        yield " ".join(text)
        written += 1 + len(" ".join(text))
        row += 1
        if wanted and draw.random() < 0.5:
            near = wanted.pop()
            yield _changed(draw, text, 0.8 if near else 0.45)
            planted.append((row - 1, row, near))
            row += 1


def _changed(draw: random.Random, words: list[str], similarity: float) -> str:
    """A copy in which words are replaced as long as it is more similar than that, as near as it comes."""
    copy, step = list(words), max(1, len(words) // 100)
    before = " ".join(copy)
    while True:
        for at in draw.sample(range(len(copy)), step):
            copy[at] = f"x{draw.randrange(10**6)}"
        text = " ".join(copy)
        if jaccard(" ".join(words), text) < similarity:
            return before if similarity == 0.8 else text
        before = text


if __name__ == "__main__":
    main()
