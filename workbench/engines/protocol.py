"""What the program asks of an engine that runs jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from workbench.errors import WorkbenchError


class EngineError(WorkbenchError):
    """The engine refused, in its own words."""


class EngineSilentError(EngineError):
    """The engine does not answer: nothing is known of its jobs."""


class Stand(Enum):
    """How a job stands."""

    WAITING = auto()
    RUNNING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class JobState:
    """What an engine says of a job now.

    word: its own word for the state. why: in plain words why the job waits, or how it ended. nodes: where it
    runs.
    """

    stand: Stand
    word: str
    why: str = ""
    nodes: str = ""


class Engine(Protocol):
    """Submits jobs and answers for them. Every method may take seconds, and raises EngineError."""

    def submit(self, script: Path) -> str:
        """Queue the script, from its folder; the job's id."""

    def check(self, script: Path) -> str:
        """Ask whether the script would be accepted, without queueing it; what the engine says."""

    def look(self, jobs: Collection[str]) -> Mapping[str, JobState]:
        """How these jobs stand, with one question for all. A job that is missing is no longer known."""

    def stop(self, job: str) -> None:
        """Tell the job's processes to save a checkpoint and end; one that waits is cancelled."""

    def cancel(self, job: str) -> None:
        """End the job at once, or take it out of the queue."""

    def requeue(self, job: str) -> None:
        """Put a running job back into the queue."""
