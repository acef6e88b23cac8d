"""Runs with made-up scores: what a comparison says is tested without training anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench.document_hashes import FILE, DocumentHashes, write_documents
from workbench.recipe import PRESETS, Recipe
from workbench.store import Run, Store, Yardstick

TOKENS = 19
"""Asked in each chunk."""


@dataclass(frozen=True)
class Text:
    """A held-out text. lengths: of each document, in chunks. contents: its documents' hashes; by default
    each is another one.
    """

    lengths: Sequence[int]
    contents: Sequence[int] = ()
    name: str = "text"

    @property
    def hashes(self) -> np.ndarray:
        contents = self.contents or range(1, len(self.lengths) + 1)
        return np.array(list(contents), np.uint64)

    @property
    def documents(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def beginning(self, documents: int) -> Text:
        return Text(self.lengths[:documents], self.hashes[:documents].tolist(), self.name)


@dataclass
class MadeUp:
    """A store in `folder` that is filled by hand."""

    folder: Path
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store.open(self.folder / "experiments.db")

    def run(
        self,
        text: Text,
        loss: np.ndarray | float = 3.0,
        *,
        recipe: Recipe = PRESETS["starter"],
        trained_on: Sequence[int] | None = (),
        before: Sequence[int] | None = (),
        noise: float = 0.0,
        draw: int = 0,
        steps: int = 10,
        **changed: Any,
    ) -> Run:
        """A finished run with a score. loss: in nats per token, of each document or all. trained_on, before:
        hashes of its own documents and of those of its base; trained_on None: there is no file. changed:
        columns of the score.
        """
        run = self.store.create_run(recipe, f"run {len(self.store.runs()) + 1}")
        place = Path(run.folder)
        place.mkdir(parents=True)
        if trained_on is not None:
            held = [np.array(list(one), np.uint64) for one in (trained_on, before or ())]
            write_documents(
                place / FILE,
                DocumentHashes(held[0], text.hashes, "t", None if before is None else held[1], True, "c"),
            )
        path = str(place / f"step-{steps}")
        self.store.add_checkpoint(run.id, step=steps, epoch=1.0, path=path, eval_perplexity=20.0, best=True)
        self.store.update_run(run.id, status="finished", checkpoint=path, eval_perplexity=20.0)
        self.store.yardsticks.add(self.score(run, text, loss, noise=noise, draw=draw, step=steps, **changed))
        return self.store.run(run.id)

    def score(
        self,
        run: Run | None,
        text: Text,
        loss: np.ndarray | float = 3.0,
        *,
        noise: float = 0.0,
        draw: int = 0,
        step: int = 10,
        **changed: Any,
    ) -> Yardstick:
        """A score that is not in the store yet. noise: of a chunk's loss, in nats per token."""
        documents = text.documents
        chunks = len(documents)
        each = np.broadcast_to(np.asarray(loss, float), (len(text.lengths),))[documents]
        each = each + np.random.default_rng(draw).normal(0.0, noise, chunks)
        losses, tokens = each * TOKENS, np.full(chunks, TOKENS)
        of_chunks = text.hashes[documents] * np.uint64(1000) + (
            np.arange(chunks) - np.searchsorted(documents, documents)
        ).astype(np.uint64)
        values: dict[str, Any] = {
            "run_id": run.id if run else None,
            "step": step,
            "model": "starter",
            "weights_fingerprint": f"w{run.id if run else 0}",
            "protocol": "masked-1/128",
            "text_fingerprint": f"{text.name} {hash(of_chunks.tobytes())}",
            "tokenizer_fingerprint": "t",
            "masks_fingerprint": "m",
            "chunks": chunks,
            "masked_tokens": int(tokens.sum()),
            "loss_sum": float(losses.sum()),
            "chunk_losses": losses.astype("<f8").tobytes(),
            "chunk_tokens": tokens.astype("<i4").tobytes(),
            "chunk_hashes": of_chunks.astype("<u8").tobytes(),
            "chunk_documents": np.append(documents, len(text.lengths) - 1).astype("<i4").tobytes(),
            "document_hashes": text.hashes.astype("<u8").tobytes(),
            **changed,
        }
        return Yardstick(**values)
