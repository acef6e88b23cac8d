"""A run's losses per chunk of the yardstick, and the chunks that several runs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.analysis.lineage import TrainedOn, trained_on

if TYPE_CHECKING:
    import numpy as np

    from workbench.store import Run, Store, Yardstick

FEWEST_DOCUMENTS = 10
"""With fewer independent documents in common, there is no verdict."""


@dataclass(frozen=True)
class ChunkScores:
    """One score, unpacked. losses, tokens: (draws, chunks); hashes: (chunks,); documents: (chunks + 1,), as
    in the store; contents: the hash of each document, (documents,).

    trained: what the run's models were trained on.
    """

    run: Run
    score: Yardstick
    losses: np.ndarray
    tokens: np.ndarray
    hashes: np.ndarray
    documents: np.ndarray
    contents: np.ndarray
    trained: TrainedOn

    @classmethod
    def of(cls, store: Store, run: Run, score: Yardstick) -> ChunkScores:
        import numpy as np

        return cls(
            run,
            score,
            np.frombuffer(score.chunk_losses, "<f8").reshape(score.draws, -1),
            np.frombuffer(score.chunk_tokens, "<i4").reshape(score.draws, -1),
            np.frombuffer(score.chunk_hashes, "<u8"),
            np.frombuffer(score.chunk_documents, "<i4"),
            np.frombuffer(score.document_hashes or b"", "<u8"),
            trained_on(store, run),
        )

    @property
    def run_id(self) -> int:
        return self.run.id

    @property
    def chunks(self) -> int:
        return len(self.hashes)

    @property
    def questions(self) -> tuple[str, str, str]:
        """The fingerprints that must be equal before chunks can be compared."""
        return self.score.protocol, self.score.tokenizer_fingerprint, self.score.masks_fingerprint

    @property
    def text(self) -> str:
        """What was scored, by its fingerprint."""
        return self.score.text_fingerprint


def same_test(a: ChunkScores, b: ChunkScores) -> bool:
    """Whether two scores are of the same questions: the whole text of the shorter test is the beginning of
    the longer one's, chunk by chunk and document by document.
    """
    if a.questions != b.questions:
        return False
    if a.text == b.text:
        return True
    length = min(a.chunks, b.chunks)
    last = int(min(a.documents[length - 1], b.documents[length - 1])) if length else -1
    return bool(
        length
        and (a.hashes[:length] == b.hashes[:length]).all()
        and (a.documents[:length] == b.documents[:length]).all()
        and len(a.contents) > last < len(b.contents)
        and (a.contents[: last + 1] == b.contents[: last + 1]).all()
    )


@dataclass(frozen=True)
class SharedChunks:
    """What several sheets share: `kept`, bool (chunks,), over the chunks that they all have.

    A chunk is left out that holds any of a document which one of the runs was trained on. documents:
    (chunks,) the document that each chunk begins in; equal documents have one number. draws: those that all
    have. seen: how many of the `of` documents each run was trained on, by run id.
    """

    kept: np.ndarray
    documents: np.ndarray
    draws: int
    seen: dict[int, int]
    of: int

    @property
    def chunks(self) -> int:
        return int(self.kept.sum())

    @property
    def units(self) -> int:
        """Different documents in which the kept chunks begin."""
        import numpy as np

        return len(np.unique(self.documents[self.kept]))

    def losses(self, sheet: ChunkScores) -> np.ndarray:
        """A sheet's losses in nats over the draws that all have, (kept chunks,)."""
        return _shared_sum(sheet.losses, self)

    def tokens(self, sheet: ChunkScores) -> np.ndarray:
        """The tokens asked in each kept chunk, over the draws that all have: (kept chunks,)."""
        return _shared_sum(sheet.tokens, self)

    def loss(self, sheet: ChunkScores) -> float:
        """Mean loss per asked token over the kept chunks, in nats."""
        return float(self.losses(sheet).sum() / max(1, self.tokens(sheet).sum()))


def _shared_sum(values: np.ndarray, shared: SharedChunks) -> np.ndarray:
    """Values (draws, chunks) over the shared draws, of the kept chunks."""
    return values[: shared.draws, : len(shared.kept)].sum(axis=0)[shared.kept]


def shared_chunks(sheets: Sequence[ChunkScores]) -> SharedChunks:
    """What these sheets share, each two of which are of the same test."""
    import numpy as np

    shortest = min(sheets, key=lambda sheet: (sheet.chunks, sheet.run_id))
    length = shortest.chunks
    documents = shortest.documents[: length + 1]
    contents = shortest.contents[: int(documents[-1]) + 1 if length else 0]
    unseen = np.ones(len(contents), dtype=bool)
    seen: dict[int, int] = {}
    for sheet in sheets:
        known = np.isin(contents, sheet.trained.hashes)
        seen[sheet.run_id] = max(seen.get(sheet.run_id, 0), int(known.sum()))
        unseen &= ~known
    # the number of seen documents before each one; a chunk is kept if none lies between its first and last
    so_far = np.concatenate([[0], np.cumsum(~unseen)])
    kept = so_far[documents[1:] + 1] == so_far[documents[:-1]]
    draws = min(sheet.score.draws for sheet in sheets)
    kept &= shortest.tokens[:draws, :length].sum(axis=0) > 0
    _, units = np.unique(contents, return_inverse=True)
    return SharedChunks(kept, units[documents[:-1]], draws, seen, len(contents))
