"""After a training: score the run on the yardstick. What goes wrong here does not undo the training."""

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
    """Score the newest and the best checkpoint, then the base model if it is not known yet.

    A stop ends it, and what is scored by then is kept. `keeper`: see `Scorer`.
    """
    # here, not above: the worker says that it has begun before it imports what takes seconds
    import torch

    from workbench.analysis.scorer import Scorer

    gc.collect()  # the trained model and its moments make room
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        scorer = Scorer(store, run, cache=cache, listen=listen, should_stop=should_stop, keeper=keeper)
        saved = store.checkpoints(run.id)
        for checkpoint in [*saved[-1:], *(one for one in saved[:-1] if one.best)]:
            scorer.checkpoint(checkpoint)
        try:
            scorer.base()
        except ModelError as error:  # it may be gone by now
            listen(Message(f"The model before training was not scored: {error}", level="warning"))
    except Interrupted:
        listen(Message(f"Asked to stop: the yardstick is left. {_later(run.id)}"))
    except WorkbenchError as error:
        listen(Message(f"The yardstick was not scored: {error} {_later(run.id)}", level="warning"))
    except Exception:  # the training is done and saved, whatever a model or a disk does now
        log.exception("The yardstick was not scored. %s", _later(run.id))


def _later(run_id: int) -> str:
    return f"Later: mlm-workbench yardstick {run_id}"
