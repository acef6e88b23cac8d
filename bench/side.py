"""One side of a comparison, a process of its own: `python -m bench.side NAME FOLDER MODEL BATCH OPTION…`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import workload
from bench.turns import Enough, Turnstile


def main(arguments: list[str]) -> None:
    """NAME: tutorial, trainer-fp32, trainer-bf16 or engine. An OPTION is `key=value`."""
    name, folder, model, batch_size = arguments[0], Path(arguments[1]), arguments[2], int(arguments[3])
    options = dict(option.split("=", 1) for option in arguments[4:])
    turnstile = _turnstile()
    with suppress(Enough):
        _train(name, folder, model, batch_size, options, turnstile)


def _train(
    name: str, folder: Path, model: str, batch_size: int, options: dict[str, str], turnstile: Turnstile
) -> None:
    copies = int(options.pop("copies", workload.TEXT_COPIES))
    values = workload.recipe_values(folder, model, batch_size, copies)
    common: dict[str, Any] = {
        "batch_size": batch_size,
        "learning_rate": values["learning_rate"],
        "mask_prob": values["mask_prob"],
        "epochs": values["epochs"],
        "before_step": turnstile.before_step,
    }
    place = workload.model_folder(folder, model)
    if name == "engine":
        from bench import engine
        from workbench.recipe import Recipe

        parts = [part for part in options.pop("without", "").split(",") if part]
        engine.train(
            Recipe.parse({**values, **options}),
            folder / "cache",
            before_step=turnstile.before_step,
            without=parts,
            learn=turnstile.facts.update,
        )
    elif name == "tutorial":
        from bench import tutorial

        tutorial.train(place, workload.load_chunks(folder), **common)
    else:
        from bench import hf_trainer

        settings = hf_trainer.Settings(
            bf16=name == "trainer-bf16",
            workers=int(options.get("workers", 1)),
            compile=options.get("compile") == "on",
            attention=options.get("attention"),
        )
        hf_trainer.train(place, workload.load_chunks(folder), settings, **common)


def _turnstile() -> Turnstile:
    import torch

    if not torch.cuda.is_available():
        return Turnstile()
    return Turnstile(torch.cuda.synchronize, lambda: {"peak_gpu_bytes": torch.cuda.max_memory_allocated()})


if __name__ == "__main__":
    main(sys.argv[1:])
