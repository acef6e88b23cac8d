"""One optimizer step: the gradient of the mean loss over all its masked tokens, then AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.errors import TrainingError
from workbench.processes import lacks_memory
from workbench.recipe import Recipe
from workbench.training.batches import BatchMaker, Step, TrainingBatch, deal_out
from workbench.training.checkpoint import TrainingState
from workbench.training.metric_buffer import MeasuredStep
from workbench.training.randomness import seed_dropout


class Stepper:
    """Takes optimizer steps. `optimizer` is Accelerate's wrapper of AdamW."""

    def __init__(
        self,
        recipe: Recipe,
        accelerator: Accelerator,
        model: nn.Module,
        parameters: list[nn.Parameter],
        batches: BatchMaker,
        *,
        rate_at: Callable[[int], float],
        tell_halved: Callable[[], None],
    ) -> None:
        self.recipe, self.accelerator, self.model = recipe, accelerator, model
        self.parameters, self.batches = parameters, batches
        self.optimizer = accelerator.prepare_optimizer(_adamw(parameters, recipe))
        self._rate_at, self._tell_halved = rate_at, tell_halved

    def take(self, step: Step, state: TrainingState) -> MeasuredStep:
        """Change the weights by one step. Halves `state.batch_size` when memory is short, and tells.

        Raises TrainingError when there is too little memory for a single chunk.
        """
        rate = self._rate_at(step.number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        while True:
            try:
                loss_sum, masked = self._accumulate_gradients(step, state.gradient_accumulation)
                break
            except Exception as error:
                if not lacks_memory(error):
                    raise
            self._halve_batch(state)  # outside `except`, whose traceback would keep the tensors alive
        grad_norm = self._clip_gradients()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return MeasuredStep(
            step.number, rate, step.rows.size * self.recipe.chunk_size, loss_sum, masked, grad_norm
        )

    def _accumulate_gradients(self, step: Step, passes: int) -> tuple[Tensor, Tensor]:
        """Leave the gradient of the mean loss over all masked tokens of the step, over all processes.

        Returns the sum of the losses and the number of tokens it is over, both over all processes.
        """
        accelerator = self.accelerator
        seed_dropout(self.recipe.seed, step.number, accelerator.process_index)
        parts = deal_out(step.rows, passes, accelerator.num_processes, accelerator.process_index)
        batches = [self._draw(part, step) for part in parts]
        masked = self._over_processes(
            torch.tensor(float(sum(batch.masked for batch in batches)), device=accelerator.device)
        )
        # Backward adds up the parts, and distributed training averages over processes.
        scale = accelerator.num_processes / masked.clamp(min=1.0)
        loss_sum = torch.zeros((), device=accelerator.device)
        for number, batch in enumerate(batches, start=1):
            last = number == len(batches)
            with nullcontext() if last else accelerator.no_sync(self.model):
                logits = self.model(batch.input_ids, batch.positions).float()
                loss = F.cross_entropy(logits, batch.targets, reduction="sum", ignore_index=-100)
                accelerator.backward(loss * scale)
            loss_sum += loss.detach()
        return self._over_processes(loss_sum), masked

    def _draw(self, rows: np.ndarray, step: Step) -> TrainingBatch:
        if rows.size:
            return self.batches.draw(rows, step.epoch)
        # Nothing is left for this process at the end of an epoch; it must take part all the same.
        batch = self.batches.draw(step.rows[:1], step.epoch)
        return TrainingBatch(batch.input_ids, batch.positions[:0], batch.targets[:0], 0)

    def _clip_gradients(self) -> Tensor:
        """The gradient's norm over all parameters, before it is clipped."""
        if self.recipe.max_grad_norm > 0:
            return self.accelerator.clip_grad_norm_(self.parameters, self.recipe.max_grad_norm)
        self.accelerator.unscale_gradients(self.optimizer)
        return torch.nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])

    def _over_processes(self, value: Tensor) -> Tensor:
        return self.accelerator.reduce(value) if self.accelerator.num_processes > 1 else value

    def _halve_batch(self, state: TrainingState) -> None:
        if state.batch_size == 1 or self.accelerator.num_processes > 1:
            raise TrainingError(
                f"The device is out of memory at batch size {state.batch_size}.",
                "Lower batch_size (raise gradient_accumulation to match) or chunk_size.",
            )
        self.optimizer.zero_grad(set_to_none=True)
        if self.accelerator.device.type == "cuda":
            torch.cuda.empty_cache()
        state.batch_size = math.ceil(state.batch_size / 2)
        state.gradient_accumulation = math.ceil(self.recipe.effective_batch_size / state.batch_size)
        self._tell_halved()


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
