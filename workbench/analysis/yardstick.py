"""The yardstick: one fixed test, on which runs of any chunk size and mask probability can be ranked.

Protocol `masked-1`: chunks of 128 tokens (or the model's limit if lower) of the first documents held out, at
most 1,000 chunks; each token predicted with probability 0.15 and shown as the mask; from one fixed seed; in
fp32. Chunk i is the same in every run over the same text, tokenizer, split and seed: a smaller test side is
the beginning of a larger one, and a mask depends on its chunk's number alone.

A short test is asked several times, each time other tokens, until its figure is certain to 1 % or as much is
spent as a full test takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.analysis.protocol import MASKED
from workbench.corpus import ChunkTable, Corpus, prepare_corpus
from workbench.corpus.masking import EVAL_MASK_SEED, Masker
from workbench.corpus.streams import TokenStream
from workbench.corpus.tokenizing import tokenizer_fingerprint
from workbench.corpus.vocabulary import Vocabulary
from workbench.document_hashes import document_hashes
from workbench.events import Listener
from workbench.pretrained.model import SEED, load_config, load_model, usable_positions
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.store import Yardstick
from workbench.training.batches import BatchMaker
from workbench.training.evaluate import Evaluation, evaluate
from workbench.training.machine import choose_machine
from workbench.training.masked_only import MaskedLM, fit_head

CHUNK_SIZE = 128
MOST_CHUNKS = 1_000
MASK_PROB = 0.15
CERTAIN = 0.01
"""The standard error of the loss, in nats, and so of the perplexity as a share, at which no more is asked."""
MOST_PASSES = 1_000
"""Chunks that are scored for one figure over all its draws, unless one draw takes more."""
MOST_DRAWS = 20
"""By then every token was asked three times: more tells nothing more about the text."""
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
    contents: np.ndarray  # (documents,) uint64, of each document's tokens

    @property
    def most_draws(self) -> int:
        """How often it is asked at most."""
        return max(1, min(MOST_DRAWS, MOST_PASSES // max(1, len(self.table))))

    def masker_of(self, draw: int) -> Masker:
        """The masks of a draw, from 0."""
        return _masker(self.masker.vocabulary, draw)

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
    known_tokens = getattr(config.get_text_config(), "vocab_size", None)
    vocabulary = Vocabulary.from_tokenizer(tokenizer, known_tokens)
    fingerprint = tokenizer_fingerprint(tokenizer)
    held_out = None if corpus.streams is None else corpus.streams[1]
    return make_test(corpus.test, vocabulary, fingerprint, held_out), corpus


def make_test(
    side: ChunkTable, vocabulary: Vocabulary, tokenizer_fingerprint: str, stream: TokenStream | None = None
) -> YardstickTest:
    """The questions over the beginning of a test side that is cut into the yardstick's chunks. stream: the
    side uncut; without it the last document may be hashed without its end.
    """
    table = ChunkTable(side.ids[:MOST_CHUNKS], side.word_starts[:MOST_CHUNKS], side.offsets)
    masker = _masker(vocabulary, 0)
    last_token = len(table) * table.chunk_size - 1
    last_document = np.searchsorted(table.offsets, last_token, side="right") - 1
    return YardstickTest(
        table,
        masker,
        protocol=f"{MASKED}/{table.chunk_size}",
        tokenizer_fingerprint=tokenizer_fingerprint,
        masks_fingerprint=_fingerprint_of_masks(masker, table.chunk_size),
        hashes=row_hashes(table.ids),
        documents=np.append(table.document_of_chunk(), last_document).astype(np.int32),
        contents=document_hashes(
            stream or TokenStream(side.ids.reshape(-1), side.word_starts.reshape(-1), side.offsets),
            int(last_document) + 1,
        ),
    )


def _masker(vocabulary: Vocabulary, draw: int) -> Masker:
    return Masker(
        vocabulary,
        mask_prob=MASK_PROB,
        mask_share=1.0,
        random_share=0.0,
        keep_share=0.0,
        seed=EVAL_MASK_SEED,
        turn=draw,
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
) -> list[Evaluation]:
    """Score a model, on the recipe's device: one evaluation for each draw of the masks, at least one.

    `progress` is told chunks done and in all, each draw's chunks counted.

    Raises Interrupted on a stop, ModelError, or UsageError when the device is not available.
    """
    machine = choose_machine(recipe_of_yardstick(recipe), load_config(model, revision).model_type)
    masked_lm = load_for_scoring(model, revision, machine.device, test.table.chunk_size, recipe.seed)
    chunks, draws = len(test.table), test.most_draws
    evaluations: list[Evaluation] = []
    while not evaluations or (len(evaluations) < draws and error_of_draws(evaluations) > CERTAIN):
        batches = BatchMaker(test.table, test.masker_of(len(evaluations)), machine.device)
        tell = partial(_tell, progress, len(evaluations) * chunks, draws * chunks)
        evaluations.append(
            evaluate(masked_lm, batches, machine.accelerator, progress=tell, should_stop=should_stop)
        )
    return evaluations


def _tell(progress: Callable[[int, int], None], before: int, of_all: int, done: int, of_this: int) -> None:
    progress(before + done, of_all)


def error_of_draws(evaluations: list[Evaluation]) -> float:
    """Standard error of the mean loss, in nats, that the choice of the asked tokens causes.

    It is found from how a chunk's losses differ between draws; of a single draw, from how chunks differ,
    which is more. It is an upper bound, because draws ask different tokens and so make up for each other.
    """
    losses, tokens = (
        np.stack([evaluation.loss_sums for evaluation in evaluations]),
        np.stack([evaluation.masked for evaluation in evaluations]),
    )
    draws, asked = len(evaluations), max(1, int(tokens.sum()))
    mean = losses.sum(axis=0) / np.maximum(tokens.sum(axis=0), 1) if draws > 1 else losses.sum() / asked
    squares = float(((losses - mean * tokens) ** 2).sum())
    return float(np.sqrt(squares * (draws / (draws - 1) if draws > 1 else 1.0))) / asked


def as_row(
    test: YardstickTest,
    evaluations: list[Evaluation],
    *,
    run_id: int | None,
    step: int,
    model: str,
    weights: str,
) -> Yardstick:
    """The score as a row of the store."""
    losses, tokens = (
        np.stack([evaluation.loss_sums for evaluation in evaluations]),
        np.stack([evaluation.masked for evaluation in evaluations]),
    )
    return Yardstick(
        run_id=run_id,
        step=step,
        model=model,
        weights_fingerprint=weights,
        **test.identity(),
        chunks=len(test.table),
        masked_tokens=int(tokens.sum()),
        loss_sum=float(losses.sum()),
        draws=len(evaluations),
        loss_error=error_of_draws(evaluations),
        chunk_losses=losses.astype("<f8").tobytes(),
        chunk_tokens=tokens.astype("<i4").tobytes(),
        document_hashes=test.contents.astype("<u8").tobytes(),
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
