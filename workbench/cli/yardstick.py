"""`yardstick`: score checkpoints on the test that all runs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.caveats import untrained_base
from workbench.cli.bar import Bar, quiet_libraries
from workbench.cli.compare import percent
from workbench.cli.options import AsJson, Db, RunReference, open_store
from workbench.cli.output import print_json, say
from workbench.cli.tables import show_table
from workbench.display import numbers
from workbench.errors import ModelError, UsageError
from workbench.paths import cache_folder

if TYPE_CHECKING:
    from workbench.analysis.scorer import Scorer
    from workbench.store import Checkpoint, Run, Store, Yardstick


def yardstick(
    context: typer.Context,
    run: RunReference,
    checkpoint: Annotated[
        str, typer.Option(metavar="STEP|best|last|all", help="Which checkpoints to score.")
    ] = "last",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where.")] = "auto",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Score a run's checkpoints on the yardstick, and its base model.

    The worker scores a finished run at its newest and its best checkpoint. Earlier scores are reused.
    """
    store = open_store(context, db)
    target = store.find(run)
    chosen = _chosen(store, target, checkpoint)

    quiet_libraries()
    from workbench.analysis.scorer import Scorer

    with Bar() as bar:
        scorer = Scorer(store, target, cache=cache_folder(), listen=bar, device=device)
        scored = []
        for saved in chosen:
            bar.begin(f"step {saved.step}")
            scored.append((saved, scorer.checkpoint(saved)))
        bar.begin("base model")
        base, gone = _base(scorer)
    untrained = untrained_base(target.recipe, target.engine)
    if gone:
        say(f"The model before training was not scored: {gone}")
    if as_json:
        print_json(
            {
                "run": target.id,
                "base": _as_json(base) if base else None,
                "base_untrained": untrained or None,
                "checkpoints": [_scored(*one) for one in scored],
            }
        )
        return

    rows = [["step", "epoch", "yardstick", "error", "own test", ""]]
    before = numbers.perplexity(base.perplexity if base else None)
    what = f"before training{untrained and f', {untrained}'}"
    rows.append(["0", "0.00", before, percent(base.loss_error if base else None), numbers.NOTHING, what])
    rows += [
        [
            f"{saved.step:,}",
            f"{saved.epoch:.2f}",
            numbers.perplexity(score.perplexity),
            percent(score.loss_error),
            numbers.perplexity(saved.eval_perplexity),
            "best on its own test" if saved.best else "",
        ]
        for saved, score in scored
    ]
    name = f"Run {target.id} {target.name}: perplexity"
    first_score = scored[0][1]
    times = f", asked {first_score.draws} times" if first_score.draws > 1 else ""
    about = f"{first_score.masked_tokens:,} tokens, {first_score.chunks:,} chunks{times}"
    show_table(f"{name} on {first_score.protocol} ({about})", rows, frozenset(range(5)))


def _base(scorer: Scorer) -> tuple[Yardstick | None, str]:
    """The base model's score, or why it has none: it may be gone, and the checkpoints have theirs."""
    try:
        return scorer.base(), ""
    except ModelError as error:
        return None, str(error)


def _chosen(store: Store, run: Run, which: str) -> list[Checkpoint]:
    """The chosen checkpoints. Raises UsageError."""
    saved = store.checkpoints(run.id)
    if not saved:
        raise UsageError(
            f"Run {run.id} {run.name} has no checkpoint ({run.status}).",
            "The first one is saved after an epoch.",
        )
    if which == "all":
        return saved
    if which == "last":
        return saved[-1:]
    if which == "best":
        best = store.best_checkpoint(run.id)
        return [checkpoint for checkpoint in saved if best is not None and checkpoint.step == best.step]
    matching = [checkpoint for checkpoint in saved if str(checkpoint.step) == which]
    if not matching:
        steps = ", ".join(str(checkpoint.step) for checkpoint in saved)
        raise UsageError(
            f"Run {run.id} {run.name} has no checkpoint {which!r}.", f"Choose {steps}, best, last or all."
        )
    return matching


def _as_json(score: Yardstick) -> dict[str, object]:
    names = ("protocol", "text_fingerprint", "tokenizer_fingerprint", "masks_fingerprint")
    return {
        "perplexity": score.perplexity,
        "error": score.loss_error,
        "draws": score.draws,
        "chunks": score.chunks,
        "masked_tokens": score.masked_tokens,
        **{name: getattr(score, name) for name in names},
    }


def _scored(saved: Checkpoint, score: Yardstick) -> dict[str, object]:
    return {"step": saved.step, "epoch": saved.epoch, "best": saved.best, **_as_json(score)}
