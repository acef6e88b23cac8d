"""Scores a run's checkpoints and its base model on the yardstick, and stores the scores."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

from workbench.analysis.weights import weights_fingerprint
from workbench.analysis.yardstick import YardstickTest, as_row, prepare_test, score
from workbench.caveats import base_name
from workbench.corpus.new_model import make_new_model
from workbench.document_hashes import remember_documents
from workbench.errors import WorkbenchError
from workbench.events import Event, Listener, Phase, PhaseChanged, Progress
from workbench.inference.resolve import base_of, resolve_model
from workbench.metrics import MetricName
from workbench.pretrained.shapes import is_new
from workbench.store import Checkpoint, MetricValue, Run, Store, Yardstick
from workbench.training.interrupted import Interrupted

log = logging.getLogger(__name__)


class Keeper:
    """Writes a scorer's results to the store."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store, self._run = store, run

    def score(self, row: Yardstick) -> Yardstick:
        """Add a score of the run or its base model."""
        return self._store.yardsticks.add(row)

    def metric(self, measured: MetricValue) -> None:
        """Add a checkpoint's score as the metric of its step."""
        self._store.add_metrics(self._run.id, self._run.segment, [measured])

    def newest(self, value: float) -> None:
        """Set the perplexity of the run's newest checkpoint."""
        self._store.update_run(self._run.id, yardstick_perplexity=value)


class Scorer:
    """Scores one run. Scores of the same weights on the same test are taken from the store."""

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
        """`device` overrides the recipe's; `keeper`, the one that writes to the store."""
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
            return str(make_new_model(self._recipe, cache=self._cache, listen=self._forward, saved=saved))
        return base

    @cached_property
    def test(self) -> YardstickTest:
        """The yardstick's test for this run. Raises WorkbenchError."""
        text = self._run.data.get("fingerprint")
        prepare = partial(prepare_test, self._recipe, cache=self._cache, listen=self._forward, known=text)
        try:
            test, corpus = prepare(self._base, self._recipe.model_revision)
        except WorkbenchError:
            # the base model may have been deleted; a checkpoint has the same tokenizer and vocabulary
            test, corpus = prepare(resolve_model(self._store, run=str(self._run_id)).path, None)
        if corpus.fingerprint == text:  # what was trained on, and no file that was edited since
            remember_documents(
                Path(self._run.folder),
                corpus.streams,
                corpus=corpus.fingerprint,
                tokenizer_fingerprint=test.tokenizer_fingerprint,
                base=base_of(self._run),
            )
        return test

    def base(self) -> Yardstick:
        """Score the base model. Raises WorkbenchError, Interrupted."""
        return self._score(self._base, self._recipe.model_revision, None, 0)

    def checkpoint(self, saved: Checkpoint) -> Yardstick:
        """Score a checkpoint, and add the score to the run's metrics. Raises WorkbenchError, Interrupted."""
        path = resolve_model(self._store, run=str(self._run_id), checkpoint=saved.step).path
        score = self._score(path, None, self._run_id, saved.step)
        value = score.perplexity
        metrics = self._store.metrics(self._run_id, [MetricName.YARDSTICK_PERPLEXITY])
        if not any(metric.step == saved.step and metric.value == value for metric in metrics):
            self._keeper.metric(MetricValue(MetricName.YARDSTICK_PERPLEXITY, saved.step, saved.epoch, value))
        newest = self._store.checkpoints(self._run_id)[-1].step
        if saved.step == newest:
            self._keeper.newest(value)
        return score

    def _forward(self, event: Event) -> None:
        """Forward only the progress of preparing the text: the store has the run's own text data already."""
        if isinstance(event, PhaseChanged | Progress):
            self._listen(event)
        if self._should_stop():
            raise Interrupted

    def _score(self, model: str, revision: str | None, run_id: int | None, step: int) -> Yardstick:
        weights = weights_fingerprint(model, revision)
        earlier = self._store.yardsticks.find(weights_fingerprint=weights, **self.test.identity())
        name = base_name(self._run.recipe, self._run.engine) if run_id is None else model
        owner = {"run_id": run_id, "step": step, "model": name}
        if earlier is not None:
            if all(getattr(earlier, column) == value for column, value in owner.items()):
                return earlier
            return self._keeper.score(Yardstick(**earlier.model_dump(exclude={"id"}) | owner))
        self._listen(PhaseChanged(Phase.EVALUATING))
        scores = score(
            self.test,
            self._recipe,
            model,
            revision,
            progress=lambda done, total: self._listen(Progress(done, total, "chunks")),
            should_stop=self._should_stop,
        )
        row = as_row(self.test, scores, run_id=run_id, step=step, model=name, weights=weights)
        return self._keeper.score(row)
