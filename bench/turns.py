"""Training loops in processes of their own that take turns, so that a noisy machine is noisy for all of them.

Each side runs its own, real loop. Before every step it passes a turnstile, which lets it through for as many
steps as the parent granted and answers with the seconds they took; until it is its turn again it waits and
uses no processor. Being alone in its process, a side has its own memory peak, allocator and thread pool.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

ROOT = Path(__file__).resolve().parent.parent


class Enough(Exception):
    """Raised inside a loop when the parent has seen enough of it."""


class Turnstile:
    """The child's end. `synchronize` waits for a device that works in the background.

    `last_words`: facts to give at the end.
    """

    def __init__(
        self,
        synchronize: Callable[[], None] = lambda: None,
        last_words: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        # Libraries print on standard output: the answers get a file of their own, prints go to the log.
        self._answers: TextIO = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self.synchronize, self._last_words = synchronize, last_words
        self.facts: dict[str, Any] = {}
        self._left = 0
        self._began: float | None = None

    def before_step(self) -> None:
        """Call it before every step. Waits for a turn when the last one is used up; raises Enough."""
        if self._left == 0:
            if self._began is not None:
                self.synchronize()
                self._answer({"seconds": time.perf_counter() - self._began})
            self._wait()
        self._left -= 1

    def _wait(self) -> None:
        command = sys.stdin.readline().strip()
        if not command:
            self._answer({"peak_bytes": peak_memory(), **self.facts, **self._last_words()})
            raise Enough
        self._left = int(command)
        self.synchronize()
        self._began = time.perf_counter()

    def _answer(self, values: dict[str, Any]) -> None:
        self._answers.write(json.dumps(values) + "\n")


@dataclass(frozen=True)
class Turn:
    """Seconds that a turn took, and the share of the machine's processors that others used meanwhile.

    `cpu_seconds`: what the side itself used, over all its threads and processes.
    """

    seconds: float
    disturbance: float
    cpu_seconds: float


class Side:
    """The parent's end: a loop in a process of its own. `arguments`: what follows `python`."""

    def __init__(self, name: str, arguments: Sequence[str], folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name.replace(' ', '-')}.log"
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=environment,
                text=True,
            )

    def turn(self, steps: int) -> Turn:
        """Let it take that many steps. Raises RuntimeError when it has died."""
        before = self._own_cpu(), _all_cpu(), time.monotonic()
        seconds = float(self._ask(f"{steps}\n")["seconds"])
        own, everyone, wall = (
            self._own_cpu() - before[0],
            _all_cpu() - before[1],
            time.monotonic() - before[2],
        )
        return Turn(seconds, max(0.0, everyone - own) / (wall * (os.cpu_count() or 1)), own)

    def _own_cpu(self) -> float:
        """Processor seconds of the side and of what it started."""
        side = psutil.Process(self._process.pid)
        total = 0.0
        for process in (side, *side.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def end(self) -> dict[str, Any]:
        """Let it go: its peak memory in bytes, and what else it has to say."""
        answer = self._ask("\n")
        self._process.communicate(timeout=120)
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            tail = self._log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} has ended by itself (exit {self._process.wait()}):\n{tail}")
        return dict(json.loads(answer))


def _all_cpu() -> float:
    """Processor seconds of everything on the machine, since it was started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def run_once(arguments: Sequence[str], folder: Path, name: str) -> dict[str, Any]:
    """Run a child that prints one JSON object as its last line. Raises RuntimeError."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with (folder / f"{name}.log").open("w+b") as log:
        done = subprocess.run(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env=environment,
            text=True,
        )
        if done.returncode:
            log.seek(0)
            raise RuntimeError(f"{name} failed:\n{log.read().decode(errors='replace')[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def peak_memory() -> int:
    """Bytes of memory this process held at its peak.

    On Linux from /proc: ru_maxrss would be the parent's, if that was larger when it started this process.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
