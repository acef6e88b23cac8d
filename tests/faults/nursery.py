"""Processes that have PyTorch imported already: one can be killed every second rather than every ten.

A nursery is a process that loads what a worker needs, and then forks: each child does what it is told, as the
process that would have been started for it, and can be killed like it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]


class Nursery:
    """The parent of processes that are to be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
        )

    def start(self, what: str, *arguments: Any, **environment: str) -> int:
        """The pid of a new child that does `what`, the name of one of the functions below.

        It has the environment and the umask that a child of this process would have.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        os.umask(umask := os.umask(0))
        order = [what, arguments, {**os.environ, **environment}, umask]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def work(database: str, run_id: int, log: str) -> int:
    """What `python -m workbench.worker` does."""
    from workbench.worker.entry import main
    from workbench.worker.stop_flag import StopFlag

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    stop = StopFlag()
    stop.listen_to_signals()
    return main(["--db", database, "--run", str(run_id)], stop)


def work_in_job(folder: str, log: str) -> int:
    """What `python -m workbench.worker --folder FOLDER` does; its exit code goes into a file."""
    from workbench.worker.entry import main
    from workbench.worker.stop_flag import StopFlag

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    stop = StopFlag()
    stop.listen_to_signals()
    code = main(["--folder", folder], stop)
    (Path(folder) / "exit-code").write_text(str(code))
    return code


def work_until_the_gpu_fails(database: str, run_id: int, log: str, at: int) -> int:
    """A worker whose device is gone at a step, as PyTorch tells it."""
    import torch

    from workbench.training.step import Stepper

    take = Stepper.take

    def take_or_fail(self: Any, step: Any, state: Any) -> Any:
        if step.number == at:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure\nSearch the manual.")
        return take(self, step, state)

    Stepper.take = take_or_fail  # type: ignore[method-assign]
    return work(database, run_id, log)


def work_while_the_clock_jumps(database: str, run_id: int, log: str) -> int:
    """A worker whose time of day is set a week on, and two years back, and right again.

    It is its own `time.time` that jumps: more cannot be set without setting the machine's clock.
    """
    import time

    from workbench.training.step import Stepper

    take, real = Stepper.take, time.time
    jumps = {5: 7 * 86400.0, 15: -2 * 365 * 86400.0, 30: 0.0}
    offset = 0.0

    def take_after_jump(self: Any, step: Any, state: Any) -> Any:
        nonlocal offset
        if step.number in jumps:
            offset = jumps[step.number]
            time.sleep(1.5)  # a heartbeat falls into each
        return take(self, step, state)

    Stepper.take = take_after_jump  # type: ignore[method-assign]
    time.time = lambda: real() + offset
    return work(database, run_id, log)


def open_and_die(database: str, die_at: int) -> int:
    """Open a store, and be killed before its database is given statement number `die_at`."""
    from sqlalchemy import Engine, event

    from workbench.store import Store

    count = 0

    def kill(*_: object) -> None:
        nonlocal count
        count += 1
        if count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", kill)
    Store.open(database).close()
    return 0


def read_journal_and_die(database: str, run_id: int, die_at: int) -> int:
    """Take a run's journal into the store, and be killed before statement or commit number `die_at`."""
    from sqlalchemy import Engine, event

    from workbench.store import Store

    store = Store.open(database)
    count = 0

    def kill(*_: object) -> None:
        nonlocal count
        count += 1
        if count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for what in ("before_cursor_execute", "commit"):
        event.listen(Engine, what, kill)
    store.journals.ingest(run_id)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def write_journal_and_die(folder: str, run: dict[str, Any], first: int, die_after: int) -> int:
    """Write a journal, a step at a time from `first` on; be killed within the bytes after `die_after`."""
    from workbench.journal import writer
    from workbench.journal.lines import Kind

    left, write = die_after, os.write

    def write_and_die(file: int, data: bytes) -> int:
        nonlocal left
        written = write(file, data[:left])
        left -= written
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    writer.os.write = write_and_die  # type: ignore[assignment]
    journal = writer.Writer(Path(folder), run, 0)
    for step in range(first, first + 100_000):
        journal.add(Kind.METRICS, segment=0, rows=[[step, step / 10, {"train/loss": float(step)}]])
        journal.add(Kind.COLUMNS, values={"step": step})
        journal.flush()
    return 1


def _serve() -> None:
    from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast  # noqa: F401

    import workbench.inference.resolve
    import workbench.journal.writer
    import workbench.store.migrate
    import workbench.training.engine
    import workbench.worker.entry  # noqa: F401

    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        what, arguments, environment, umask = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.umask(umask)
            os.environ.clear()
            os.environ.update(environment)
            os._exit(globals()[what](*arguments))
        print(child, flush=True)


def _reap(number: int, frame: FrameType | None) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    _serve()
