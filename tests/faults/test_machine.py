"""The machine fails: no memory, no GPU, a clock that jumps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store
from workbench.training import checkpoint
from workbench.worker import death, launch, liveness
from workbench.worker.explain import explain

from .conftest import begin, is_over, wait_for, wait_for_end, wait_until

Ordering = Callable[..., AbstractContextManager[None]]
LITTLE = 96 << 20
CGROUPS = ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max"))


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group in which a process may have 96 MB, less than PyTorch needs."""
    for root, limit in CGROUPS:
        group = root / f"mlm-workbench-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / limit).write_text(str(LITTLE))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        yield group
        wait_until(lambda group=group: not (group / "cgroup.procs").read_text(), "the group's end")  # type: ignore[misc]
        group.rmdir()
        return
    pytest.skip("no control group may be made here")


def test_killed_by_the_kernel_for_want_of_memory(store: Store, tiny: Recipe, little_memory: Path) -> None:
    run = launch.start(store, tiny, "too big")
    (little_memory / "cgroup.procs").write_text(str(run.worker_pid))
    run = wait_for_end(store, run.id)
    assert run.status == Status.CRASHED and run.error is not None
    first = run.error.splitlines()[0]
    assert re.search(
        r"the kernel killed it, out of memory|killed by signal 9, likely out of memory", first
    ), first
    assert "batch_size" in (run.error_hint or "") and f"resume {run.id}" in (run.error_hint or "")


def test_killed_by_somebody_it_is_not_called_out_of_memory(
    store: Store, tiny: Recipe, from_nursery: Ordering
) -> None:
    run_id = begin(store, tiny.with_changes(epochs=10_000, max_steps=20_000))
    run = wait_for(store, run_id, lambda run: (run.step or 0) > 0)
    kills = death.oom_kills()
    assert run.environment["oom_kills"] == kills
    assert run.worker_pid is not None
    os.kill(run.worker_pid, 9)
    crashed = wait_for_end(store, run_id)
    if death.oom_kills() == kills:  # no other process was killed meanwhile
        assert "not by the kernel's out-of-memory killer" in (crashed.error or "")
        assert "batch_size" not in (crashed.error_hint or "")


def test_the_exit_code_is_told_where_it_is_known() -> None:
    death.remember_exit(2**22 - 5, 1.0, -11)
    death.remember_exit(2**22 - 6, 1.0, 3)
    assert death.death_of(2**22 - 5, 1.0, None).how == "killed by signal 11 (SIGSEGV)"
    assert death.death_of(2**22 - 6, 1.0, None).how == "it ended with exit code 3"
    assert "perhaps" in death.death_of(2**22 - 7, 1.0, None).how


def test_a_gpu_that_is_lost(store: Store, tiny: Recipe, from_nursery: Ordering) -> None:
    whole = wait_for_end(store, begin(store, tiny, "whole"))
    with from_nursery("work_until_the_gpu_fails", 13):
        run_id = begin(store, tiny, "lost its gpu")
        run = wait_for_end(store, run_id)
    assert run.status == Status.FAILED and run.phase == "training"
    assert run.error == "The GPU or its driver failed: CUDA error: unspecified launch failure"
    assert "last checkpoint is kept" in (run.error_hint or "") and "nvidia-smi" in (run.error_hint or "")
    saved = checkpoint.whole_checkpoints(Path(run.folder))
    assert saved[-1].name == "step-00000010" and checkpoint.damage(saved[-1]) == ""
    launch.resume(store, run_id)
    run = wait_for_end(store, run_id)
    assert run.status == Status.FINISHED and run.eval_perplexity == whole.eval_perplexity


def test_errors_of_memory_and_devices_in_a_persons_words(tmp_path: Path) -> None:
    said = {
        "The GPU is out of memory.": type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."),
        "The machine has no memory left for this run.": RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried to"
        ),
        "The machine has no memory left for this run. ": RuntimeError("could not create a primitive"),
        "The GPU or its driver failed: CUDA driver initialization failed": RuntimeError(
            "CUDA driver initialization failed"
        ),
        f"The disk is full: {tmp_path}.": ValueError("I/O error: No space left on device (os error 28)"),
        "RuntimeError: something else": RuntimeError("something else\nat length"),
    }
    for message, error in said.items():
        assert explain(error, tmp_path)["error"] == message.strip()
    try:
        try:
            raise OSError(28, "No space left on device", "/data/x")
        except OSError as cause:
            raise RuntimeError("the writer failed") from cause
    except RuntimeError as error:
        assert explain(error, tmp_path)["error"] == "The disk is full: /data/x."


@pytest.mark.parametrize("megabytes", [400, 600])
def test_a_command_without_memory_says_so(megabytes: int, tmp_path: Path) -> None:
    """Too little to load the libraries with."""
    limited = (
        f"ulimit -v {megabytes << 10}; exec {sys.executable} -P -m workbench fill --model starter 'a [MASK]'"
    )
    done = subprocess.run(["bash", "-c", limited], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "too little memory" in done.stderr


def test_a_clock_that_jumps(store: Store, tiny: Recipe, from_nursery: Ordering) -> None:
    whole = wait_for_end(store, begin(store, tiny, "whole"))
    with from_nursery("work_while_the_clock_jumps"):
        run_id = begin(store, tiny, "jumped")
    seen = set()
    while not is_over(run := store.run(run_id)):
        liveness.refresh(store)
        liveness.stalled(run)
        seen.add(run.status)
        time.sleep(0.05)
    assert run.status == Status.FINISHED, run.error
    assert Status.CRASHED not in seen
    for name in ("train/loss", "eval/perplexity"):
        figures = [[(m.step, m.value) for m in store.metrics(one, [name])] for one in (run_id, whole.id)]
        assert figures[0] == figures[1]
    assert (run.started_at or 0) > 0 and (run.tokens_per_second or 0) > 0
