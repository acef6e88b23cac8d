"""A journal's writers and readers are killed at any byte and statement: nothing is lost or applied twice."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from workbench.journal.lines import Kind, decode, numbers
from workbench.journal.lines import file_of as journal_file
from workbench.processes import process_exists
from workbench.recipe import Recipe
from workbench.store import Store

from .conftest import thorough, wait_until
from .nursery import Nursery

KILLS = thorough(full=100, short=12)


def written_steps(folder: Path) -> list[int]:
    """The steps of all whole lines, in the order in which they were written."""
    found = []
    for number in numbers(folder):
        lines = journal_file(folder, number).read_bytes().split(b"\n")[:-1]
        records = [decode(line) for line in lines]
        found += [record["rows"][0][0] for record in records if record["kind"] == Kind.METRICS]
    return found


def test_readers_and_writers_killed_at_random(store: Store, tiny: Recipe, nursery: Nursery) -> None:
    seed = int(os.environ.get("MLM_WORKBENCH_FAULTS_SEED", time.time_ns() % 2**32))
    draw = random.Random(seed)
    print(f"seed {seed}: MLM_WORKBENCH_FAULTS_SEED brings the same kills again")
    run = store.create_run(tiny)
    folder = Path(run.folder)
    folder.mkdir(parents=True)
    names = {"id": run.id, "created_at": run.created_at}

    def wait_for(pids: list[int]) -> None:
        wait_until(lambda: not any(process_exists(pid) for pid in pids), "the end of a process")

    def ingested() -> list[int]:
        return [metric.step for metric in store.metrics(run.id, ["train/loss"])]

    for _ in range(KILLS):
        first = max(written_steps(folder), default=0) + 1
        die_after = draw.choice([draw.randint(1, 400), draw.randint(400, 20_000)])
        pids = [nursery.start("write_journal_and_die", str(folder), names, first, die_after)]
        for _ in range(2):  # two at once, while the writer writes
            die_at = draw.randint(1, 30)
            pids.append(nursery.start("read_journal_and_die", store.url, run.id, die_at))
        wait_for(pids)
        seen = ingested()
        assert seen == written_steps(folder)[: len(seen)]
    assert store.integrity_problems() == []
    store.journals.ingest(run.id)
    assert ingested() == written_steps(folder)
    assert store.run(run.id).step in (written_steps(folder)[-1], written_steps(folder)[-1] - 1)
    assert store.journals.trouble(run.id) is None
