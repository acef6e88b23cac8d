"""The training loop: takes steps, reports metrics, evaluates, and saves checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from workbench.corpus import Corpus
from workbench.corpus.masking import Masker
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import ModelError, TrainingError
from workbench.events import (
    CheckpointSaved,
    EngineReady,
    Listener,
    Message,
    Metrics,
    Phase,
    PhaseChanged,
    Progress,
)
from workbench.metrics import MetricName, perplexity
from workbench.pretrained.model import LoadedModel
from workbench.recipe import Recipe
from workbench.training import checkpoint
from workbench.training.batches import BatchMaker, Step, StepPlan
from workbench.training.checkpoint import TrainingState
from workbench.training.evaluate import evaluate
from workbench.training.interrupted import Interrupted
from workbench.training.machine import Machine, should_compile
from workbench.training.masked_only import fit_head, vocabulary_size
from workbench.training.metric_buffer import MetricBuffer, StepRecord
from workbench.training.ranks import Ranks
from workbench.training.schedule import learning_rate
from workbench.training.step import Stepper
from workbench.training.throughput import Throughput


class TrainingLoop:
    """One training, from a model and a corpus to checkpoints.

    A step is a pure function of the recipe, the step's number, the weights and AdamW's moments. A checkpoint
    holds the latter two and `state`. Each of several processes makes one; they do not communicate before
    `run`.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        machine: Machine,
        ranks: Ranks,
        tokenizer: Any,
        corpus: Corpus,
        loaded: LoadedModel,
        tell: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        self.recipe, self.folder, self.machine, self.ranks = recipe, folder, machine, ranks
        self.tokenizer, self.tell, self._should_stop = tokenizer, tell, should_stop
        self.accelerator = machine.accelerator
        self.plan = StepPlan(
            seed=recipe.seed,
            chunks=len(corpus.train),
            step_chunks=recipe.effective_batch_size,
            epochs=recipe.epochs,
            max_steps=recipe.max_steps,
        )
        self.state = TrainingState(
            batch_size=recipe.batch_size,
            gradient_accumulation=recipe.gradient_accumulation,
            corpus_fingerprint=corpus.fingerprint,
            drawn=list(loaded.drawn),
        )
        self.compiled = should_compile(recipe, machine, self.plan.total_steps)

        self.pretrained = loaded.model.to(machine.device)
        model_tokens = vocabulary_size(self.pretrained)
        if corpus.largest_id >= model_tokens:
            raise ModelError(
                f"The tokenizer gives token {corpus.largest_id}; the model has only {model_tokens} tokens.",
                "Use the tokenizer that the model was trained with.",
            )
        wrapped, self.head_reason = fit_head(self.pretrained, recipe.chunk_size)
        self.parameter_names = {p: name for name, p in self.pretrained.named_parameters() if p.requires_grad}
        if self.compiled:
            wrapped.compile()
        # For the precision only: the stepper sums the gradients of the processes.
        self.model = self.accelerator.prepare_model(wrapped.train(), evaluation_mode=True)

        vocabulary = Vocabulary.from_tokenizer(tokenizer, model_tokens)
        train_masker, test_masker = (
            Masker.for_training(recipe, vocabulary),
            Masker.for_test(recipe, vocabulary),
        )
        fixed = {"fixed_shapes": self.compiled}
        self.test_batches = BatchMaker(corpus.test, test_masker, machine.device, **fixed)
        self.stepper = Stepper(
            recipe,
            self.accelerator,
            ranks,
            self.model,
            list(self.parameter_names),
            BatchMaker(corpus.train, train_masker, machine.device, **fixed),
            rate_at=lambda step: learning_rate(recipe, step, self.plan.total_steps),
            tell_halved=self._tell_halved,
        )
        self.metric_buffer = MetricBuffer(machine.device)
        self.throughput = Throughput()
        self.revision = loaded.revision

    def resume(self, state: TrainingState, optimizer: dict[str, Tensor]) -> None:
        """Continue from a checkpoint's state. Raises TrainingError when the text has changed."""
        if state.corpus_fingerprint != self.state.corpus_fingerprint:
            raise TrainingError(
                "Cannot resume: the text has changed since the run started, and what it was trained on is no "
                "longer in the cache.",
                "Restore the old text, or start a new run.",
            )
        self.state = state
        if state.best_saved_loss is None and checkpoint.has_best(self.folder):  # of an earlier version
            state.best_saved_loss = state.best_eval_loss
        checkpoint.restore_optimizer(self.stepper.optimizer.optimizer, self.parameter_names, optimizer)
        if state.grad_scaler and self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(state.grad_scaler)

    def run(self) -> bool:
        """Train; True when it reached the end, False when it was stopped before. Raises TrainingError."""
        self.ranks.broadcast([parameter.data for parameter in self.pretrained.parameters()])
        self._announce()
        try:
            if self._evaluation_is_due(self.state.step):
                self._evaluate()  # the baseline; or one that a stop or a crash cut off
                self._tell_of_late_evaluation()
            self._enter(Phase.TRAINING)
            for step in self.plan.steps_after(self.state.step):
                if self.ranks.any(self._should_stop()) or self._out_of_patience():
                    break
                self.metric_buffer.write(self.stepper.take(step, self.state))
                self.state.step = step.number
                self._report(now=step.ends_epoch)
                if self._evaluation_is_due(step.number):
                    self._evaluate()
                if self._checkpoint_is_due(step):
                    self._save()
        except Interrupted:
            pass
        ended = self.state.step == self.plan.total_steps or self._out_of_patience()
        self.state.finished = ended and not self._evaluation_is_due(self.state.step)
        if self.ranks.from_first(self.state.step > self._saved_step()):
            self._report(now=True)
            self._save()
        return self.state.finished

    # Metrics

    def _report(self, *, now: bool = False) -> None:
        """Report the metrics that have reached the host, a few times a second; with `now`, wait for all."""
        if not now and not self.throughput.is_due():
            return
        for record in self.metric_buffer.read(wait=now):
            if not self.ranks.leads:  # the leading process has the same values, and reports problems
                continue
            self._check(record)
            self.state.epoch_loss_sum += record.loss_sum
            self.state.epoch_masked += record.masked
            self.throughput.count(record.tokens)
            values: dict[str, float] = {
                MetricName.LEARNING_RATE: record.learning_rate,
                MetricName.GRAD_NORM: record.grad_norm,
            }
            if record.masked:  # without masked tokens there is no loss
                values = {MetricName.TRAIN_LOSS: record.loss, **values}
            if record.step % self.plan.steps_per_epoch == 0:
                if self.state.epoch_masked:
                    epoch_loss = self.state.epoch_loss_sum / self.state.epoch_masked
                    values[MetricName.TRAIN_PERPLEXITY] = perplexity(epoch_loss)
                self.state.epoch_loss_sum = self.state.epoch_masked = 0.0
            self._metrics(record.step, values)
        speed = self.throughput.tokens_per_second(now=now)
        if speed is not None:
            self._metrics(self.state.step, {MetricName.TOKENS_PER_SECOND: speed})
        self.tell(Progress(self.state.step, self.plan.total_steps, "steps"))

    def _check(self, record: StepRecord) -> None:
        # In fp16 the loss scaler skips a step whose gradient overflows.
        gradient_ok = math.isfinite(record.grad_norm) or self.machine.precision == "fp16"
        if not (math.isfinite(record.loss_sum) and gradient_ok):
            value = "gradient" if math.isfinite(record.loss_sum) else "loss"
            raise TrainingError(
                f"The {value} is not a finite number at step {record.step}, with learning rate "
                f"{record.learning_rate:g}.",
                "Lower learning_rate, add warmup_ratio, or set max_grad_norm = 1. The last checkpoint stays.",
            )

    def _evaluate(self) -> None:
        step = self.state.step
        self._enter(Phase.BASELINE if step == 0 else Phase.EVALUATING)
        evaluation = evaluate(
            self.model,
            self.test_batches,
            self.accelerator,
            ranks=self.ranks,
            progress=lambda done, total: self.tell(Progress(done, total, "chunks")),
            should_stop=self._should_stop,
        )
        if not evaluation.masked.any():
            raise TrainingError(
                f"No test token is masked at mask_prob = {self.recipe.mask_prob:g}, so there is no "
                "perplexity.",
                "Raise test_size or mask_prob.",
            )
        if not math.isfinite(evaluation.loss):
            raise TrainingError(
                f"The test loss is not a finite number at step {step}.",
                "Lower learning_rate or use precision = fp32. The last checkpoint is kept.",
            )
        state = self.state
        state.evaluated_step = step
        if step == 0:
            state.baseline_loss = evaluation.loss
        # The baseline counts: a checkpoint worse than the base model is not the best.
        if state.best_eval_loss is None or evaluation.loss < state.best_eval_loss:
            state.best_eval_loss, state.evaluations_without_gain = evaluation.loss, 0
        else:
            state.evaluations_without_gain += 1
        state.last_eval_loss = evaluation.loss
        values: dict[str, float] = {
            MetricName.EVAL_LOSS: evaluation.loss,
            MetricName.EVAL_PERPLEXITY: evaluation.perplexity,
        }
        self._metrics(step, values)
        self._enter(Phase.TRAINING)

    def _evaluation_is_due(self, step: int) -> bool:
        if self.state.evaluated_step == step:
            return False
        every = self.recipe.eval_every
        ends_epoch = step % self.plan.steps_per_epoch == 0
        return ends_epoch or step == self.plan.total_steps or (every > 0 and step % every == 0)

    def _out_of_patience(self) -> bool:
        patience = self.recipe.early_stopping_patience
        return patience > 0 and self.state.evaluations_without_gain >= patience

    # Checkpoints

    def _checkpoint_is_due(self, step: Step) -> bool:
        every = self.recipe.checkpoint_every
        return (
            step.ends_epoch
            or step.number == self.plan.total_steps
            or (every > 0 and step.number % every == 0)
            or (self.recipe.early_stopping_patience > 0 and self._is_best())
        )

    def _is_best(self) -> bool:
        state = self.state
        return state.evaluated_step == state.step and state.evaluations_without_gain == 0

    def _saved_step(self) -> int:
        saved = checkpoint.whole_checkpoints(self.folder)
        return int(saved[-1].name.removeprefix("step-")) if saved else 0

    def _save(self) -> None:
        self._report(now=True)  # a loss that is no longer finite must not reach a checkpoint
        self._enter(Phase.SAVING)
        self.ranks.together(self._write_checkpoint)
        self._enter(Phase.TRAINING)

    def _write_checkpoint(self) -> None:
        """Write a checkpoint in the leading process; all processes have the same weights and moments."""
        if not self.ranks.leads:
            return
        if self.accelerator.scaler:
            self.state.grad_scaler = self.accelerator.scaler.state_dict()
        best = self._is_best_saved()
        path = checkpoint.save(
            self.folder,
            self.state,
            checkpoint.flat_optimizer(self.stepper.optimizer.optimizer, self.parameter_names),
            self._write_model,
            best=best,
        )
        self._tell_saved(path, best)

    def _is_best_saved(self) -> bool:
        """Whether the model as it is now is better than every checkpoint so far; noted in the state."""
        state = self.state
        loss = state.last_eval_loss
        if state.evaluated_step != state.step or loss is None:
            return False
        if state.best_saved_loss is not None and loss >= state.best_saved_loss:
            return False
        state.best_saved_loss = loss
        return True

    def _tell_saved(self, path: Path, best: bool) -> None:
        evaluated = self.state.evaluated_step == self.state.step
        loss = self.state.last_eval_loss if evaluated else None
        self.tell(
            CheckpointSaved(
                path=path,
                step=self.state.step,
                epoch=self.plan.epoch_at(self.state.step),
                eval_perplexity=None if loss is None else perplexity(loss),
                best=best,
            )
        )

    def _tell_of_late_evaluation(self) -> None:
        """Tell the test perplexity of a checkpoint that was saved when its evaluation was cut off."""
        saved = checkpoint.whole_checkpoints(self.folder)
        if not saved or self._saved_step() != self.state.step or not self.ranks.leads:
            return
        best = self._is_best_saved()
        if best:
            checkpoint.mark_best(saved[-1])
        self._tell_saved(saved[-1], best)

    def _write_model(self, folder: Path) -> None:
        self.pretrained.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    # Events and stop requests

    def _tell_halved(self) -> None:
        chunks, passes = self.stepper.chunks_at_once(self.state)
        processes = f" on each of {self.ranks.count} processes" if self.ranks.count > 1 else ""
        self.tell(
            Message(
                f"Out of memory: each step now takes {passes} forward passes of {chunks} chunks{processes}; "
                f"the effective batch size stays {self.recipe.effective_batch_size}.",
                level="warning",
            )
        )
        self._announce()

    def _announce(self) -> None:
        batch_size, passes = self.stepper.chunks_at_once(self.state)
        self.tell(
            EngineReady(
                model=self.recipe.model,
                architecture=type(self.pretrained).__name__,
                parameters=sum(parameter.numel() for parameter in self.pretrained.parameters()),
                device=str(self.machine.device) if self.machine.is_cuda else self.machine.device.type,
                device_name=self.machine.device_name,
                precision=self.machine.precision,
                head="full" if self.head_reason else "masked-only",
                head_reason=self.head_reason,
                compiled=self.compiled,
                processes=self.ranks.count,
                devices=tuple(self.ranks.gather(self.machine.place)),
                batch_size=batch_size,
                gradient_accumulation=passes,
                steps_per_epoch=self.plan.steps_per_epoch,
                total_steps=self.plan.total_steps,
                revision=self.revision,
                drawn=tuple(self.state.drawn),
            )
        )

    def _enter(self, phase: Phase) -> None:
        self.tell(PhaseChanged(phase))
        if phase is Phase.TRAINING:
            self.throughput.restart()

    def _metrics(self, step: int, values: dict[str, float]) -> None:
        self.tell(Metrics(step, self.plan.epoch_at(step), values))
