"""One optimizer step: the gradient of the mean loss over all its masked tokens, then AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.errors import TrainingError
from workbench.processes import lacks_memory
from workbench.recipe import Recipe
from workbench.training.batches import BatchMaker, Step, TrainingBatch, deal_out, passes_of
from workbench.training.checkpoint import TrainingState
from workbench.training.gradients import GradientSum
from workbench.training.metric_buffer import MeasuredStep
from workbench.training.randomness import dropout_of
from workbench.training.ranks import Ranks

T = TypeVar("T")


class Stepper:
    """Takes optimizer steps. `optimizer` is Accelerate's wrapper of AdamW."""

    def __init__(
        self,
        recipe: Recipe,
        accelerator: Accelerator,
        ranks: Ranks,
        model: nn.Module,
        parameters: list[nn.Parameter],
        batches: BatchMaker,
        *,
        rate_at: Callable[[int], float],
        tell_halved: Callable[[], None],
    ) -> None:
        self.recipe, self.accelerator, self.ranks, self.model = recipe, accelerator, ranks, model
        self.parameters, self.batches = parameters, batches
        self.optimizer = accelerator.prepare_optimizer(_adamw(parameters, recipe))
        self._gradients = GradientSum(ranks, parameters)
        self._rate_at, self._tell_halved = rate_at, tell_halved

    def take(self, step: Step, state: TrainingState) -> MeasuredStep:
        """Update the weights by one step. Halves `state.batch_size` when out of memory.

        Several processes halve it together when one of them is out of memory. Raises TrainingError when a
        single chunk does not fit.
        """
        rate = self._rate_at(step.number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        while (measured := self._accumulate_gradients(step, state)) is None:
            self._halve_batch(state)
        loss_sum, masked = measured
        grad_norm = self._clip_gradients()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return MeasuredStep(
            step.number, rate, step.rows.size * self.recipe.chunk_size, loss_sum, masked, grad_norm
        )

    def chunks_at_once(self, state: TrainingState) -> tuple[int, int]:
        """The number of chunks per forward pass, and of passes per process, in a full step."""
        chunks, processes = self.recipe.effective_batch_size, self.ranks.count
        passes = passes_of(chunks, state.batch_size, processes)
        return math.ceil(chunks / (passes * processes)), passes

    def _accumulate_gradients(self, step: Step, state: TrainingState) -> tuple[Tensor, Tensor] | None:
        """Compute the gradient of the mean loss over all masked tokens of the step, over all processes.

        Returns the sum of the losses and the number of masked tokens, both over all processes; None when one
        of them is out of memory.
        """
        ranks = self.ranks
        _, passes = self.chunks_at_once(state)
        parts = deal_out(step.rows, passes, ranks.count, ranks.rank)
        batches = _unless_out_of_memory(
            lambda: [self.batches.draw(rows, step.epoch) if rows.size else None for rows in parts]
        )
        own = sum(batch.masked for batch in batches or () if batch)
        total, short = ranks.sum(own, batches is None)
        if batches is None or short:
            return None
        masked = torch.tensor(float(total), device=self.accelerator.device)
        loss_sum = _unless_out_of_memory(lambda: self._backward(step, parts, batches, masked))
        self._gradients.finish()
        if ranks.any(loss_sum is None) or loss_sum is None:
            return None
        return ranks.sum_tensor(loss_sum), masked

    def _backward(
        self,
        step: Step,
        parts: Sequence[np.ndarray],
        batches: Sequence[TrainingBatch | None],
        masked: Tensor,
    ) -> Tensor:
        """Add this process's share to the gradient. Returns the sum of its losses."""
        ranks = self.ranks
        scale = 1 / masked.clamp(min=1.0)
        loss_sum = torch.zeros((), device=self.accelerator.device)
        last = max((number for number, batch in enumerate(batches) if batch), default=None)
        for number, (rows, batch) in enumerate(zip(parts, batches, strict=True)):
            if batch is None:  # no rows are left for this pass at the end of an epoch
                continue
            part = number * ranks.count + ranks.rank
            if number == last:
                self._gradients.begin()
            with dropout_of(self.recipe.seed, step.number, part, rows):
                logits = self.model(batch.input_ids, batch.positions).float()
                loss = F.cross_entropy(logits, batch.targets, reduction="sum", ignore_index=-100)
                self.accelerator.backward(loss * scale)
            loss_sum += loss.detach()
        return loss_sum

    def _clip_gradients(self) -> Tensor:
        """The gradient's norm over all parameters, before it is clipped."""
        if self.recipe.max_grad_norm > 0:
            return self.accelerator.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm)
        self.accelerator.unscale_gradients(self.optimizer)
        return torch.nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])

    def _halve_batch(self, state: TrainingState) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        if self.accelerator.device.type == "cuda":
            torch.cuda.empty_cache()
        chunks, _ = self.chunks_at_once(state)
        if chunks == 1:
            raise TrainingError(
                "The device is out of memory at batch size 1.",
                "Lower chunk_size, or choose a smaller model.",
            )
        state.batch_size = math.ceil(chunks / 2)
        state.gradient_accumulation = math.ceil(self.recipe.effective_batch_size / state.batch_size)
        self._tell_halved()


def _unless_out_of_memory(work: Callable[[], T]) -> T | None:
    """`work()`; None when out of memory. When it returns, no traceback keeps the tensors alive."""
    try:
        return work()
    except Exception as error:
        if not lacks_memory(error):
            raise
    return None


def _adamw(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) in one fused kernel; biases and norms are not decayed."""
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": recipe.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
        betas=(recipe.adam_beta1, recipe.adam_beta2),
        eps=recipe.adam_epsilon,
        fused=parameters[0].device.type in ("cpu", "cuda", "mps"),
    )
