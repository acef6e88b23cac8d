"""How quick and how quiet the screens are, in a real terminal of 80x24 (a pty), with much in the store.

python -m bench.screens [--runs 10000] [--metrics 1000000] [--seconds 20]

Prints: from the start of the program to the first screen, to the list in it, and with an empty store; the
time from a key to the first byte of its answer, while a run streams; CPU and bytes of an idle screen, of the
list and of the live screen of a run that streams 10 steps a second. About two minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import math
import os
import pty
import random
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import insert

from workbench.processes import identity_of
from workbench.recipe import PRESETS
from workbench.store import MetricValue, Store
from workbench.store.tables import Metric, Run

WIDTH, HEIGHT = 80, 24
KEYS = {
    "down": "jjk",
    "page": "\x04\x15",
    "ends": "Gg",
    "mark": " k k",
    "columns": "lh",
    "other order": "SS",
    "mark all, none": "MM",
}
"""What is pressed, by what it does. Each of them changes something on the screen."""
STREAMED = 10
"""Steps a second of the run that goes."""


def fill(store: Store, runs: int, metrics: int) -> None:
    """Finished runs, with `metrics` values between them."""
    rng, now, per_run = random.Random(0), time.time(), metrics // runs
    recipe = PRESETS["starter"].model_dump(mode="json")
    rows: list[dict[str, Any]] = []
    for number in range(1, runs + 1):
        perplexity = rng.uniform(40, 140)
        rows.append(
            {
                "id": number,
                "name": f"sweep-{number:05}",
                "status": "finished",
                "recipe": {**recipe, "chunk_size": rng.choice((64, 128, 256))},
                "tags": ["law"] if number % 5 == 0 else [],
                "created_at": now - 10 * (runs - number) - 2000,
                "started_at": now - 2000,
                "ended_at": now - rng.uniform(0, 1000),
                "epoch": 3.0,
                "step": 4 * per_run,
                "total_steps": 4 * per_run,
                "baseline_perplexity": 3500.0,
                "eval_perplexity": perplexity,
                "best_eval_perplexity": perplexity,
                "environment": {"packages": "x" * 800},
            }
        )
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Run.model_fields.items()
        if not field.is_required()
    }
    with store.database.engine.begin() as connection:
        connection.execute(insert(Run), [{**defaults, **row} for row in rows])
        for number in range(1, runs + 1):
            connection.execute(insert(Metric), list(_values(number, per_run, now)))


def _values(run_id: int, count: int, now: float) -> Iterator[dict[str, Any]]:
    for i in range(count):
        is_test = i % 20 == 0
        yield {
            "run_id": run_id,
            "segment": 0,
            "name": "eval/perplexity" if is_test else "train/loss",
            "step": 4 * i,
            "epoch": i / 33,
            "value": 40 + 3400 * math.exp(-i / 20) if is_test else 4 + math.exp(-i / 20),
            "at": now,
            "superseded": False,
        }


class Streaming:
    """A run that goes: a process that stands for its worker, and a thread that writes what it measures."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended = threading.Event()
        self._worker = subprocess.Popen(["sleep", "3600"])
        run = store.create_run(PRESETS["starter"], name="streaming")
        self.run_id = run.id
        store.update_run(
            run.id,
            status="running",
            phase="training",
            started_at=time.time(),
            total_steps=100_000,
            baseline_perplexity=3500.0,
            **identity_of(self._worker.pid).columns(),
        )
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Streaming:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._worker.kill()
        self._worker.wait()

    def _write(self) -> None:
        step = 0
        while not self._ended.wait(1 / STREAMED):
            step += 1
            loss = 4 + 4 * math.exp(-step / 200) + 0.1 * math.sin(step)
            values = [
                MetricValue("train/loss", step, step / 148, loss),
                MetricValue("speed/tokens_per_second", step, step / 148, 20_000 + 500 * math.sin(step)),
            ]
            if step % 50 == 0:
                values.append(MetricValue("eval/perplexity", step, step / 148, math.exp(loss)))
                self._store.update_run(self.run_id, eval_perplexity=math.exp(loss))
            self._store.add_metrics(self.run_id, 0, values)
            self._store.update_run(
                self.run_id,
                step=step,
                epoch=step / 148,
                progress_done=step,
                progress_total=100_000,
                progress_unit="steps",
                heartbeat_at=time.time(),
                progress_at=time.time(),
                tokens_per_second=20_000.0,
            )


class Terminal:
    """The program in a pty. Nothing answers its questions to the terminal, as over the plainest of links."""

    def __init__(self, database: Path) -> None:
        self._main, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "--db", str(database)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "", "COLUMNS": "", "LINES": ""},
        )
        os.close(inner)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            self.send("\x11")
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._main)

    def send(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds; returns at the first that comes. b"": nothing came."""
        ready, _, _ = select.select([self._main], [], [], max(seconds, 0.0))
        return os.read(self._main, 65536) if ready else b""

    def read_for(self, seconds: float) -> bytes:
        """All that comes in so many seconds."""
        end, came = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            came += self.read(left)
        return came

    def seconds_until(self, text: str, patience: float = 60.0) -> float:
        """Seconds from the start of the program until `text` was drawn."""
        came = b""
        while text.encode() not in came:
            came += self.read(1.0)
            if time.perf_counter() - self.began > patience:
                raise TimeoutError(f"{text!r} was not drawn within {patience:.0f} s.")
        return time.perf_counter() - self.began

    def seconds_to_answer(self, key: str) -> float:
        """Seconds from a key to the first byte of what it changes."""
        began = time.perf_counter()
        self.send(key)
        self.read(5.0)
        return time.perf_counter() - began

    def load(self, seconds: float) -> tuple[float, float]:
        """Share of a core, and bytes a second to the terminal."""
        process = psutil.Process(self._process.pid)
        before, began = process.cpu_times(), time.perf_counter()
        came = self.read_for(seconds)
        after, took = process.cpu_times(), time.perf_counter() - began
        used = after.user + after.system - before.user - before.system
        return used / took, len(came) / took


def first_screens(full: Path, empty: Path, newest: str) -> dict[str, float]:
    """Seconds to the first screen; the best of three warm starts each."""
    found: dict[str, list[float]] = {"to the first screen": [], "to the list": [], "with an empty store": []}
    for _ in range(4):
        with Terminal(full) as terminal:
            found["to the first screen"].append(terminal.seconds_until("opening the database"))
            found["to the list"].append(terminal.seconds_until(newest))
        with Terminal(empty) as terminal:
            found["with an empty store"].append(terminal.seconds_until("new run: the form"))
    return {name: min(times[1:]) for name, times in found.items()}


def key_latencies(terminal: Terminal, rounds: int) -> dict[str, list[float]]:
    """Seconds to the answer of each of many keys, pressed with irregular pauses."""
    rng = random.Random(0)
    times: dict[str, list[float]] = {what: [] for what in KEYS}
    for _ in range(rounds):
        for what, keys in KEYS.items():
            for key in keys:
                terminal.read_for(rng.uniform(0.08, 0.2))
                times[what].append(terminal.seconds_to_answer(key))
    return times


def measure(runs: int, metrics: int, seconds: float, folder: Path) -> None:
    """All of it, in `folder`; each figure is printed as it comes."""
    full, empty = folder / "full.db", folder / "empty.db"
    Store.open(empty).close()
    store = Store.open(full)
    fill(store, runs, metrics)
    print(f"{runs:,} runs, {metrics:,} metric rows, {WIDTH}x{HEIGHT}")
    for name, value in first_screens(full, empty, f"sweep-{runs:05}").items():
        print(f"{name}: {value:.2f} s", flush=True)
    with Terminal(full) as terminal:
        terminal.seconds_until(f"sweep-{runs:05}")
        terminal.read_for(8)  # what was read page by page has been read whole by then
        _print_load("idle list", *terminal.load(seconds))
    with Streaming(store), Terminal(full) as terminal:
        terminal.seconds_until("streaming")
        terminal.read_for(3)
        by_key = key_latencies(terminal, 12)
        _print_latency("key to answer while a run streams", [t for times in by_key.values() for t in times])
        for what, times in by_key.items():
            _print_latency(f"  {what}", times)
        _print_load("list, a run streams", *terminal.load(seconds))
        terminal.send("\x1bg\r")
        terminal.read_for(4)
        _print_load("live screen", *terminal.load(seconds))
    store.close()


def _print_latency(what: str, times: list[float]) -> None:
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(
        f"{what}: p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms, most {1000 * max(times):.0f} ms",
        flush=True,
    )


def _print_load(what: str, cpu: float, sent: float) -> None:
    print(f"{what}: {100 * cpu:.1f} % of a core, {sent:,.0f} bytes/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each idle measurement")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(chosen.runs, chosen.metrics, chosen.seconds, Path(folder))


if __name__ == "__main__":
    main()
