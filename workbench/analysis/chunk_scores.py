"""A run's losses per chunk of the yardstick, and the chunks that several runs share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.analysis.document_hashes import DocumentHashes

if TYPE_CHECKING:
    import numpy as np

    from workbench.store import Run, Yardstick


@dataclass(frozen=True)
class ChunkScores:
    """One yardstick score, unpacked. losses, tokens, hashes: (chunks,); documents: (chunks + 1,), as stored.

    `run_documents`: the hashes of the run's documents; None if they are not known.
    """

    run: Run
    score: Yardstick
    losses: np.ndarray
    tokens: np.ndarray
    hashes: np.ndarray
    documents: np.ndarray
    run_documents: DocumentHashes | None

    @classmethod
    def of(cls, run: Run, score: Yardstick, run_documents: DocumentHashes | None) -> ChunkScores:
        import numpy as np

        return cls(
            run,
            score,
            np.frombuffer(score.chunk_losses, "<f8"),
            np.frombuffer(score.chunk_tokens, "<i4"),
            np.frombuffer(score.chunk_hashes, "<u8"),
            np.frombuffer(score.chunk_documents, "<i4"),
            run_documents,
        )

    @property
    def run_id(self) -> int:
        return self.run.id

    @property
    def questions(self) -> tuple[str, str, str]:
        """The fingerprints that must be equal before chunks can be compared."""
        return self.score.protocol, self.score.tokenizer_fingerprint, self.score.masks_fingerprint

    @property
    def text(self) -> tuple[object, ...]:
        """The same with the first chunk's hash: a longer test starts with the shorter one."""
        return *self.questions, int(self.hashes[0]) if len(self.hashes) else None


@dataclass(frozen=True)
class SharedChunks:
    """The chunks that several scores share: `kept`, bool (chunks,), over the chunks that all of them have.

    Chunks with any part of a document that one of the runs was trained on are excluded. `seen`: by run id,
    how many of the `of` documents the run was trained on; runs whose training text is unknown are missing.
    """

    kept: np.ndarray
    documents: np.ndarray
    seen: dict[int, int]
    of: int

    @property
    def chunks(self) -> int:
        return int(self.kept.sum())

    @property
    def units(self) -> int:
        """The number of documents in which the kept chunks begin."""
        import numpy as np

        return len(np.unique(self.documents[self.kept]))


def shared_chunks(scores: list[ChunkScores]) -> SharedChunks:
    """The chunks that these scores, of the same `text`, share."""
    import numpy as np

    length = min(len(score.hashes) for score in scores)
    first = scores[0]
    same = np.ones(length, dtype=bool)
    for other in scores[1:]:
        same &= (first.hashes[:length] == other.hashes[:length]) & (
            first.tokens[:length] == other.tokens[:length]
        )
    length = length if same.all() else int(same.argmin())
    documents = first.documents[: length + 1]
    last = int(documents[-1]) if length else -1
    hashes = next((score.run_documents for score in scores if score.run_documents is not None), None)
    tested = hashes.test[: last + 1] if hashes is not None else np.empty(0, np.uint64)
    unseen = np.ones(last + 1, dtype=bool)
    seen = {}
    for score in scores:
        if score.run_documents is not None and len(tested) == last + 1:
            trained_on = np.isin(tested, score.run_documents.train)
            seen[score.run_id] = int(trained_on.sum())
            unseen &= ~trained_on
    # the number of seen documents before each one; a chunk is kept if none lies between its first and last
    seen_before = np.concatenate([[0], np.cumsum(~unseen)])
    kept = seen_before[documents[1:] + 1] == seen_before[documents[:-1]]
    return SharedChunks(kept, documents[:-1], seen, last + 1)
