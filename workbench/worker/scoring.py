"""Scores a run on the yardstick after its training. An error here does not fail the run."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import ModelError, WorkbenchError
from workbench.events import Listener, Message
from workbench.store import Run, Store
from workbench.training.interrupted import Interrupted

if TYPE_CHECKING:
    from workbench.analysis.scorer import Keeper

log = logging.getLogger(__name__)


def score_run(
    store: Store,
    run: Run,
    listen: Listener,
    *,
    cache: Path,
    should_stop: Callable[[], bool],
    keeper: Keeper | None = None,
) -> None:
    """Score the newest and the best checkpoint, then the base model if it has no score yet.

    A stop ends it, and what is scored by then is kept. `keeper`: see `Scorer`.
    """
    # not at the top: the worker reports that it has started before the slow imports
    import torch

    from workbench.analysis.scorer import Scorer

    gc.collect()  # free the trained model and its optimizer state
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        scorer = Scorer(store, run, cache=cache, listen=listen, should_stop=should_stop, keeper=keeper)
        saved = store.checkpoints(run.id)
        for checkpoint in [*saved[-1:], *(earlier for earlier in saved[:-1] if earlier.best)]:
            scorer.checkpoint(checkpoint)
        try:
            scorer.base()
        except ModelError as error:  # the base model may have been deleted meanwhile
            listen(Message(f"The model before training was not scored: {error}", level="warning"))
    except Interrupted:
        listen(Message(f"Stopped: the yardstick is not finished. {_later(run.id)}"))
    except WorkbenchError as error:
        listen(Message(f"The yardstick was not scored: {error} {_later(run.id)}", level="warning"))
    except Exception:  # the training is finished and saved in any case
        log.exception("The yardstick was not scored. %s", _later(run.id))


def _later(run_id: int) -> str:
    return f"Later: mlm-workbench yardstick {run_id}"
