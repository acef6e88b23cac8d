"""Submit a run, or all runs of a sweep, to a cluster: python -m workbench.engines.submit --db URL --run ID

A process of its own, since it first fetches what compute nodes without a network cannot: weights, and text
that it prepares. Its words go to the run's log.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from workbench.engines.jobs import Submission, write_scripts
from workbench.engines.slurm import Slurm, require_installed
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Event, Message, PhaseChanged, Progress
from workbench.inference.resolve import resolve_model
from workbench.paths import cache_folder
from workbench.processes import log_to_standard_error, quieten
from workbench.recipe import Affects
from workbench.recipe_fields import agree
from workbench.status import Status
from workbench.store import Run, Store

log = logging.getLogger("workbench.engines.submit")  # when run as a program, the module's name is __main__

_TELL_SECONDS = 1.0


def submit(store: Store, runs: Sequence[Run], *, fetch_first: bool = True) -> None:
    """Fetch what these queued runs need and submit them as one job. They have the same place.

    What is refused fails the runs, in the engine's words.
    """
    try:
        require_installed()  # before gigabytes are fetched for nothing
        if fetch_first:
            _fetch(store, runs)
        _send(store, runs)
    except WorkbenchError as error:
        log.error("%s", error)
        _fail(store, runs, error.message, error.hint)
    except Exception as error:
        log.exception("The job was not submitted.")
        _fail(
            store, runs, f"It was not submitted: {type(error).__name__}: {error}", "The run's log has more."
        )


def _send(store: Store, runs: Sequence[Run]) -> None:
    wanted = [run for run in map(store.run, (run.id for run in runs)) if run.status == Status.QUEUED]
    wanted = [run for run in wanted if run.stop_requested_at is None]
    if not wanted:
        return
    submission: Submission = write_scripts(store, wanted)
    job = Slurm().submit(submission.script)
    log.info("submitted as Slurm job %s", job)
    for run, element in zip(wanted, submission.elements, strict=True):
        columns = {"job": job if element is None else f"{job}_{element}", "engine_state": "PENDING"}
        store.update_run(
            run.id,
            **columns,
            engine_reason="",
            engine_seen_at=time.time(),
            worker_pid=None,
            worker_started_at=None,
            phase=None,
        )


def _fetch(store: Store, runs: Sequence[Run]) -> None:
    """Fetch for each text and model once."""
    from transformers.utils import logging as transformers_logging

    from workbench.training.fetch import fetch

    transformers_logging.disable_progress_bar()
    done: list[Run] = []
    for run in runs:
        if any(_reads_the_same(run, other) for other in done):
            continue
        recipe = run.recipe.complete()
        tell, known = _Telling(store, [run.id for run in runs]), run.data.get("fingerprint")
        fetch(recipe, tell, cache=cache_folder(), model=_model_of(store, run), known=known)
        done.append(run)


def _reads_the_same(run: Run, other: Run) -> bool:
    return run.recipe.model == other.recipe.model and agree(run.recipe, other.recipe, Affects.TEXT)


def _model_of(store: Store, run: Run) -> str | None:
    """What the run begins with: its own checkpoint, or another run's; None: what the recipe names."""
    if run.checkpoint and Path(run.checkpoint).is_dir():
        return run.checkpoint  # the model that it began with may be gone
    named = str(run.recipe.model)
    return resolve_model(store, model=named).path if named.startswith("run:") else None


class _Telling:
    """A listener that says in the store what is being fetched."""

    def __init__(self, store: Store, run_ids: Sequence[int]) -> None:
        self._store, self._run_ids, self._told, self._phase = store, run_ids, 0.0, ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            log.log(logging.WARNING if event.level == "warning" else logging.INFO, "%s", event.text)
        elif isinstance(event, PhaseChanged):
            self._phase = str(event.phase)
            log.info("before submission: %s", event.phase)
            self._tell("")
        elif isinstance(event, Progress) and time.monotonic() - self._told > _TELL_SECONDS:
            share = f" {event.done / event.total:.0%}" if event.total else ""
            self._tell(share)

    def _tell(self, share: str) -> None:
        self._told = time.monotonic()
        for run_id in self._run_ids:
            self._store.update_run(
                run_id, engine_reason=f"fetching model and text before submission: {self._phase}{share}"
            )


def _fail(store: Store, runs: Sequence[Run], error: str, hint: str) -> None:
    for run in runs:
        store.change_status(
            run.id, {Status.QUEUED}, status=Status.FAILED, ended_at=time.time(), error=error, error_hint=hint
        )


def main(arguments: Sequence[str]) -> int:
    """Submit the runs that are named. Returns 0; what was refused is a failed run."""
    parser = argparse.ArgumentParser(prog="python -m workbench.engines.submit", description=__doc__)
    parser.add_argument("--db", help="path or URL of the database; else MLM_WORKBENCH_DB")
    parser.add_argument("--run", type=int, nargs="+", required=True, help="ids of queued runs")
    options = parser.parse_args(arguments)
    quieten(bars=False, tokenizer_threads=True)
    log_to_standard_error()
    try:
        store = Store.open(options.db)
    except WorkbenchError as error:
        log.error("%s", error)
        return 1
    try:
        submit(store, [store.run(run_id) for run_id in options.run])
    except UsageError as error:  # deleted meanwhile
        log.error("%s", error)
        return 1
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
