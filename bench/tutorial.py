"""The loop of the usual notebook: a data set, a collator, a DataLoader, Accelerate, AdamW, fp32.

Written as its readers write it, and nothing is made slower than they have it. Left out, to its advantage: the
scheduler, the progress bar, and a `labels` column that the collator would overwrite anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from transformers import AutoModelForMaskedLM, AutoTokenizer, DataCollatorForLanguageModeling


def train(
    model_folder: Path,
    chunks: Any,
    *,
    batch_size: int,
    learning_rate: float,
    mask_prob: float,
    epochs: int,
    before_step: Callable[[], None] = lambda: None,
) -> Any:
    """Train on `chunks` (rows of input_ids and attention_mask) and return the model."""
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForMaskedLM.from_pretrained(model_folder)
    collator = DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm_probability=mask_prob)
    loader = DataLoader(chunks, shuffle=True, batch_size=batch_size, collate_fn=collator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    accelerator = Accelerator()
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

    losses = []
    model.train()
    for _ in range(epochs):
        for batch in loader:
            # between drawing a batch and using it: a turn is then as long as any other
            before_step()
            loss = model(**batch).loss
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return accelerator.unwrap_model(model)


def group(examples: dict[str, list[list[int]]], chunk_size: int) -> dict[str, list[list[int]]]:
    """Join a map batch's documents and cut them: the lists are added up, the batch's tail is dropped."""
    joined = {name: sum(lists, []) for name, lists in examples.items()}  # noqa: RUF017
    total = len(joined["input_ids"]) // chunk_size * chunk_size
    return {
        name: [tokens[start : start + chunk_size] for start in range(0, total, chunk_size)]
        for name, tokens in joined.items()
    }


def prepare(text: Path, tokenizer_folder: Path, *, chunk_size: int, test_size: int, seed: int) -> Any:
    """A .jsonl file to chunks, train and test, as the notebook does it."""
    from datasets import load_dataset

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    rows = load_dataset("json", data_files=str(text), split="train")
    split = rows.train_test_split(test_size=test_size, seed=seed)
    tokens = split.map(
        lambda examples: tokenizer(examples["text"], return_token_type_ids=False),
        batched=True,
        remove_columns=rows.column_names,
    )
    return tokens.map(lambda examples: group(examples, chunk_size), batched=True)
