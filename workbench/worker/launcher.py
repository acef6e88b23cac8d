"""Starts a run's processes with torchrun's agent: python -m workbench.worker.launcher --processes N --run ID

The agent ends all of them when one dies; then this process records in the store which one died, and how.
Signals that ask for a stop are forwarded to the processes, which save a checkpoint together.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

import psutil

from workbench.errors import WorkbenchError
from workbench.processes import is_same_process, own_identity
from workbench.status import Status
from workbench.store import Run, Store
from workbench.worker.death import death_of, remember_exit
from workbench.worker.leash import name_launcher
from workbench.worker.liveness import with_last_lines
from workbench.worker.rank import LOST
from workbench.worker.setup import set_up_process

log = logging.getLogger("workbench.worker.launcher")  # when run as a program, the module's name is __main__

MODULE = "workbench.worker.launcher"
_SETTINGS = {
    "TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE": "process ${rank}: ",
    "LOGLEVEL": "CRITICAL",  # this process reports the agent's errors itself
    "PYTHONSAFEPATH": "1",  # a file in the current folder must not shadow a module of the standard library
    "GLOO_SOCKET_IFNAME": "lo",  # one machine: nothing goes over a network
}


def main(arguments: Sequence[str]) -> int:
    """Run the launcher. Returns 0 when all processes succeeded, 1 otherwise."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--db", help="path or URL of the database; else MLM_WORKBENCH_DB")
    parser.add_argument("--run", type=int, required=True, help="id of a queued run")
    parser.add_argument("--processes", type=int, required=True, help="how many to start")
    options = parser.parse_args(arguments)
    set_up_process()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _pass_on)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    name_launcher()
    for name, value in _SETTINGS.items():
        if name != "GLOO_SOCKET_IFNAME" or sys.platform.startswith("linux"):
            os.environ.setdefault(name, value)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // options.processes)))
    began = own_identity().worker_started_at
    try:
        failures = _run(options.processes, options.run, options.db)
        if failures:
            _tell(options.db, options.run, options.processes, failures, began)
    except WorkbenchError as error:
        log.error("%s", error)
        return 1
    return 1 if failures else 0


def _run(processes: int, run_id: int, db: str | None) -> Mapping[int, Any]:
    """Start the processes and wait for them. Returns torchrun's ProcessFailure for each failed process."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import get_args_parser
    from torch.distributed.run import run as torchrun

    # the output of the other processes goes through files, with their rank before each line
    scratch = tempfile.mkdtemp(prefix="mlm-workbench-ranks-")
    parser = get_args_parser()
    parser.allow_abbrev = False  # the worker's --run must not be read as torchrun's --run-path
    command = ["--standalone", "--nproc-per-node", str(processes), "--max-restarts", "0"]
    command += ["--local-addr", "127.0.0.1", "--log-dir", scratch]
    command += ["--tee", ",".join(f"{rank}:3" for rank in range(1, processes))]
    if "--signals-to-handle" in parser.format_help():  # older ones end their processes within 30 s
        command += ["--signals-to-handle", "SIGQUIT"]
    command += ["-m", "workbench.worker", "--run", str(run_id), *(("--db", db) if db else ())]
    try:
        torchrun(parser.parse_args(command))
    except ChildFailedError as error:
        return dict(error.failures)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {}


def _pass_on(number: int, frame: FrameType | None) -> None:
    for child in psutil.Process().children():
        try:
            child.send_signal(signal.SIGTERM)
        except psutil.Error:
            continue


def _tell(db: str | None, run_id: int, processes: int, failures: Mapping[int, Any], began: float) -> None:
    """Record how a run ended whose leading process could not record it."""
    rank, failure = _cause(failures)
    store = Store.open(db)
    try:
        run = store.run(run_id)
        ending = _ending(run, rank, processes, failure, began)
        log.error("%s %s", ending["error"], ending["error_hint"])
        alive = run.worker_pid is not None and is_same_process(run.worker_pid, run.worker_started_at or 0.0)
        ours = run.worker_pid == os.getpid()  # no process had claimed it yet
        if run.status in (Status.QUEUED, Status.RUNNING, Status.CRASHED) and (ours or not alive):
            ending["error"] = with_last_lines(ending["error"], run)
            store.change_status(run_id, {run.status}, **ending, ended_at=time.time())
    finally:
        store.close()


def _cause(failures: Mapping[int, Any]) -> tuple[int, Any]:
    """The process that failed first; the others ended because of it."""
    by_itself = {
        rank: failure for rank, failure in failures.items() if failure.exitcode not in (LOST, -signal.SIGTERM)
    }
    rank = min(by_itself or failures, key=lambda rank: (failures[rank].exitcode >= 0, rank))
    return rank, failures[rank]


def _ending(run: Run, rank: int, processes: int, failure: Any, began: float) -> dict[str, str]:
    which = f"Process {rank} of {processes}"
    resume = f"`mlm-workbench resume {run.id}` continues from its last checkpoint."
    words = failure.message
    if isinstance(words, dict):
        hint = str(words.get("extraInfo", {}).get("hint") or "")
        error = f"{which} failed: {words.get('message')}"
        return {"status": Status.FAILED, "error": error, "error_hint": hint or resume}
    remember_exit(failure.pid, began, failure.exitcode)
    death = death_of(failure.pid, began, run.environment.get("oom_kills"))
    error = f"{which} (pid {failure.pid}) died: {death.how}."
    return {"status": Status.CRASHED, "error": error, "error_hint": f"{death.advice} {resume}".strip()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
