"""The most that this machine could do: its own rate of matrix products, and what one chunk of training costs.

`python -m bench.ceiling products bf16|fp32` takes turns like a training does: a step is one product.
`python -m bench.ceiling cost MODEL_FOLDER` prints floating-point operations per chunk as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from typing import Any

import torch

from bench import workload
from bench.turns import Enough, Turnstile

SHAPES = {
    "cpu": ((8192, 768, 768), (8192, 768, 3072), (8192, 3072, 768), (2048, 2048, 2048), (4096, 4096, 4096)),
    "cuda": ((8192, 768, 3072), (8192, 3072, 768), (8192, 8192, 8192), (16384, 4096, 4096)),
}
"""(rows, inner, columns): those of DistilBERT's layers at 64 x 128, and square ones. The best one counts."""


def products(precision: str) -> None:
    """Multiply matrices, whenever it is its turn, in the shape that goes fastest here."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    synchronize = torch.cuda.synchronize if device == "cuda" else lambda: None
    turnstile = Turnstile(synchronize)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = False
    best: tuple[float, Any, Any, tuple[int, int, int]] | None = None
    for shape in SHAPES[device]:
        rows, inner, columns = shape
        left = torch.randn(rows, inner, device=device).to(dtype)
        right = torch.randn(inner, columns, device=device).to(dtype)
        out = left @ right
        synchronize()
        began = time.perf_counter()
        repetitions = 20 if device == "cuda" else 3
        for _ in range(repetitions):
            torch.mm(left, right, out=out)
        synchronize()
        rate = repetitions * flop(shape) / (time.perf_counter() - began)
        if best is None or rate > best[0]:
            best = rate, left, right, shape
    assert best
    _, left, right, shape = best
    out = left @ right
    turnstile.facts.update(flop_per_step=flop(shape), shape=list(shape))
    with suppress(Enough):
        while True:
            turnstile.before_step()
            torch.mm(left, right, out=out)


def flop(shape: tuple[int, int, int]) -> int:
    """Operations of one product; a multiplication and an addition are two."""
    rows, inner, columns = shape
    return 2 * rows * inner * columns


def cost(model_folder: str) -> dict[str, float]:
    """Floating-point operations of forward and backward per chunk, counted by PyTorch on empty tensors.

    `masked_only`: the head at MASK_PROB of the positions; `full`: at all of them.
    """
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoConfig, AutoModelForMaskedLM

    from workbench.training.masked_only import MaskedLM

    chunks, tokens = 64, workload.CHUNK_SIZE
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(model_folder)
        model = MaskedLM(AutoModelForMaskedLM.from_config(config, attn_implementation="eager"))
        ids = torch.zeros(chunks, tokens, dtype=torch.int64)
        counted = {}
        for name, rows in (
            ("masked_only", round(workload.MASK_PROB * chunks * tokens)),
            ("full", chunks * tokens),
        ):
            with FlopCounterMode(display=False) as counter:
                model(ids, torch.zeros(rows, dtype=torch.int64)).sum().backward()
            counted[name] = counter.get_total_flops() / chunks
    return counted


if __name__ == "__main__":
    if sys.argv[1] == "products":
        products(sys.argv[2])
    else:
        print(json.dumps(cost(sys.argv[2])))
