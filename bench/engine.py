"""This project's engine, by the way that a worker takes: `train(recipe)`, with nothing left out.

For bench/ablation.py, single parts of it can be put back to what the libraries do by default.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from workbench.events import EngineReady, Event, Phase, PhaseChanged
from workbench.recipe import Recipe
from workbench.training.engine import train as train_recipe

PARTS = ("bf16", "head", "dropout", "attention", "memory", "fused", "shapes")
"""What can be left out: bf16 products, the masked-only head, the quick dropout and attention of
training/cpu.py, its malloc settings, the fused optimizer, and the padding that lets shapes repeat."""


def train(
    recipe: Recipe,
    cache: Path,
    *,
    before_step: Callable[[], None],
    without: Collection[str] = (),
    learn: Callable[[dict[str, Any]], None] = lambda facts: None,
) -> None:
    """Train `recipe`; `learn` is told what the engine says of itself."""
    _leave_out(without)
    if "bf16" in without:
        recipe = recipe.with_changes(precision="fp32")
    training = False

    def listen(event: Event) -> None:
        nonlocal training
        if isinstance(event, PhaseChanged):
            training = event.phase is Phase.TRAINING
        if isinstance(event, EngineReady):
            learn({"precision": event.precision, "head": event.head, "compiled": event.compiled})

    def should_stop() -> bool:
        # asked before every step, and between the batches of an evaluation
        if training:
            before_step()
        return False

    with TemporaryDirectory() as folder:
        train_recipe(recipe, Path(folder), listen, cache=cache, should_stop=should_stop)


def _leave_out(parts: Collection[str]) -> None:
    import torch
    from torch import nn

    from workbench.training import batches, cpu, loop, masked_only, step

    replace: Callable[[ModuleType, str, Any], None] = setattr
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ValueError(f"unknown parts: {sorted(unknown)}")
    if "head" in parts:
        fit_head = masked_only.fit_head

        def fit_full_head(*arguments: Any) -> Any:
            wrapped, _ = fit_head(*arguments)
            wrapped.masked_only = False
            return wrapped, "left out for a measurement"

        replace(loop, "fit_head", fit_full_head)
    if "dropout" in parts:
        replace(cpu, "Dropout", nn.Dropout)
    if "attention" in parts:
        replace(cpu, "AttentionInterface", _Nothing)
        replace(cpu, "ATTENTION", "sdpa")
    if "memory" in parts:
        replace(cpu, "keep_memory", lambda: None)
    if "shapes" in parts:
        replace(batches, "POSITIONS_QUANTUM", 1)
    if "fused" in parts:
        make = step._adamw

        def unfused(*arguments: Any) -> torch.optim.AdamW:
            optimizer = make(*arguments)
            return torch.optim.AdamW(optimizer.param_groups, fused=False)

        replace(step, "_adamw", unfused)


class _Nothing:
    @staticmethod
    def register(name: str, function: Any) -> None:
        """Keep what there is."""
