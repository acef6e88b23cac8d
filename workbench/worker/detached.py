"""Starts a detached process that outlives this one and writes its output to a log."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.errors import StoreError
from workbench.private import file_mode
from workbench.processes import Identity, identity_of
from workbench.store import Store
from workbench.store.engine import VARIABLE
from workbench.store.run_folders import VARIABLE as RUNS_VARIABLE
from workbench.worker.death import remember_exit
from workbench.worker.rank import forget_rank


def start_detached(
    store: Store,
    module: str,
    arguments: Sequence[str] = (),
    *,
    log: Path,
    working_folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Identity:
    """Run `python -m module --db … arguments` in its own session. Raises StoreError."""
    # -P: a file in the current folder must not shadow a module of the standard library
    command = [sys.executable, "-P", "-u", "-m", module, *arguments]
    # Threads that spin while they wait slow a shared machine to a crawl: two trainings on two cores run at
    # a twentieth of their speed. The variable must be set before PyTorch is loaded.
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **(environment or {})}
    forget_rank(variables)
    if store.database.backend.file is None:
        # Everybody on the machine can read a command line, and a server's URL may hold secrets.
        variables |= {VARIABLE: store.url, RUNS_VARIABLE: str(store.runs_folder)}
    else:
        command += ["--db", store.url]
    output = _open_log(log)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=working_folder,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        raise StoreError(
            f"Cannot start the worker: {error.strerror}.", "Is the machine out of memory?"
        ) from error
    finally:
        os.close(output)
    identity = identity_of(process.pid)
    # Without a wait the process would remain a zombie for as long as this one lives.
    threading.Thread(target=_await, args=(process, identity), daemon=True, name=f"await-{module}").start()
    return identity


def cannot_be_written(folder: Path, error: OSError) -> StoreError:
    """The error for a run's folder that cannot be created or written."""
    return StoreError(
        f"Cannot write the run's folder {folder}: {error.strerror}.",
        "Make room or change its permissions, or keep the database elsewhere with --db PATH.",
    )


def _open_log(log: Path) -> int:
    try:
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, file_mode())
    except OSError as error:
        raise cannot_be_written(log.parent, error) from error


def _await(process: subprocess.Popen[bytes], identity: Identity) -> None:
    remember_exit(identity.worker_pid, identity.worker_started_at, process.wait())
