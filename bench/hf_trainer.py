"""Hugging Face Trainer, with the settings that were found best for it here (bench/NOTES.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


@dataclass(frozen=True)
class Settings:
    """What is left to choose. `workers`: processes that collate batches ahead of the training."""

    bf16: bool
    workers: int = 1
    compile: bool = False
    attention: str | None = None


class _Turns(TrainerCallback):
    def __init__(self, before_step: Callable[[], None]) -> None:
        self.before_step = before_step

    def on_step_begin(self, *arguments: Any, **options: Any) -> None:
        self.before_step()


def train(
    model_folder: Path,
    chunks: Any,
    settings: Settings,
    *,
    batch_size: int,
    learning_rate: float,
    mask_prob: float,
    epochs: int,
    before_step: Callable[[], None],
) -> None:
    """Train on `chunks` with Trainer: fused AdamW, no clipping, no logging at single steps."""
    options = {"attn_implementation": settings.attention} if settings.attention else {}
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForMaskedLM.from_pretrained(model_folder, **options)
    with TemporaryDirectory() as output:
        arguments = TrainingArguments(
            output_dir=output,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            lr_scheduler_type="constant",
            num_train_epochs=epochs,
            max_grad_norm=0.0,
            optim="adamw_torch_fused",
            bf16=settings.bf16,
            use_cpu=not torch.cuda.is_available(),
            torch_compile=settings.compile,
            dataloader_num_workers=settings.workers,
            dataloader_persistent_workers=settings.workers > 0,
            dataloader_pin_memory=torch.cuda.is_available(),
            dataloader_drop_last=True,
            save_strategy="no",
            report_to=[],
            logging_steps=500,
            disable_tqdm=True,
        )
        Trainer(
            model=model,
            args=arguments,
            train_dataset=chunks,
            data_collator=DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm_probability=mask_prob),
            callbacks=[_Turns(before_step)],
        ).train()
