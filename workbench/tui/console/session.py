"""The models that the console queries, and its session state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.caveats import untrained_base
from workbench.inference.query import MOST_MODELS, Query

if TYPE_CHECKING:
    from workbench.store import Run
    from workbench.store.model_list import SavedModel
    from workbench.tui.console.history import History


@dataclass(frozen=True, slots=True)
class Asked:
    """A model to query. `model`: as `resolve_model` takes it, so `run:6` is always its newest checkpoint."""

    label: str
    model: str
    run_id: int | None = None

    def answered(self, label: str) -> bool:
        """Whether a stored answer with this label is this model's. Older stores have no "run" in a label."""
        return label in (self.label, self.label.removeprefix("run "))

    @classmethod
    def of_run(cls, run_id: int, name: str) -> Asked:
        return cls(f"run {run_id} {name}", f"run:{run_id}", run_id)

    @classmethod
    def of_checkpoint(cls, saved: SavedModel) -> Asked:
        best = " (best)" if saved.best else ""
        return cls(
            f"run {saved.run_id} {saved.run}, epoch {saved.epoch:.3g}{best}",
            f"run:{saved.run_id}@{saved.step}",
            saved.run_id,
        )

    @classmethod
    def of_base(cls, subject: Subject) -> Asked:
        untrained = subject.untrained and f", {subject.untrained}"
        return cls(f"{subject.base} (base{untrained})", f"run:{subject.run_id}@base")

    @classmethod
    def of_model(cls, model: str) -> Asked:
        return cls(model, model)


@dataclass(frozen=True, slots=True)
class Subject:
    """The run that the console is about, and its base model.

    `untrained`: why that was not a trained model, in a few words; "" if it was.
    """

    run_id: int
    name: str
    base: str
    untrained: str = ""

    @classmethod
    def of(cls, run: Run) -> Subject:
        untrained = untrained_base(run.recipe, run.engine)
        return cls(run.id, run.name, str(run.recipe.model or ""), untrained)

    def alone(self) -> list[Asked]:
        return [Asked.of_run(self.run_id, self.name)]

    def with_base(self) -> list[Asked]:
        return [*self.alone(), Asked.of_base(self)]

    def growth(self, saved: Sequence[SavedModel]) -> list[Asked]:
        """The base, then checkpoints in order of training: the best, the last, and some between."""
        ordered = sorted(saved, key=lambda checkpoint: checkpoint.step)
        chosen = [checkpoint for checkpoint in ordered if checkpoint.best or checkpoint is ordered[-1]]
        rest = [checkpoint for checkpoint in ordered if checkpoint not in chosen]
        room = MOST_MODELS - 1 - len(chosen)
        chosen += rest[:: max(1, -(-len(rest) // max(room, 1)))][:room]
        chosen.sort(key=lambda checkpoint: checkpoint.step)
        return [Asked.of_base(self), *map(Asked.of_checkpoint, chosen)]


@dataclass
class Session:
    """One for the whole program, so that the dock and the full screen show the same everywhere."""

    models: list[Asked]
    subject: Subject | None = None
    query: Query = field(default_factory=Query)
    text: str = ""
    asked: str = ""
    answers: dict[str, tuple[Mapping[str, Any], Sequence[str]]] = field(default_factory=dict)
    """By model: the answer to the last query, with its notes."""
    history: History | None = None

    @classmethod
    def about(cls, run: Run | None) -> Session:
        """About a run beside its base, or about the starter if the run has no checkpoint."""
        if run is None or not run.checkpoint:
            return cls([Asked.of_model("starter")])
        subject = Subject.of(run)
        return cls(subject.with_base(), subject)

    def turn_to(self, models: list[Asked], subject: Subject | None) -> None:
        """Query other models from now on."""
        self.models, self.subject = models, subject
        self.answers = {}
