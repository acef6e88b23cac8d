"""The tables, as SQLModel classes. Times are seconds since 1970, UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlmodel import AutoString, Field, SQLModel

from workbench.metrics import perplexity
from workbench.status import Status
from workbench.store.json_text import Damaged, storable
from workbench.stored_recipe import StoredRecipe


class Row(SQLModel):
    """Base class of all tables."""

    model_config = {"arbitrary_types_allowed": True}

    # The database sets the id when it writes the row. The type is that of rows that were read: no code reads
    # the id of a row before it is written.
    id: int = Field(default=None, primary_key=True)


class DamagedRecipe(StoredRecipe):
    """In the place of a recipe that cannot be read: no field is known."""


class _RecipeColumn(TypeDecorator[StoredRecipe]):
    impl = JSON
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> StoredRecipe:
        whole = isinstance(value, dict) and not isinstance(value, Damaged)
        return StoredRecipe(value) if whole else DamagedRecipe()


class _Whole(TypeDecorator[int]):
    """64 bits everywhere: a count of tokens or bytes exceeds 32. SQLite calls that INTEGER."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class _Words(TypeDecorator[str]):
    """Text without the characters that some databases refuse."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(str(value))


def _json(default: type, kind: Any = JSON) -> Any:
    return Field(default_factory=default, sa_column=Column(kind, nullable=False))


def _of_run() -> Any:
    """A foreign key to `run`: deleting a run deletes the rows."""
    return Field(
        sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True)
    )


class Run(Row, table=True):
    """One execution of a recipe, and its current state."""

    name: str = Field(index=True)
    status: str = Field(default=Status.QUEUED, index=True)
    phase: str | None = None
    recipe: StoredRecipe = _json(StoredRecipe, _RecipeColumn)
    tags: list[str] = _json(list)
    note: str = ""
    starred: bool = False
    archived: bool = False
    deleted_at: float | None = None  # hidden since then; a purge removes it with its folder
    folder: str = ""
    sweep_id: int | None = Field(default=None, index=True)
    queue_position: float | None = None  # of a waiting run, lowest first; None if it does not wait

    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    heartbeat_at: float | None = None
    progress_at: float | None = None  # time of its last progress
    stop_requested_at: float | None = None

    # the process that trains it; a pid alone could be reused by another process
    worker_pid: int | None = None
    worker_started_at: float | None = None
    host: str | None = None
    boot_id: str | None = None
    segment: int = 0  # 0 for the first process, one more for each resume

    # where it runs, which is no part of its recipe
    place: str = ""  # the place's name; "": this machine, started by us
    place_engine: str = ""  # what starts it there, a value of `PlaceEngine`
    placement: dict[str, Any] = _json(dict)  # the options that the engine was given, kept for a resume
    job: str | None = None  # the engine's own id of it
    engine_state: str | None = None  # the job's state as the engine last reported it, and why
    engine_reason: str | None = None
    engine_seen_at: float | None = None
    processes: int | None = None  # requested; None: one per GPU
    nodes: int | None = None

    progress_done: int = 0
    progress_total: int = 0
    progress_unit: str = ""
    epoch: float | None = None
    step: int | None = None
    total_steps: int | None = None

    baseline_perplexity: float | None = None
    train_perplexity: float | None = None
    eval_perplexity: float | None = None
    best_eval_perplexity: float | None = None
    yardstick_perplexity: float | None = None
    tokens_per_second: float | None = None
    checkpoint: str | None = None

    error: str | None = None
    error_hint: str | None = None
    environment: dict[str, Any] = _json(dict)
    data: dict[str, Any] = _json(dict)
    engine: dict[str, Any] = _json(dict)


class Metric(Row, table=True):
    """One value at one step. `superseded`: a resume has repeated this step."""

    __table_args__ = (Index("ix_metric_curve", "run_id", "name", "id"),)

    run_id: int = Field(sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=False))
    segment: int = 0
    name: str
    step: int
    epoch: float
    value: float
    at: float
    superseded: bool = False


class Checkpoint(Row, table=True):
    """A saved model folder of a run."""

    run_id: int = _of_run()
    step: int
    epoch: float
    path: str
    eval_perplexity: float | None = None
    best: bool = False
    created_at: float


class Fill(Row, table=True):
    """A text that was filled in the console, with the result."""

    at: float
    model: str
    run_id: int | None = Field(
        default=None,
        sa_column=Column(Integer, ForeignKey("run.id", ondelete="SET NULL"), nullable=True, index=True),
    )
    text: str
    result: dict[str, Any] = _json(dict)


class Yardstick(Row, table=True):
    """One model's score on the fixed test that makes runs comparable, chunk by chunk.

    `run_id` None: a base model, before any training. Scores are comparable if protocol, tokenizer and masks
    are the same, on the chunks that both have: the longer text starts with the shorter one.
    """

    run_id: int | None = Field(
        default=None,
        sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=True, index=True),
    )
    step: int
    model: str
    weights_fingerprint: str = Field(index=True)
    protocol: str
    text_fingerprint: str
    tokenizer_fingerprint: str
    masks_fingerprint: str
    chunks: int
    masked_tokens: int
    characters: int | None = None  # in the words that were predicted, where whole words were masked
    loss_sum: float  # nats
    chunk_losses: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # (chunks,) float64, nats
    chunk_tokens: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # (chunks,) int32, predicted
    chunk_hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # (chunks,) uint64, of text
    # (chunks + 1,) int32: the document in which each chunk begins, and the one in which the last ends
    chunk_documents: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    # how often the masks were drawn: `chunk_losses` and `chunk_tokens` are then (draws, chunks)
    draws: int = 1
    loss_error: float | None = None  # standard error of `loss` that the draw of the masks causes
    # (documents,) uint64, from the first document on; None: a score of an earlier version
    document_hashes: bytes | None = None
    created_at: float = 0.0

    @property
    def loss(self) -> float:
        """Mean over the predicted tokens, in nats."""
        return self.loss_sum / max(1, self.masked_tokens)

    @property
    def perplexity(self) -> float:
        return perplexity(self.loss)


class Cloze(Row, table=True):
    """One model's score on a suite of sentences with expected words."""

    run_id: int | None = Field(
        default=None,
        sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=True, index=True),
    )
    step: int
    model: str
    weights_fingerprint: str = Field(index=True)
    suite: str
    suite_fingerprint: str
    items: int
    top1: float
    top5: float
    mean_reciprocal_rank: float
    answers: list[dict[str, Any]] = _json(list)
    created_at: float = 0.0


class Sweep(Row, table=True):
    """Many runs planned together: a grid, or a search."""

    name: str
    status: str
    plan: dict[str, Any] = _json(dict)
    trials_left: int = 0  # runs that a search has not started yet
    created_at: float


class JournalRow(Row, table=True):
    """How far a run's journal has been read (see `journal.lines.Cursor`), and why not further."""

    __tablename__ = "journal"

    run_id: int = Field(
        sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, unique=True)
    )
    number: int
    identity: str
    records: int
    position: int = Field(sa_column=Column(BigInteger, nullable=False))
    trouble: str | None = None
    trouble_since: float | None = None


class LeaseRow(Row, table=True):
    """The one process that starts waiting runs; a single row."""

    __tablename__ = "keeper"

    pid: int | None = None
    started_at: float | None = None
    host: str | None = None
    boot_id: str | None = None
    heartbeat_at: float | None = None


class Setting(SQLModel, table=True):
    """What all clients of a store share."""

    name: str = Field(primary_key=True)
    value: str


# for every column, also those that come later
for _table in SQLModel.metadata.tables.values():
    for _column in _table.columns:
        if type(_column.type) is Integer:
            _column.type = _Whole()
        elif isinstance(_column.type, String | AutoString):
            _column.type = _Words()
