"""The typed events that a training reports to its listener, independent of store and screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Phase(StrEnum):
    """What a running run is doing."""

    STARTING = "starting"
    LOADING_DATA = "loading data"
    TOKENIZING = "tokenizing"
    LOADING_MODEL = "loading model"
    BASELINE = "baseline"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    phase: Phase


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of the current phase. `total` 0: unknown. `unit`: what is counted ("steps",
    "documents")."""

    done: int
    total: int
    unit: str


@dataclass(frozen=True, slots=True)
class CorpusReady:
    """The text is prepared. Counts are of documents, tokens and chunks; `fingerprint` identifies the data.

    `notes`: sentences on what was guessed, changed or left out. `sample`: a sentence of the text with a
    masked word.
    """

    fingerprint: str
    train_documents: int
    test_documents: int
    train_tokens: int
    test_tokens: int
    train_chunks: int
    test_chunks: int
    text_column: str | None
    revision: str | None
    from_cache: bool
    seconds: float
    notes: tuple[str, ...] = ()
    sample: str = ""


@dataclass(frozen=True, slots=True)
class EngineReady:
    """How the model will be trained. `head`: "masked-only" or "full"; `head_reason` says why it is full.

    `drawn`: the parameters without weights in the base model, which were drawn at random. `batch_size`:
    chunks per forward pass; `gradient_accumulation`: passes per step and process. `devices`: host and device
    of each process.
    """

    model: str
    architecture: str
    parameters: int
    device: str
    device_name: str
    precision: str
    head: str
    head_reason: str
    compiled: bool
    processes: int
    batch_size: int
    gradient_accumulation: int
    steps_per_epoch: int
    total_steps: int
    revision: str | None = None
    drawn: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """Values measured at an optimizer step. Step 0 is before any training; `epoch` is fractional.

    `values`: by name (see metrics.py).
    """

    step: int
    epoch: float
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint was saved. `eval_perplexity` is None if it was not measured at this step."""

    path: Path
    step: int
    epoch: float
    eval_perplexity: float | None
    best: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A line for the log. `level`: "info" or "warning"."""

    text: str
    level: str = "info"


Event = PhaseChanged | Progress | CorpusReady | EngineReady | Metrics | CheckpointSaved | Message
Listener = Callable[[Event], None]
