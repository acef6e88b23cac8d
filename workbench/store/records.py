"""Applies a journal's records to the store."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import func, insert, update
from sqlmodel import Session, col, select

from workbench.journal.lines import Kind, Record
from workbench.journal.reader import JournalError
from workbench.status import Status
from workbench.store.measurements import put_checkpoint, supersede
from workbench.store.tables import Checkpoint, Metric, Run, Yardstick
from workbench.store.yardsticks import put_score

_TEXT, _INTEGER, _NUMBER, _OBJECT = (str,), (int,), (int, float), (dict,)
_COLUMNS: dict[str, tuple[type, ...]] = {
    "phase": _TEXT,
    "progress_done": _INTEGER,
    "progress_total": _INTEGER,
    "progress_unit": _TEXT,
    "progress_at": _NUMBER,
    "epoch": _NUMBER,
    "step": _INTEGER,
    "total_steps": _INTEGER,
    "segment": _INTEGER,
    "baseline_perplexity": _NUMBER,
    "train_perplexity": _NUMBER,
    "eval_perplexity": _NUMBER,
    "best_eval_perplexity": _NUMBER,
    "yardstick_perplexity": _NUMBER,
    "tokens_per_second": _NUMBER,
    "environment": _OBJECT,
    "data": _OBJECT,
    "engine": _OBJECT,
}
"""The columns of a run that a journal may set, with the allowed types."""
_NEVER_NULL = {"progress_done", "progress_total", "progress_unit", "segment", "environment", "data", "engine"}
_PROCESS: dict[str, tuple[type, ...]] = {
    "worker_pid": _INTEGER,
    "worker_started_at": _NUMBER,
    "host": _TEXT,
    "boot_id": _TEXT,
}
_ENDINGS = frozenset(Status) - {Status.RUNNING}
_SAME_SECONDS = 1e-3
"""A database may round a time."""
_BLOBS = ("chunk_losses", "chunk_tokens", "chunk_hashes", "chunk_documents", "document_hashes")


def apply_records(session: Session, run_id: int, records: Sequence[Record], *, statuses: bool = True) -> None:
    """Change a run's rows as the records say, without a commit.

    `statuses` False: who began and ended the run is left as it stands. Raises KeyError, TypeError or
    ValueError for a record that lacks something or holds something else.
    """
    applier = _Applier(session, run_id)
    left = () if statuses else (Kind.CLAIM, Kind.ENDING)
    for record in records:
        if record["kind"] not in left:
            applier.take(record)
    applier.write()


def score_values(score: Yardstick) -> dict[str, Any]:
    """A score as the values of a record."""
    values = score.model_dump(exclude={"id", "run_id", "created_at"})
    for name in _BLOBS:
        if values[name] is not None:
            values[name] = b64encode(values[name]).decode("ascii")
    return {"of_run": score.run_id is not None, "values": values}


class _Applier:
    """Combines records: one statement for the metrics of many records, another for their columns."""

    def __init__(self, session: Session, run_id: int) -> None:
        self._session, self._run_id = session, run_id
        self._metrics: list[dict[str, Any]] = []
        self._columns: dict[str, Any] = {}
        self._by_kind: dict[str, Callable[[Record], None]] = {
            Kind.HEAD: self._check_run,
            Kind.CLAIM: self._claim,
            Kind.COLUMNS: self._set_columns,
            Kind.METRICS: self._add_metrics,
            Kind.CHECKPOINT: self._add_checkpoint,
            Kind.BACK: self._go_back,
            Kind.SCORE: self._add_score,
            Kind.ENDING: self._end,
        }

    def take(self, record: Record) -> None:
        """Apply a record. Records of unknown kinds, and those that change nothing here, are ignored."""
        if apply := self._by_kind.get(record["kind"]):
            apply(record)

    def write(self) -> None:
        """Write the collected values. The columns come last: whoever reads them finds the metrics too."""
        if self._metrics:
            self._session.connection().execute(insert(Metric), self._metrics)
            self._metrics = []
        if self._columns:
            self._update({**self._columns})
            self._columns = {}

    def _update(self, values: dict[str, Any], *where: Any) -> None:
        of_run = update(Run).where(col(Run.id) == self._run_id, *where)
        self._session.connection().execute(of_run.values(**values))

    def _check_run(self, record: Record) -> None:
        created = self._session.exec(select(Run.created_at).where(Run.id == self._run_id)).one()
        if abs(float(record["run"]["created_at"]) - created) > _SAME_SECONDS:
            raise JournalError(
                f"The journal in {self._folder} is that of another run.",
                "`mlm-workbench import` makes a run of a folder that was copied here.",
            )

    def _claim(self, record: Record) -> None:
        self.write()
        at = float(record["at"])
        self._update(
            {
                **_checked(record["process"], _PROCESS),
                "status": Status.RUNNING,
                "phase": record["phase"],
                "progress_done": 0,
                "progress_total": 0,
                "progress_unit": "",
                "progress_at": at,
                "started_at": func.coalesce(col(Run.started_at), at),
                "ended_at": None,
                "error": None,
                "error_hint": None,
            },
            col(Run.status) != Status.FINISHED,
        )

    def _set_columns(self, record: Record) -> None:
        values = _checked(record["values"], _COLUMNS)
        if "environment" in values:  # other processes note things there, too
            environment = self._session.exec(select(Run.environment).where(Run.id == self._run_id)).one()
            values["environment"] = {
                **environment,
                **self._columns.get("environment", {}),
                **values["environment"],
            }
        self._columns |= values

    def _add_metrics(self, record: Record) -> None:
        segment, at = _int(record["segment"]), float(record["at"])
        for step, epoch, values in record["rows"]:
            for name, value in values.items():
                self._metrics.append(
                    {
                        "run_id": self._run_id,
                        "segment": segment,
                        "name": str(name),
                        "step": _int(step),
                        "epoch": float(epoch),
                        "value": float(value),
                        "at": at,
                        "superseded": False,
                    }
                )

    def _add_checkpoint(self, record: Record) -> None:
        self.write()
        perplexity = record["eval_perplexity"]
        put_checkpoint(
            self._session,
            Checkpoint(
                run_id=self._run_id,
                step=_int(record["step"]),
                epoch=float(record["epoch"]),
                path=str(self._within(record["path"])),
                eval_perplexity=None if perplexity is None else float(perplexity),
                best=bool(record["best"]),
                created_at=float(record["at"]),
            ),
        )
        self._session.flush()

    def _go_back(self, record: Record) -> None:
        self.write()
        supersede(self._session, self._run_id, _int(record["step"]))
        path = record["checkpoint"]
        # a reader that sees the new segment re-reads the metrics: the old ones are superseded by now
        self._update(
            {
                **_checked(record["values"], _COLUMNS),
                "checkpoint": None if path is None else str(self._within(path)),
            }
        )

    def _add_score(self, record: Record) -> None:
        self.write()
        values = dict(record["values"])
        for name in _BLOBS:
            if values.get(name) is not None:
                values[name] = b64decode(values[name], validate=True)
        score = Yardstick(**values)
        score.run_id = self._run_id if record["of_run"] else None
        score.created_at = float(record["at"])
        put_score(self._session, score)
        self._session.flush()

    def _end(self, record: Record) -> None:
        self.write()
        status = Status(record["status"])
        if status not in _ENDINGS:
            raise ValueError(f"{status} is not how a run ends")
        values: dict[str, Any] = {"status": status, "ended_at": float(record["at"])}
        if status == Status.QUEUED:
            values |= {"ended_at": None, "heartbeat_at": time.time()}
        if "phase" in record:
            values["phase"] = record["phase"]
        for name in ("error", "error_hint"):
            values[name] = None if record.get(name) is None else str(record[name])
        # One that was resumed since is not ended by what its earlier process wrote, unless there is nothing
        # left to train: a cluster may take a node for lost whose process comes to the end.
        ended = {Status.RUNNING, Status.CRASHED} | ({Status.QUEUED} if status == Status.FINISHED else set())
        self._update(values, col(Run.status).in_(ended))

    def _within(self, path: str) -> Path:
        """A record's path, which is relative to the run's folder. Raises ValueError if it leads out of it."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts:
            raise ValueError(f"{path} is not in the run's folder")
        return self._folder / pure

    @cached_property
    def _folder(self) -> Path:
        """The run's folder. Most records do without: reading the row takes longer than applying them."""
        run = self._session.get(Run, self._run_id)
        return Path(run.folder if run is not None else "")


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _checked(values: dict[str, Any], allowed: dict[str, tuple[type, ...]]) -> dict[str, Any]:
    """The allowed part of `values`. Raises TypeError for a value of another type."""
    checked = {}
    for name, value in values.items():
        if name not in allowed:
            continue  # of a later version
        if value is None and name in _NEVER_NULL:
            raise TypeError(f"{name} is not given")
        if value is not None and (not isinstance(value, allowed[name]) or isinstance(value, bool)):
            raise TypeError(f"{value!r} is no value of {name}")
        checked[name] = value
    return checked
