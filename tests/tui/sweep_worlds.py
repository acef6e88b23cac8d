"""Sweeps without a training: runs in every state, with made-up scores on the yardstick."""

from __future__ import annotations

import math

import numpy as np

from workbench.recipe import PRESETS
from workbench.store import Store, Sweep, Yardstick
from workbench.store.sweeps import NewRun
from workbench.sweeps.plan import Plan, Range, run_name
from workbench.worker.launch import new_folder

from .support import NOW, add_points

STARTER = PRESETS["starter"]
DOCUMENTS = 60


def queue(store: Store, plan: Plan, name: str) -> Sweep:
    """A sweep whose runs wait. No scheduler is started, as long as it is paused."""
    recipes = [] if plan.trials else plan.recipes()
    sweep = store.sweeps.add(
        name,
        plan.to_json(),
        lambda called: [NewRun(recipe, run_name(called, plan, recipe)) for recipe in recipes],
        new_folder,
        trials=plan.trials,
    )
    store.sweeps.pause(sweep.id, True)
    return store.sweeps.sweep(sweep.id)


def finish(store: Store, run_id: int, log_perplexity: float, seed: int = 0) -> None:
    """The run has ended, with this score."""
    draw = np.random.default_rng(seed)
    tokens = np.full(DOCUMENTS, 20, dtype=np.int32)
    losses = tokens * (log_perplexity + 0.05 * draw.normal(size=DOCUMENTS))
    losses += (tokens.sum() * log_perplexity - losses.sum()) / DOCUMENTS
    perplexity = math.exp(log_perplexity)
    store.update_run(
        run_id,
        status="finished",
        queue_position=None,
        started_at=NOW - 100,
        ended_at=NOW,
        epoch=3.0,
        step=444,
        total_steps=444,
        baseline_perplexity=3512.0,
        eval_perplexity=perplexity * 1.1,
        best_eval_perplexity=perplexity * 1.1,
        yardstick_perplexity=perplexity,
    )
    add_points(
        store,
        run_id,
        "eval/perplexity",
        [(0, 3512.0), (148, perplexity * 2), (296, perplexity * 1.3), (444, perplexity * 1.1)],
    )
    store.yardsticks.add(
        Yardstick(
            run_id=run_id,
            step=444,
            model=f"checkpoint-{run_id}",
            weights_fingerprint=f"checkpoint-{run_id}",
            protocol="masked-1",
            text_fingerprint="text",
            tokenizer_fingerprint="tokenizer",
            masks_fingerprint="masks",
            chunks=DOCUMENTS,
            masked_tokens=int(tokens.sum()),
            loss_sum=float(losses.sum()),
            chunk_losses=losses.astype(np.float64).tobytes(),
            chunk_tokens=tokens.tobytes(),
            chunk_hashes=np.arange(DOCUMENTS, dtype=np.uint64).tobytes(),
            chunk_documents=np.arange(DOCUMENTS + 1, dtype=np.int32).clip(max=DOCUMENTS - 1).tobytes(),
            document_hashes=np.arange(1, DOCUMENTS + 1, dtype=np.uint64).tobytes(),
        )
    )


def half_done(store: Store) -> Sweep:
    """3 x 3 recipes x 2 seeds: the first seed has all its scores, of the second one failed, the rest wait."""
    plan = Plan(STARTER, {"chunk_size": (64, 128, 256), "mask_prob": (0.15, 0.3, 0.4)}, seeds=(42, 43))
    sweep = queue(store, plan, "size-and-masks")
    runs = store.sweeps.runs(sweep.id)
    for place, run in enumerate(runs[:12]):
        column, row = divmod(place % 9, 3)
        finish(store, run.id, 3.8 + 0.08 * abs(column - 1) + 0.004 * row + 0.01 * (place // 9), place)
    store.update_run(runs[12].id, status="failed", error="It ran out of memory.", queue_position=None)
    return sweep


def of_three_fields(store: Store) -> Sweep:
    """Chunk size, mask probability and learning rate, one seed, all with a score."""
    values = {"chunk_size": (64, 128), "mask_prob": (0.15, 0.3), "learning_rate": (1e-3, 2e-3)}
    sweep = queue(store, Plan(STARTER, values), "three-knobs")
    for place, run in enumerate(store.sweeps.runs(sweep.id)):
        finish(store, run.id, 3.8 + 0.1 * (place % 2) + 0.02 * (place // 2), place)
    return sweep


def overfull(store: Store) -> Sweep:
    """A map of more rows and columns than fit, and more sweeps than fit in the list."""
    for number in range(40):
        queue(store, Plan(STARTER, {"chunk_size": (64, 128)}), f"sweep-of-long-ago-number-{number:02}")
    names = tuple(f"data/a long name of a file 日本 {number}.txt" for number in range(12))
    plan = Plan(STARTER, {"adam_beta1": tuple(0.8 + i / 100 for i in range(8)), "dataset": names})
    sweep = queue(store, plan, "[red]more than fits[/red] " + "and more " * 5)
    for place, run in enumerate(store.sweeps.runs(sweep.id)):
        finish(store, run.id, 3.8 + 0.01 * place, place)
    return sweep


def search(store: Store) -> Sweep:
    """A search that has made no trial yet."""
    plan = Plan(STARTER, {}, ranges={"learning_rate": Range(1e-5, 1e-2)}, trials=10)
    return queue(store, plan, "best-rate")
