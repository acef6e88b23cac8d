"""Where a run runs, and why it waits there, as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from workbench.status import ACTIVE, PlaceEngine, Status

if TYPE_CHECKING:
    from workbench.store import Run

HERE = "here"
SILENT = "Slurm does not answer"
"""How the reason begins while the engine cannot be reached."""

_NOT_OVER = frozenset(
    ("PENDING", "REQUEUED", "REQUEUE_HOLD", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "STAGE_OUT")
)
"""States of a job that waits or runs."""
_PART = "; "
"""What stands between a reason, the place in the queue and the expected start."""
_SLURMS_WORD = re.compile(r" \([^()]*\)$")


class Placed(Protocol):
    """Something that runs at a place, with columns named as in the table `run`."""

    @property
    def status(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def place_engine(self) -> str: ...
    @property
    def job(self) -> str | None: ...
    @property
    def engine_state(self) -> str | None: ...
    @property
    def engine_reason(self) -> str | None: ...
    @property
    def processes(self) -> int | None: ...
    @property
    def nodes(self) -> int | None: ...


def where(run: Placed) -> str:
    """`here`, or engine and job, place, and nodes × processes of each: `slurm 1234_5 · a100 · 2×4`."""
    if run.place_engine == PlaceEngine.LOCAL:
        return HERE
    parts = [f"{run.place_engine} {run.job or ''}".strip()]
    if run.place != run.place_engine:
        parts.append(run.place)
    if (run.processes or 1) > 1:
        parts.append(f"{run.nodes or 1}×{(run.processes or 1) // (run.nodes or 1)}")
    return " · ".join(part for part in parts if part)


def job_state(run: Placed) -> str | None:
    """The state of a run's job. None where the run has ended since Slurm was asked last: then it is old."""
    state = run.engine_state
    if state and run.status not in ACTIVE and state in _NOT_OVER:
        return None
    return state


def waiting_for(run: Placed) -> str:
    """What a queued run waits for, in words; "" for any other, and where its engine has not said it."""
    if run.status == Status.QUEUED and run.place_engine == PlaceEngine.WORK:
        return "`mlm-workbench work` of this run"
    if run.status != Status.QUEUED or run.place_engine != PlaceEngine.SLURM:
        return ""
    reason = run.engine_reason or ""
    if run.job is None:
        return reason or "it is being submitted"
    if run.engine_state == "PENDING" or reason.startswith(SILENT):
        return reason or "Slurm has not said why"
    if run.engine_state in ("RUNNING", "CONFIGURING"):
        return f"its job has started on {reason}" if reason else "its job has started"
    return reason


def brief_waiting(run: Placed, width: int) -> str:
    """`waiting_for` in at most `width` letters where whole parts of it fit: the reason goes before the start,
    and both before the place in the queue and Slurm's own word.
    """
    reason, *details = waiting_for(run).split(_PART)
    brief = _SLURMS_WORD.sub("", reason)
    choices = ([reason, *details], [brief, *details], [brief, *details[-1:]])
    return next((text for text in map(_PART.join, choices) if len(text) <= width), brief)


def engine_line(run: Run, now: float) -> str:
    """The job of a run on a cluster, its state and when the engine said so; "" for a run that is here.

    Why it waits is in it once there is a curve, where the reason stood.
    """
    if run.place_engine != PlaceEngine.SLURM:
        return ""
    parts = [f"Slurm       {where(run).removeprefix('slurm').strip(' ·') or 'no job yet'}"]
    reason, state = run.engine_reason or "", run.engine_state or ""
    if run.status in ACTIVE and reason.startswith(SILENT):
        job = parts[0].removeprefix("Slurm").strip()
        return f"Slurm       {reason.removeprefix('Slurm ')}, nothing is marked meanwhile  {job}"
    if waits := waiting_for(run):
        reason, *details = waits.split(_PART)
        if run.step and run.job:
            job = parts[0].removeprefix("Slurm").strip()
            parts = [f"Slurm       {_SLURMS_WORD.sub('', reason)}", *details[-1:], job]
        else:
            parts += details or ["waits"] if run.job else [waits]
    elif job_state(run) is None:
        parts.append(f"ran on {reason}" if reason and state == "RUNNING" else "")
    else:
        on = f" on {reason}" if reason and state == "RUNNING" else ""
        parts.append(f"{state.lower().replace('_', ' ')}{on}")
    if run.status == Status.RUNNING and run.heartbeat_at:
        # what the worker wrote last, as read from its journal
        parts.append(f"last news {max(now - run.heartbeat_at, 0):.0f} s ago")
    elif run.engine_seen_at and run.status in (Status.QUEUED, Status.RUNNING):
        parts.append(f"{max(now - run.engine_seen_at, 0):.0f} s ago")
    return "  ".join(part for part in parts if part)
