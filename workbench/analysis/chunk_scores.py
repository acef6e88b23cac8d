"""A run's answers on the yardstick, and what two runs have in common of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.analysis.document_hashes import DocumentHashes

if TYPE_CHECKING:
    import numpy as np

    from workbench.store import Run, Yardstick


@dataclass(frozen=True)
class Sheet:
    """One score, unpacked. losses, tokens, hashes: (chunks,); documents: (chunks + 1,), as in the store.

    `held`: the hashes of the run's documents; None: they are not known.
    """

    run: Run
    score: Yardstick
    losses: np.ndarray
    tokens: np.ndarray
    hashes: np.ndarray
    documents: np.ndarray
    held: DocumentHashes | None

    @classmethod
    def of(cls, run: Run, score: Yardstick, held: DocumentHashes | None) -> Sheet:
        """What the store keeps of a score."""
        import numpy as np

        return cls(
            run,
            score,
            np.frombuffer(score.chunk_losses, "<f8"),
            np.frombuffer(score.chunk_tokens, "<i4"),
            np.frombuffer(score.chunk_hashes, "<u8"),
            np.frombuffer(score.chunk_documents, "<i4"),
            held,
        )

    @property
    def run_id(self) -> int:
        return self.run.id

    @property
    def questions(self) -> tuple[str, str, str]:
        """What must be the same before chunks can be compared at all."""
        return self.score.protocol, self.score.tokenizer_fingerprint, self.score.masks_fingerprint

    @property
    def text(self) -> tuple[object, ...]:
        """What must be the same besides: the first chunk, for a longer test begins with a shorter one."""
        return *self.questions, int(self.hashes[0]) if len(self.hashes) else None


@dataclass(frozen=True)
class Common:
    """What several sheets share: `kept`, bool (chunks,), over the chunks that they all have.

    A chunk is left out that holds any of a document which one of the runs was trained on. `seen`: how many of
    the `of` documents each run was trained on, by run id; runs whose training text is not known are missing.
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
        """Documents in which the kept chunks begin."""
        import numpy as np

        return len(np.unique(self.documents[self.kept]))


def common(sheets: list[Sheet]) -> Common:
    """What these sheets, of the same `text`, share."""
    import numpy as np

    length = min(len(sheet.hashes) for sheet in sheets)
    first = sheets[0]
    same = np.ones(length, dtype=bool)
    for other in sheets[1:]:
        same &= (first.hashes[:length] == other.hashes[:length]) & (
            first.tokens[:length] == other.tokens[:length]
        )
    length = length if same.all() else int(same.argmin())
    documents = first.documents[: length + 1]
    last = int(documents[-1]) if length else -1
    known = next((sheet.held for sheet in sheets if sheet.held is not None), None)
    scored = known.test[: last + 1] if known is not None else np.empty(0, np.uint64)
    unseen = np.ones(last + 1, dtype=bool)
    seen = {}
    for sheet in sheets:
        if sheet.held is not None and len(scored) == last + 1:
            trained_on = np.isin(scored, sheet.held.train)
            seen[sheet.run_id] = int(trained_on.sum())
            unseen &= ~trained_on
    # how many documents before each one were seen; a chunk is kept when none is from its first to its last
    so_far = np.concatenate([[0], np.cumsum(~unseen)])
    kept = so_far[documents[1:] + 1] == so_far[documents[:-1]]
    return Common(kept, documents[:-1], seen, last + 1)
