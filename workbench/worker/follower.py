"""The processes of a run besides the leading one: they train, but do not record or report."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from workbench.errors import PeerError, WorkbenchError
from workbench.paths import cache_folder
from workbench.recipe import Recipe
from workbench.worker.leash import Leash
from workbench.worker.rank import LOST, leave_words
from workbench.worker.setup import set_up_process
from workbench.worker.stop_flag import StopFlag

log = logging.getLogger(__name__)


def lead(recipe: Recipe, folder: Path, resume_from: Path | None, model: str | None) -> None:
    """Tell the other processes of this run, if any, what to train."""
    from workbench.training.ranks import join

    join().from_first(
        {
            "recipe": recipe.model_dump(mode="json"),
            "folder": str(folder.absolute()),
            "resume_from": str(resume_from.absolute()) if resume_from else None,
            "model": model,
        }
    )


def dismiss() -> None:
    """End the other processes of this run, if any: there is nothing to train."""
    if int(os.environ.get("WORLD_SIZE") or 1) == 1:
        return
    from workbench.training.ranks import join

    ranks = join()
    ranks.from_first(None)
    ranks.leave()


def follow(stop: StopFlag) -> int:
    """Train with the leading process. Returns 0 when the training ended or was stopped, LOST when another
    process failed or is gone, 1 when this one failed. Only the leading process reports users' mistakes.
    """
    set_up_process(quiet=True)
    Leash(stop).hold()
    try:
        _train(stop)
    except PeerError:
        return LOST
    except WorkbenchError as error:
        leave_words(error)
        return 1
    except BaseException as error:
        leave_words(error)
        log.exception("This process failed.")
        return 1
    return 0


def _train(stop: StopFlag) -> None:
    from transformers.utils import logging as transformers_logging

    from workbench.training.engine import train
    from workbench.training.ranks import join

    transformers_logging.disable_progress_bar()
    job: dict[str, Any] | None = join().from_first(None)
    if job is None:
        return
    train(
        Recipe.parse(job["recipe"]),
        Path(job["folder"]),
        lambda event: None,
        cache=cache_folder(),
        should_stop=stop,
        resume_from=Path(job["resume_from"]) if job["resume_from"] else None,
        model=job["model"],
    )
