"""The documents that a run's model was trained on: the run's own, and those of all runs that it continues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.document_hashes import documents_of
from workbench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from workbench.store import Run, Store

_RUN = "run:"
_LONGEST_CHAIN = 100


@dataclass(frozen=True)
class TrainedOn:
    """Hashes of documents, uint64, sorted. known: whether that is all of them; `run:` bases count, models
    from elsewhere do not: what those were trained on cannot be known here.
    """

    hashes: np.ndarray
    known: bool


def trained_on(store: Store, run: Run) -> TrainedOn:
    """The documents that a run and its ancestors were trained on, from their folders and the store."""
    import numpy as np

    hashes, complete = [np.empty(0, np.uint64)], True
    current: Run | None = run
    for _ in range(_LONGEST_CHAIN):
        if current is None:
            return TrainedOn(np.unique(np.concatenate(hashes)), complete)
        held = documents_of(Path(current.folder)) if current.folder else None
        if held is None:
            complete = False
        else:
            hashes.append(held.seen)
            complete = complete and held.before_known
        if held is not None and held.before is not None and held.before_known:
            break  # the file covers the whole chain
        current, followed = _continued(store, current)
        complete = complete and followed
    return TrainedOn(np.unique(np.concatenate(hashes)), complete)


def _continued(store: Store, run: Run) -> tuple[Run | None, bool]:
    """The run whose model this one started from, if any, and whether it could be found."""
    model = str(run.recipe.model or "")
    if not model.startswith(_RUN):
        return None, True
    try:
        return store.find(model.partition("@")[0]), True
    except UsageError:  # deleted meanwhile
        return None, False
