"""The yardstick: one fixed test, on which runs of any chunk size and mask probability can be ranked.

Protocol `tokens-1`: chunks of 128 tokens (or the model's limit if lower) of the first held-out documents, at
most 1,000 chunks; each token predicted with probability 0.15, of those 80 % shown as the mask, 10 % as a
random token, 10 % unchanged; from one fixed seed; in fp32. Chunk i is the same in every run over the same
text, tokenizer, split and seed: a smaller test side is the beginning of a larger one, and masks depend only
on the chunk's number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.corpus import ChunkTable, Corpus, prepare_corpus
from workbench.corpus.masking import EVAL_MASK_SEED, Masker
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.vocabulary import Vocabulary
from workbench.events import Listener
from workbench.pretrained.model import SEED, load_config, load_model, usable_positions
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.store import Yardstick
from workbench.training.batches import BatchMaker
from workbench.training.evaluate import Evaluation, evaluate
from workbench.training.machine import choose_machine
from workbench.training.masked_only import MaskedLM, fit_head

PROTOCOL = "tokens-1"
CHUNK_SIZE = 128
MOST_CHUNKS = 1_000
MASK_PROB = 0.15
_PROBE_ROWS = 8


@dataclass(frozen=True)
class YardstickTest:
    """The test: its chunks and masks. `documents`: as in the store's `chunk_documents`."""

    table: ChunkTable
    masker: Masker
    protocol: str
    tokenizer_fingerprint: str
    masks_fingerprint: str
    hashes: np.ndarray  # (chunks,) uint64, of each chunk's tokens
    documents: np.ndarray  # (chunks + 1,) int32

    @property
    def text_fingerprint(self) -> str:
        """A hash of the tokens that are scored."""
        return hashlib.sha256(self.hashes.tobytes()).hexdigest()[:16]

    def identity(self) -> dict[str, Any]:
        """The protocol and the three fingerprints, named as in the store."""
        return {
            "protocol": self.protocol,
            "text_fingerprint": self.text_fingerprint,
            "tokenizer_fingerprint": self.tokenizer_fingerprint,
            "masks_fingerprint": self.masks_fingerprint,
        }

    def same_questions(self, other: YardstickTest) -> bool:
        """Whether the shorter test is the beginning of the longer one."""
        length = min(len(self.hashes), len(other.hashes))
        return (
            (self.protocol, self.tokenizer_fingerprint, self.masks_fingerprint)
            == (other.protocol, other.tokenizer_fingerprint, other.masks_fingerprint)
        ) and bool((self.hashes[:length] == other.hashes[:length]).all())


def recipe_of_yardstick(recipe: Recipe, chunk_size: int = CHUNK_SIZE) -> Recipe:
    """The recipe with the yardstick's chunk size, mask probability and precision."""
    return recipe.with_changes(chunk_size=chunk_size, mask_prob=MASK_PROB, precision="fp32", compile="off")


def prepare_test(
    recipe: Recipe,
    model: str,
    revision: str | None,
    *,
    cache: Path,
    listen: Listener,
    known: str | None = None,
) -> tuple[YardstickTest, Corpus]:
    """The test for a model on a recipe's text, and the whole text. Raises WorkbenchError.

    `model`: a folder, hub id or `starter` with the run's tokenizer and vocabulary. `known`: the fingerprint
    of the text, if it was prepared before.
    """
    config = load_config(model, revision)
    limit = usable_positions(config)
    tokenizer = load_tokenizer(model, revision)
    chunk_size = int(min(CHUNK_SIZE, limit or CHUNK_SIZE, tokenizer.model_max_length))
    corpus = prepare_corpus(
        recipe_of_yardstick(recipe, chunk_size),
        tokenizer,
        max_chunk=limit,
        cache=cache,
        listen=listen,
        known=known,
    )
    model_tokens = getattr(config.get_text_config(), "vocab_size", None)
    vocabulary = Vocabulary.from_tokenizer(tokenizer, model_tokens)
    fingerprint = DocumentTokenizer(tokenizer).fingerprint[:16]
    return make_test(corpus.test, vocabulary, fingerprint), corpus


def make_test(side: ChunkTable, vocabulary: Vocabulary, tokenizer_fingerprint: str) -> YardstickTest:
    """The test from the beginning of a test side that is cut into the yardstick's chunks."""
    table = ChunkTable(side.ids[:MOST_CHUNKS], side.word_starts[:MOST_CHUNKS], side.offsets)
    masker = Masker(vocabulary, mask_prob=MASK_PROB, seed=EVAL_MASK_SEED)
    last_token = len(table) * table.chunk_size - 1
    last_document = np.searchsorted(table.offsets, last_token, side="right") - 1
    return YardstickTest(
        table,
        masker,
        protocol=f"{PROTOCOL}/{table.chunk_size}",
        tokenizer_fingerprint=tokenizer_fingerprint,
        masks_fingerprint=_fingerprint_of_masks(masker, table.chunk_size),
        hashes=row_hashes(table.ids),
        documents=np.append(table.document_of_chunk(), last_document).astype(np.int32),
    )


def row_hashes(rows: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each row of token ids, independent of their integer type: uint64 (rows,)."""
    digests = [hashlib.blake2b(row.astype("<i4").tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def load_for_scoring(
    model: str, revision: str | None, device: torch.device, chunk_size: int, seed: int = SEED
) -> MaskedLM:
    """A model in fp32 on `device`, with the masked-only head if possible. `seed`: see `load_model`."""
    pretrained = load_model(model, revision, seed=seed).model.to(device)
    wrapped, _ = fit_head(pretrained, chunk_size)
    return wrapped.eval()


def score(
    test: YardstickTest,
    recipe: Recipe,
    model: str,
    revision: str | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Score a model on the recipe's device. `progress(done, total)` counts chunks.

    Raises Interrupted on a stop, ModelError, or UsageError when the device is not available.
    """
    machine = choose_machine(recipe_of_yardstick(recipe), load_config(model, revision).model_type)
    masked_lm = load_for_scoring(model, revision, machine.device, test.table.chunk_size, recipe.seed)
    batches = BatchMaker(test.table, test.masker, machine.device)
    return evaluate(masked_lm, batches, machine.accelerator, progress=progress, should_stop=should_stop)


def as_row(
    test: YardstickTest, evaluation: Evaluation, *, run_id: int | None, step: int, model: str, weights: str
) -> Yardstick:
    """The score as a row of the store."""
    return Yardstick(
        run_id=run_id,
        step=step,
        model=model,
        weights_fingerprint=weights,
        **test.identity(),
        chunks=len(test.table),
        masked_tokens=int(evaluation.masked.sum()),
        loss_sum=float(evaluation.loss_sums.sum()),
        chunk_losses=evaluation.loss_sums.astype("<f8").tobytes(),
        chunk_tokens=evaluation.masked.astype("<i4").tobytes(),
        chunk_hashes=test.hashes.astype("<u8").tobytes(),
        chunk_documents=test.documents.astype("<i4").tobytes(),
    )


def _fingerprint_of_masks(masker: Masker, chunk_size: int) -> str:
    """A hash of masks drawn on synthetic chunks of all tokens of the vocabulary."""
    vocabulary = masker.vocabulary
    ids = torch.arange(_PROBE_ROWS * chunk_size).reshape(_PROBE_ROWS, chunk_size) % vocabulary.size
    drawn = masker(ids, torch.arange(_PROBE_ROWS), 0)
    facts = [vocabulary.size, vocabulary.mask_id, list(vocabulary.special_ids), EVAL_MASK_SEED, MASK_PROB]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(drawn.input_ids.numpy().astype("<i8").tobytes())
    digest.update(drawn.labels.numpy().astype("<i8").tobytes())
    return digest.hexdigest()[:16]
