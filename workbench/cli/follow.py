"""Follow a run by reading the store, until it ends or the user detaches."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from workbench.caveats import diverged, untrained_base
from workbench.cli.output import say
from workbench.cli.progress import BarView, LineView, View
from workbench.display import numbers
from workbench.display.where import waiting_for
from workbench.engines import control
from workbench.metrics import CURVES
from workbench.status import ACTIVE, Status
from workbench.store import Run, Store
from workbench.text import printable
from workbench.worker import liveness
from workbench.worker.liveness import LOG

_LOOK_SECONDS = 0.1
_LIVENESS_SECONDS = 1.0
INTERRUPTED = 130


@contextmanager
def catching_interrupts() -> Iterator[list[int]]:
    """Ctrl-C only adds to the list, to be handled between two reads of the store."""
    caught: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)


def follow(store: Store, run_id: int, interrupts: list[int]) -> Run:
    """Show a run's progress on standard error until it has ended; returns the ended run.

    The first interrupt stops the run and waits for its checkpoint; the second one detaches.
    """
    console = Console(stderr=True)
    bars = console.is_terminal and not console.is_dumb_terminal
    view: View = BarView(console) if bars else LineView(console)
    run = store.run(run_id)
    warnings = _Warnings(Path(run.folder) / LOG)
    view.say(f"Run {run.id} {run.name}; its log: {run.folder}/{LOG}")
    cursor, version, checked, stopping, told = 0, None, time.monotonic(), False, ""
    with view:
        while True:
            if interrupts and not stopping:
                stopping = True
                control.stop(store, run_id)
                view.say("Saving a checkpoint, then stopping. Ctrl-C again to detach.")
            now = time.monotonic()
            if now - checked >= _LIVENESS_SECONDS:
                checked = now
                liveness.refresh(store)
            seen = store.data_version()
            # this process's own writes do not count as changes
            if seen != version or now == checked:
                version = seen
                run = store.run(run_id)
                metrics = store.metrics(run_id, CURVES, after=cursor)
                cursor = max([cursor, *(metric.id for metric in metrics)])
                for line in warnings.read():
                    view.say(f"Warning: {line}")
                if (waits := waiting_for(run)) and waits != told:
                    told = waits
                    view.say(f"Waiting: {waits}.")
                view.show(run, metrics)
            if run.status not in ACTIVE or len(interrupts) > 1:
                return run
            time.sleep(_LOOK_SECONDS)


def tell_ending(run: Run, *, interrupted: bool, as_json: bool) -> None:
    """Print how the run ended, its results, and what to do next."""
    label = f"Run {run.id} {run.name}"
    if run.status in ACTIVE:
        say(f"{label} saves its checkpoint and stops on its own; you can close this terminal.")
        return
    if run.status in (Status.FAILED, Status.CRASHED):
        say(f"{label} {run.status}: {run.error or ''}")
        if run.error_hint:
            say(run.error_hint)
        return
    took = numbers.duration((run.ended_at or 0.0) - (run.started_at or 0.0))
    say(f"{label} {run.status} after {took}{', but diverged' if diverged(run) else ''}.")
    if run.status == Status.STOPPED:
        say(f"Continue it: mlm-workbench resume {run.id}")
    if not as_json and run.baseline_perplexity is not None:
        test, before = numbers.perplexity(run.eval_perplexity), numbers.perplexity(run.baseline_perplexity)
        untrained = untrained_base(run.recipe, run.engine)
        print(f"Test perplexity {test}, before training {before}{untrained and f' ({untrained})'}.")
    if not as_json and run.checkpoint:
        print(f"Model: {run.checkpoint}")
        sentence = printable(str(run.data.get("sample") or "")) or "The [MASK] is returned."
        print(f"Try it: mlm-workbench fill --run {run.id} {shlex.quote(sentence)}")


def exit_code(run: Run, *, interrupted: bool) -> int:
    """0 finished; 130 stopped or detached by Ctrl-C; 1 otherwise."""
    if run.status == Status.FINISHED:
        return 0
    return INTERRUPTED if interrupted and run.status in {*ACTIVE, Status.STOPPED} else 1


class _Warnings:
    """The warnings that a worker logs from now on."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._at = log.stat().st_size if log.exists() else 0

    def read(self) -> list[str]:
        try:
            with self._log.open("rb") as file:
                file.seek(self._at)
                new = file.read()
        except OSError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        lines = whole.decode("utf-8", errors="replace").splitlines()
        return [line.split(" WARNING ", 1)[1].strip() for line in lines if " WARNING " in line[:25]]
