"""`cancel` and `requeue`: what only jobs of a cluster can do."""

from __future__ import annotations

import typer

from workbench.cli.options import Db, RunReference, open_store
from workbench.cli.output import say
from workbench.status import ACTIVE


def cancel(context: typer.Context, run: RunReference, db: Db = None) -> None:
    """End a run's job on a cluster at once. `stop` saves a checkpoint first."""
    from workbench.engines import control

    store = open_store(context, db)
    cancelled = control.cancel(store, store.find(run).id)
    stands = "is being cancelled" if cancelled.status in ACTIVE else f"is {cancelled.status}"
    say(f"Run {cancelled.id} {cancelled.name} {stands}. Continue it: mlm-workbench resume {cancelled.id}")


def requeue(context: typer.Context, run: RunReference, db: Db = None) -> None:
    """Put a running job of a cluster back into the queue. It continues from a checkpoint."""
    from workbench.engines import control

    store = open_store(context, db)
    requeued = control.requeue(store, store.find(run).id)
    say(f"Run {requeued.id} {requeued.name}: job {requeued.job} is back in the queue.")
