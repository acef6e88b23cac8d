"""Slurm, through its own commands: sbatch, squeue, scancel, scontrol, and sacct where it answers.

Text output alone: the JSON of these commands differs between versions of Slurm.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from workbench.engines.protocol import EngineError, EngineSilentError, JobState, Stand
from workbench.engines.slurm_words import ending_in_words, reason_in_words, stand_of
from workbench.text import printable

_PATIENCE = 60.0
"""Seconds for one command. squeue gives up after 9 by itself when slurmctld is gone."""
_FIELDS = "%i|%T|%S|%P|%N|%r"
"""Of squeue: job, state, start, partition, nodes, reason. The reason is last: it may hold anything."""
_SILENT = re.compile(
    "unable to contact slurm|connection refused|connection timed out|communication|socket timed out|"
    "resource temporarily unavailable|slurm backup controller|munge|zero bytes were transmitted|"
    "lookup failure|no route to host",
    re.IGNORECASE,
)
"""What the commands say when the controller cannot be reached, of whatever version."""
_UNKNOWN = re.compile("invalid job id|already completing or completed|already finished", re.IGNORECASE)
_CONFUSING = ("SQUEUE_", "SCANCEL_", "SACCT_", "SCONTROL_")
"""Variables by which a person changes what the commands print or whom they ask before they act."""


class Slurm:
    """The engine of the cluster that this machine belongs to."""

    def submit(self, script: Path) -> str:
        return _id_of(_run(["sbatch", "--parsable", script.name], script.parent))

    def check(self, script: Path) -> str:
        # it answers on standard error
        return _run(["sbatch", "--test-only", script.name], script.parent, both=True)

    def look(self, jobs: Collection[str]) -> Mapping[str, JobState]:
        if not jobs:
            return {}
        mine = ["squeue", "--noheader", "--array", "--states=all", f"--user={os.getuid()}"]
        rows = _rows(_run([*mine, f"--format={_FIELDS}"]), 6)
        known = {row[0]: row for row in rows if row[0] in jobs}
        waiting = [row for row in known.values() if stand_of(row[1]) is Stand.WAITING]
        places = _places(waiting)
        found = {job: _state(row, places.get(job.partition("_")[0])) for job, row in known.items()}
        return found | _forgotten(set(jobs) - set(found))

    def stop(self, job: str) -> None:
        # Two commands that each look at the state: it may begin to run at any moment.
        _run(["scancel", "--state=PENDING", job], known_only=False)
        _run(["scancel", "--signal=TERM", "--state=RUNNING", job], known_only=False)

    def cancel(self, job: str) -> None:
        _run(["scancel", job], known_only=False)

    def requeue(self, job: str) -> None:
        _run(["scontrol", "requeue", job])


def require_installed() -> None:
    """Raises EngineError where jobs cannot be submitted from this machine."""
    if not is_installed():
        raise _no_command("sbatch")


def is_installed() -> bool:
    """Whether this machine has the command by which jobs are submitted."""
    return shutil.which("sbatch") is not None


def _no_command(name: str) -> EngineError:
    return EngineError(
        f"There is no command {name} on this machine.",
        "Run it on a login node of the cluster, or put Slurm's commands on the PATH.",
    )


def _run(
    command: Sequence[str], folder: Path | None = None, *, both: bool = False, known_only: bool = True
) -> str:
    """What a command prints. `known_only`: whether a job that is over by now is an error."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith(_CONFUSING)}
    variables["SLURM_TIME_FORMAT"] = "standard"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except FileNotFoundError as error:
        raise _no_command(command[0]) from error
    except subprocess.TimeoutExpired as error:
        raise EngineSilentError(f"{command[0]} did not answer within {_PATIENCE:.0f} s.") from error
    if done.returncode == 0:
        return (done.stdout + done.stderr if both else done.stdout).strip()
    said = _said(command[0], done.stderr or done.stdout)
    if _SILENT.search(said):
        raise EngineSilentError(f"Slurm does not answer: {said}")
    if not known_only and _UNKNOWN.search(said):
        return ""
    raise EngineError(f"Slurm refused ({command[0]}): {said}", _hint(said))


def _said(name: str, text: str) -> str:
    """The first lines of an error, without the command's name before each."""
    lines = [printable(line).strip() for line in text.splitlines()]
    bare = [re.sub(rf"^{name}: (error: )?", "", line) for line in lines if line]
    return "; ".join(bare[:3]) or "no reason given"


def _hint(said: str) -> str:
    lower = said.lower()
    if "config" in lower and "node configuration" not in lower:
        return "This machine belongs to no cluster, or SLURM_CONF must name its slurm.conf."
    if "partition" in lower:
        return "`sinfo` lists the partitions."
    if "account" in lower or "qos" in lower:
        return "`sacctmgr show associations user=$USER` lists what you may use."
    return "The script lies in the run's folder: `sbatch --test-only job.sh` there asks again."


def _id_of(answer: str) -> str:
    """Of `sbatch --parsable`: the id, with the cluster's name behind a semicolon where there are several."""
    job = answer.splitlines()[-1].partition(";")[0].strip() if answer else ""
    if not job.isdigit():
        raise EngineError(f"sbatch gave no job id: {printable(answer)[:200]!r}.")
    return job


def _rows(text: str, columns: int) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.split("|", columns - 1)] for line in text.splitlines()]
    return [row for row in rows if len(row) == columns]


def _state(row: Sequence[str], place: int | None) -> JobState:
    _, state, start, _, nodes, reason = row
    stand = stand_of(state)
    if stand is Stand.ENDED:
        return JobState(stand, state, ending_in_words(state), nodes)
    if stand is Stand.RUNNING:
        return JobState(stand, state, "", nodes)
    parts = [reason_in_words(reason), f"{_ordinal(place)} in the queue" if place else "", _start(start)]
    return JobState(stand, state, "; ".join(part for part in parts if part))


def _start(text: str) -> str:
    """When Slurm expects a job to start; "" where it does not know."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return ""
    days = (at.date() - datetime.now().date()).days
    form = "%H:%M" if days == 0 else "%a %H:%M" if 0 < days < 7 else "%Y-%m-%d %H:%M"
    return f"starts about {at.strftime(form)}"


def _places(waiting: Iterable[Sequence[str]]) -> dict[str, int]:
    """The place of each waiting job in its partition's queue, from 1, by id; an array has one place.

    Where others' jobs are hidden, they are not counted.
    """
    partitions = {row[3] for row in waiting}
    if not partitions:
        return {}
    # not --array: others' arrays may have a hundred thousand elements
    command = ["squeue", "--noheader", "--states=PENDING", "--priority", "--sort=-p,i"]
    places: dict[str, int] = {}
    with suppress(EngineError):
        rows = _rows(_run([*command, f"--partition={','.join(sorted(partitions))}", "--format=%i|%P"]), 2)
        passed: dict[str, int] = {}
        for row, partition in rows:
            job = row.partition("_")[0]
            passed[partition] = passed.get(partition, 0) + 1
            places[job] = min(passed[partition], places.get(job, passed[partition]))
    return places


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _forgotten(jobs: Collection[str]) -> dict[str, JobState]:
    """What accounting knows of jobs that the queue has forgotten; nothing where there is none."""
    if not jobs:
        return {}
    command = ["sacct", "--allocations", "--noheader", "--parsable2", "--format=JobID,State"]
    try:
        rows = _rows(_run([*command, f"--jobs={','.join(sorted(jobs))}"]), 2)
    except EngineError:
        return {}
    known = {job: state for job, state in rows if job in jobs}
    return {
        job: JobState(stand_of(state), state, ending_in_words(state))
        for job, state in known.items()
        if stand_of(state) is Stand.ENDED
    }
