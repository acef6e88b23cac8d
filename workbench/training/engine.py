"""Train one recipe: text to masked batches to a model, told as events to whoever listens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from workbench.corpus import prepare_corpus
from workbench.corpus.new_model import newborn
from workbench.events import Event, Listener, Message, Phase, PhaseChanged, Progress
from workbench.pretrained.fitting import first
from workbench.pretrained.model import LoadedModel, load_config, load_model, usable_positions
from workbench.pretrained.shapes import is_new
from workbench.pretrained.start import keep_start
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.training import checkpoint, cpu
from workbench.training.evaluate import Interrupted
from workbench.training.loop import TrainingLoop
from workbench.training.machine import choose_machine

log = logging.getLogger(__name__)


def train(
    recipe: Recipe,
    folder: Path,
    listen: Listener,
    *,
    cache: Path,
    should_stop: Callable[[], bool] = lambda: False,
    resume_from: Path | None = None,
    model: str | None = None,
) -> Status:
    """Train `recipe`: `finished`, or `stopped` before. Checkpoints appear in `folder`/checkpoints, prepared
    text is kept in `cache`.

    `model` takes the place of recipe.model where that names a run. `resume_from` is a checkpoint folder of
    this run, which has all that is needed to go on but the text: the base model may be gone. `should_stop` is
    asked between steps; a stop leaves a checkpoint to go on from. `listen` is called on this thread, and on
    the main process only when there are several. Raises WorkbenchError.
    """
    listen(PhaseChanged(Phase.STARTING))
    model_name, revision, known_text = _where_it_begins(recipe, model, resume_from)
    if is_new(model_name):
        model_name = _newborn(recipe, cache, listen)
    config = load_config(model_name, revision)
    machine = choose_machine(recipe, config.model_type)
    tell = listen if machine.accelerator.is_main_process else _nobody
    for note in machine.notes:
        tell(Message(note, level="warning"))

    def tell_unless_stopped(event: Event) -> None:
        tell(event)
        if should_stop():
            raise Interrupted

    try:
        tokenizer = load_tokenizer(model_name, revision, lambda text: tell(Message(text, level="info")))
        with machine.accelerator.main_process_first():
            corpus = prepare_corpus(
                recipe,
                tokenizer,
                max_chunk=usable_positions(config),
                cache=cache,
                listen=tell_unless_stopped,
                known=known_text,
            )
        tell_unless_stopped(PhaseChanged(Phase.LOADING_MODEL))
        loaded = load_model(
            model_name,
            revision,
            lambda done, total: tell_unless_stopped(Progress(done, total, "bytes")),
            seed=recipe.seed,
        )
        _tell_of(loaded, tell)
        if loaded.drawn and machine.accelerator.is_main_process:
            keep_start(folder, partial(_write_model, loaded, tokenizer))
        if machine.device.type == "cpu":
            cpu.speed_up(loaded.model)
        loop = TrainingLoop(recipe, folder, machine, tokenizer, corpus, loaded, tell, should_stop)
        if resume_from:
            loop.resume(*checkpoint.load_state(resume_from))
        finished = loop.run()
    except Interrupted:
        finished = False
    finally:
        # Processes that simply leave can abort each other's communication.
        if machine.accelerator.num_processes > 1:
            machine.accelerator.end_training()
    return Status.FINISHED if finished else Status.STOPPED


def _newborn(recipe: Recipe, cache: Path, listen: Listener) -> str:
    main = os.environ.get("RANK", "0") == "0"
    return str(newborn(recipe, cache=cache, listen=listen if main else _nobody))


def _where_it_begins(
    recipe: Recipe, model: str | None, resume_from: Path | None
) -> tuple[str, str | None, str | None]:
    """The model to load, its revision, and the fingerprint of a text that the run has read before."""
    if resume_from is None:
        return model or recipe.model, recipe.model_revision, None
    return str(resume_from), None, checkpoint.load_progress(resume_from).corpus_fingerprint


def _tell_of(loaded: LoadedModel, tell: Listener) -> None:
    for note in loaded.notes:
        tell(Message(note, level="warning"))
    if loaded.left_out:
        tell(Message(f"Not of this model, and left out of its files: {first(loaded.left_out)}."))


def _write_model(loaded: LoadedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    loaded.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _nobody(event: Event) -> None:
    """Every process but the main one trains in silence."""
