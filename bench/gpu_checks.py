"""What must hold on a GPU, tried on a real one: `python -m bench.gpu_checks NAME FOLDER` prints JSON.

Each check runs in a process of its own and returns {"ok": …, figures}. Where there is no CUDA device the ones
that make sense on a CPU still run there, which is how they are kept from rotting.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn import functional as F

from bench import workload
from workbench.events import EngineReady, Event, Message, Metrics, Phase, PhaseChanged
from workbench.recipe import Recipe
from workbench.training.engine import train

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")


def masks(folder: Path) -> dict[str, Any]:
    """The masks drawn on the GPU are those drawn on the CPU, for each strategy."""
    from workbench.corpus.masking import Masker
    from workbench.corpus.vocabulary import Vocabulary

    vocabulary = Vocabulary(30_522, 103, (0, 100, 101, 102, 103))
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 30_522, (256, 128), generator=generator)
    starts = torch.rand(ids.shape, generator=generator) < 0.8
    rows = torch.randperm(100_000, generator=generator)[:256]
    found: dict[str, Any] = {}
    for masking in ("token", "whole_word", "span"):
        masker = Masker(vocabulary, mask_prob=0.15, masking=masking, seed=42)
        here = masker(ids, rows, 3, starts)
        there = masker(ids.to(DEVICE), rows.to(DEVICE), 3, starts.to(DEVICE))
        found[masking] = all(torch.equal(a, b.cpu()) for a, b in zip(here, there, strict=True))
    return {"ok": all(found.values()), "equal": found}


def head(folder: Path) -> dict[str, Any]:
    """The masked-only head's loss and gradients are the full head's, in fp32 without TF32."""
    from workbench.pretrained.model import load_model
    from workbench.training.masked_only import MaskedLM

    torch.backends.cuda.matmul.allow_tf32 = False
    model = load_model(str(workload.model_folder(folder, "distilbert"))).model.to(DEVICE).eval()
    wrapped = MaskedLM(model)
    ids = torch.randint(1_000, 30_000, (8, workload.CHUNK_SIZE), device=DEVICE)
    positions = torch.randperm(ids.numel(), device=DEVICE)[:154].sort().values
    targets = ids.reshape(-1)[positions]
    losses, gradients = [], []
    for masked_only in (False, True):
        wrapped.masked_only = masked_only
        model.zero_grad(set_to_none=True)
        loss = F.cross_entropy(wrapped(ids, positions), targets)
        loss.backward()
        losses.append(loss.item())
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    full, masked = gradients
    worst = max(
        float((full[name] - masked[name]).norm() / full[name].norm().clamp(min=1e-12)) for name in full
    )
    same_names = full.keys() == masked.keys()
    return {
        "ok": same_names and abs(losses[0] - losses[1]) < 1e-5 and worst < 1e-4,
        "loss_difference": abs(losses[0] - losses[1]),
        "worst_relative_gradient_difference": worst,
    }


def resume(folder: Path) -> dict[str, Any]:
    """A run stopped and gone on with ends as one that was not: its losses and its weights.

    On a GPU some sums are made in no fixed order; the same run twice then differs too. `ok`: the resumed run
    differs from the whole one by no more than ten times what a repeated whole one does, or by nothing.
    """
    from safetensors.torch import load_file

    from workbench.training.checkpoint import whole_checkpoints

    recipe = _recipe(folder, batch_size=16, max_steps=12, checkpoint_every=5)
    with TemporaryDirectory(dir=folder) as temporary:

        def run(name: str, stop_at: int | None = None) -> dict[str, torch.Tensor]:
            place = Path(temporary) / name
            earlier = whole_checkpoints(place)
            with _steps(stop_at) as (listen, should_stop, _):
                train(
                    recipe,
                    place,
                    listen,
                    cache=folder / "cache",
                    should_stop=should_stop,
                    resume_from=earlier[-1] if earlier else None,
                )
            return load_file(whole_checkpoints(place)[-1] / "model.safetensors")

        whole, again = run("whole"), run("again")
        run("resumed", stop_at=8)
        resumed = run("resumed")
    noise, difference = _difference(whole, again), _difference(whole, resumed)
    return {
        "ok": difference <= 10 * noise,
        "bit_for_bit": difference == 0,
        "difference": difference,
        "difference_of_a_repeated_run": noise,
    }


def out_of_memory(folder: Path) -> dict[str, Any]:
    """A batch that is too big is halved until it fits; the effective batch stays."""
    batch_size = 16_384
    recipe = _recipe(folder, batch_size=batch_size, max_steps=1)
    with TemporaryDirectory(dir=folder) as temporary, _steps() as (listen, should_stop, events):
        train(recipe, Path(temporary), listen, cache=folder / "cache", should_stop=should_stop)
    ready = [event for event in events if isinstance(event, EngineReady)][-1]
    losses = [
        event.values["train/loss"]
        for event in events
        if isinstance(event, Metrics) and "train/loss" in event.values
    ]
    halvings = [e.text for e in events if isinstance(e, Message) and e.text.startswith("Out of memory")]
    return {
        "ok": bool(halvings)
        and len(losses) == 1
        and ready.batch_size * ready.gradient_accumulation >= batch_size,
        "halvings": len(halvings),
        "batch_size": ready.batch_size,
        "gradient_accumulation": ready.gradient_accumulation,
        "loss": losses,
        "last_message": halvings[-1] if halvings else "",
    }


def synchronisations(folder: Path) -> dict[str, Any]:
    """How often a step makes the host wait for the GPU, and where. Meant is one wait, for the masks alone."""
    first, last = 6, 46
    places: Counter[str] = Counter()
    recipe = _recipe(folder, batch_size=16, max_steps=last + 5)

    def note(message: Any, category: Any, filename: str, line: int, *rest: Any) -> None:
        if "synchron" not in str(message):
            return
        frames = [f for f in traceback.extract_stack() if "/workbench/" in f.filename]
        place = frames[-1] if frames else None
        places[f"{Path(place.filename).name}:{place.lineno} {place.line}" if place else filename] += 1

    def before(step: int) -> None:
        if CUDA and step == first:
            torch.cuda.set_sync_debug_mode("warn")
        if CUDA and step == last:
            torch.cuda.set_sync_debug_mode("default")

    with warnings.catch_warnings(), TemporaryDirectory(dir=folder) as temporary:
        warnings.simplefilter("always")
        warnings.showwarning = note  # type: ignore[assignment]
        with _steps(before=before) as (listen, should_stop, _):
            train(recipe, Path(temporary), listen, cache=folder / "cache", should_stop=should_stop)
    a_step = {place: count / (last - first) for place, count in places.most_common()}
    return {"ok": sum(a_step.values()) <= 1.1, "waits_per_step": a_step}


def _recipe(folder: Path, **changes: Any) -> Recipe:
    return Recipe.parse({**workload.recipe_values(folder, "distilbert", 16), "epochs": 1, **changes})


@contextmanager
def _steps(
    stop_at: int | None = None, before: Callable[[int], None] = lambda step: None
) -> Iterator[tuple[Callable[[Event], None], Callable[[], bool], list[Event]]]:
    """A listener, a `should_stop` that knows the step it is asked before, and the events that came."""
    events: list[Event] = []
    step, training = 0, False

    def listen(event: Event) -> None:
        nonlocal training
        events.append(event)
        if isinstance(event, PhaseChanged):
            training = event.phase is Phase.TRAINING

    def should_stop() -> bool:
        nonlocal step
        if not training:
            return False
        step += 1
        before(step)
        return stop_at is not None and step > stop_at

    yield listen, should_stop, events


def _difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest difference of any weight."""
    return max(float((one[name].float() - other[name].float()).abs().max()) for name in one)


CHECKS = {
    "masks": masks,
    "head": head,
    "resume": resume,
    "out-of-memory": out_of_memory,
    "synchronisations": synchronisations,
}

if __name__ == "__main__":
    print(json.dumps(CHECKS[sys.argv[1]](Path(sys.argv[2]))))
