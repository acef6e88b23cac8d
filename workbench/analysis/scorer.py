"""Score a run's checkpoints and its base model on the yardstick, and keep what was found in the store."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

from workbench.analysis.document_hashes import remember_documents
from workbench.analysis.weights import weights_fingerprint
from workbench.analysis.yardstick import YardstickTest, as_row, prepare_test, score
from workbench.caveats import base_name
from workbench.corpus.new_model import make_new_model
from workbench.errors import WorkbenchError
from workbench.events import Event, Listener, Phase, PhaseChanged, Progress
from workbench.inference.resolve import base_of, resolve_model
from workbench.metrics import MetricName
from workbench.pretrained.shapes import is_new
from workbench.store import Checkpoint, MetricValue, Run, Store, Yardstick
from workbench.training.interrupted import Interrupted

log = logging.getLogger(__name__)


class Keeper:
    """Keeps what a scorer finds: here, in the store."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store, self._run = store, run

    def score(self, row: Yardstick) -> Yardstick:
        """A score, of the run or of its base model."""
        return self._store.yardsticks.add(row)

    def metric(self, measured: MetricValue) -> None:
        """The score of a checkpoint, as the metric of its step."""
        self._store.add_metrics(self._run.id, self._run.segment, [measured])

    def newest(self, value: float) -> None:
        """The perplexity of the run's newest checkpoint."""
        self._store.update_run(self._run.id, yardstick_perplexity=value)


class Scorer:
    """Scores one run. What was scored before, by its weights and questions, is looked up instead."""

    def __init__(
        self,
        store: Store,
        run: Run,
        *,
        cache: Path,
        listen: Listener = lambda event: None,
        should_stop: Callable[[], bool] = lambda: False,
        device: str | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        """`device`: instead of the recipe's. `keeper`: instead of one that writes to the store."""
        self._store, self._run, self._run_id = store, run, run.id
        self._cache, self._listen, self._should_stop = cache, listen, should_stop
        self._keeper = keeper or Keeper(store, run)
        recipe = run.recipe.complete()
        self._recipe = recipe.with_changes(device=device) if device else recipe

    @cached_property
    def _base(self) -> str:
        """The base model's folder or id. Raises WorkbenchError."""
        base = base_of(self._run)
        if is_new(base):
            saved = Path(self._run.checkpoint) if self._run.checkpoint else None
            if saved is not None and not saved.is_dir():
                saved = Path(resolve_model(self._store, run=str(self._run_id)).path)
            return str(make_new_model(self._recipe, cache=self._cache, listen=self._hear, saved=saved))
        return base

    @cached_property
    def test(self) -> YardstickTest:
        """The questions for this run. Raises WorkbenchError."""
        known = self._run.data.get("fingerprint")
        prepare = partial(prepare_test, self._recipe, cache=self._cache, listen=self._hear, known=known)
        try:
            test, corpus = prepare(self._base, self._recipe.model_revision)
        except WorkbenchError:
            # the base model may be gone; a checkpoint has the same tokenizer and the same vocabulary
            test, corpus = prepare(resolve_model(self._store, run=str(self._run_id)).path, None)
        remember_documents(Path(self._run.folder), corpus, test.tokenizer_fingerprint)
        return test

    def base(self) -> Yardstick:
        """The score of the base model, before any training. Raises WorkbenchError, Interrupted."""
        return self._score(self._base, self._recipe.model_revision, None, 0)

    def checkpoint(self, saved: Checkpoint) -> Yardstick:
        """The score of a checkpoint, also as the metric of its step. Raises WorkbenchError, Interrupted."""
        path = resolve_model(self._store, run=str(self._run_id), checkpoint=saved.step).path
        found = self._score(path, None, self._run_id, saved.step)
        value = found.perplexity
        told = self._store.metrics(self._run_id, [MetricName.YARDSTICK_PERPLEXITY])
        if not any(metric.step == saved.step and metric.value == value for metric in told):
            measured = MetricValue(MetricName.YARDSTICK_PERPLEXITY, saved.step, saved.epoch, value)
            self._keeper.metric(measured)
        newest = self._store.checkpoints(self._run_id)[-1].step
        if saved.step == newest:
            self._keeper.newest(value)
        return found

    def _hear(self, event: Event) -> None:
        """Of the text's preparation, pass on how far it is: the run's own text is in the store already."""
        if isinstance(event, PhaseChanged | Progress):
            self._listen(event)
        if self._should_stop():
            raise Interrupted

    def _score(self, model: str, revision: str | None, run_id: int | None, step: int) -> Yardstick:
        weights = weights_fingerprint(model, revision)
        known = self._store.yardsticks.find(weights_fingerprint=weights, **self.test.identity())
        name = base_name(self._run.recipe, self._run.engine) if run_id is None else model
        whose = {"run_id": run_id, "step": step, "model": name}
        if known is not None:
            if all(getattr(known, column) == value for column, value in whose.items()):
                return known
            return self._keeper.score(Yardstick(**known.model_dump(exclude={"id"}) | whose))
        self._listen(PhaseChanged(Phase.EVALUATING))
        evaluation = score(
            self.test,
            self._recipe,
            model,
            revision,
            progress=lambda done, total: self._listen(Progress(done, total, "chunks")),
            should_stop=self._should_stop,
        )
        row = as_row(self.test, evaluation, run_id=run_id, step=step, model=name, weights=weights)
        return self._keeper.score(row)
