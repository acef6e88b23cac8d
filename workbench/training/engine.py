"""Trains one recipe: text to masked batches to a model, reported as events to a listener."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from workbench.corpus import Corpus, prepare_corpus
from workbench.corpus.new_model import make_new_model
from workbench.corpus.tokenizing import tokenizer_fingerprint
from workbench.document_hashes import remember_documents
from workbench.errors import TrainingError
from workbench.events import Event, Listener, Message, Phase, PhaseChanged, Progress
from workbench.pretrained.fitting import first
from workbench.pretrained.model import LoadedModel, load_config, load_model, usable_positions
from workbench.pretrained.shapes import is_new
from workbench.pretrained.start import keep_start
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.training import checkpoint, cpu
from workbench.training.interrupted import Interrupted
from workbench.training.loop import TrainingLoop
from workbench.training.machine import Machine, choose_machine
from workbench.training.ranks import Ranks, join

LARGE = 1_500_000_000
"""Number of parameters above which the memory they need is reported: a 24 GB GPU holds no more."""
BYTES_PER_PARAMETER = 16
"""In fp32: a weight, its gradient and AdamW's two moments."""


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
    """Train `recipe` until it is `finished` or `stopped`.

    Checkpoints appear in `folder`/checkpoints; prepared text is kept in `cache`. `model` replaces a
    recipe.model that names a run. `resume_from`: a checkpoint folder of this run; with the text it is all
    that a resume needs, the base model may be gone. `should_stop` is called between steps; a stop leaves a
    checkpoint to resume from. `listen` is called on this thread, and only in the leading process (ranks.py).
    Raises WorkbenchError: PeerError when another process has failed or is gone.
    """
    ranks = join()
    tell = listen if ranks.leads else _ignore
    tell(PhaseChanged(Phase.STARTING))
    setup = _Setup(
        recipe,
        folder,
        ranks,
        tell,
        cache=cache,
        should_stop=should_stop,
        resume_from=resume_from,
        model=model,
    )
    try:
        finished = setup.loop().run()
    except Interrupted:
        finished = False
    finally:
        ranks.leave()
    return Status.FINISHED if finished else Status.STOPPED


class _Setup:
    """Prepares a training on every process. If it fails on one, all of them end."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        ranks: Ranks,
        tell: Listener,
        *,
        cache: Path,
        should_stop: Callable[[], bool],
        resume_from: Path | None,
        model: str | None,
    ) -> None:
        self.recipe, self.folder, self.ranks, self.tell = recipe, folder, ranks, tell
        self.cache, self.should_stop, self.resume_from = cache, should_stop, resume_from
        self.model = model

    def loop(self) -> TrainingLoop:
        """The loop, at its setup or at the checkpoint. Raises WorkbenchError, Interrupted."""
        ranks = self.ranks
        start = ranks.together(lambda: _starting_point(self.recipe, self.model, self.resume_from))
        name, revision, text_fingerprint = start
        if is_new(name):
            name = ranks.once_a_machine(
                lambda: str(make_new_model(self.recipe, cache=self.cache, listen=self._tell_unless_stopped))
            )
        config = ranks.once_a_machine(lambda: load_config(name, revision))
        machine = ranks.together(lambda: choose_machine(self.recipe, config.model_type))
        self._check_alike("computes", f"on {machine.device.type} in {machine.precision}")
        for note in machine.notes:
            self.tell(Message(note, level="warning"))
        tokenizer = ranks.once_a_machine(
            lambda: load_tokenizer(name, revision, lambda text: self.tell(Message(text, level="info")))
        )
        corpus = ranks.once_a_machine(
            lambda: prepare_corpus(
                self.recipe,
                tokenizer,
                max_chunk=usable_positions(config),
                cache=self.cache,
                listen=self._tell_unless_stopped,
                known=text_fingerprint,
            )
        )
        self._check_alike("reads", f"the text {corpus.fingerprint}")
        if ranks.leads:
            seen = remember_documents(
                self.folder,
                corpus.streams,
                corpus=corpus.fingerprint,
                tokenizer_fingerprint=tokenizer_fingerprint(tokenizer),
                base=name,
            )
            if seen:
                self.tell(Message(_test_was_seen(seen, corpus.test.documents), level="warning"))
        return ranks.together(lambda: self._make_loop(machine, tokenizer, corpus, self._load(name, revision)))

    def _load(self, name: str, revision: str | None) -> LoadedModel:
        self._tell_unless_stopped(PhaseChanged(Phase.LOADING_MODEL))
        return load_model(
            name,
            revision,
            lambda done, total: self._tell_unless_stopped(Progress(done, total, "bytes")),
            seed=self.recipe.seed,
        )

    def _make_loop(
        self, machine: Machine, tokenizer: PreTrainedTokenizerBase, corpus: Corpus, loaded: LoadedModel
    ) -> TrainingLoop:
        self._report_loading(loaded)
        if loaded.drawn and self.ranks.leads:
            keep_start(self.folder, partial(_write_model, loaded, tokenizer))
        if machine.device.type == "cpu":
            cpu.speed_up(loaded.model)
        loop = TrainingLoop(
            self.recipe,
            self.folder,
            machine,
            self.ranks,
            tokenizer,
            corpus,
            loaded,
            self.tell,
            self.should_stop,
        )
        if self.resume_from:
            loop.resume(*checkpoint.load_state(self.resume_from))
        return loop

    def _report_loading(self, loaded: LoadedModel) -> None:
        for note in loaded.notes:
            self.tell(Message(note, level="warning"))
        if loaded.left_out:
            self.tell(
                Message(f"Weights in its files that this model does not use: {first(loaded.left_out)}.")
            )
        parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
        if parameters > LARGE:
            self.tell(Message(_memory_of(parameters), level="warning"))

    def _tell_unless_stopped(self, event: Event) -> None:
        self.tell(event)
        if self.should_stop():
            raise Interrupted

    def _check_alike(self, does: str, what: str) -> None:
        """Refuse processes that do not all train the same."""
        everyone = self.ranks.gather(what)
        for rank, other in enumerate(everyone):
            if other != everyone[0]:
                raise TrainingError(
                    f"Process {rank} of {self.ranks.count} {does} {other}, process 0 {everyone[0]}.",
                    "Give precision and device in the recipe, and the same files on every machine.",
                )


def _test_was_seen(seen: int, documents: int) -> str:
    return (
        f"The model that this run continues was trained on {seen:,} of {documents:,} test documents, so the "
        "run's own test perplexity is too low. The yardstick leaves them out."
    )


def _memory_of(parameters: int) -> str:
    gigabytes = parameters * BYTES_PER_PARAMETER / 1e9
    return (
        f"The model has {parameters / 1e9:.1f} billion parameters. AdamW in fp32 takes {BYTES_PER_PARAMETER} "
        f"bytes for each: {gigabytes:.0f} GB on every device, since a run is not sharded over its devices."
    )


def _starting_point(
    recipe: Recipe, model: str | None, resume_from: Path | None
) -> tuple[str, str | None, str | None]:
    """The model to load, its revision, and, in a resume, the fingerprint of the run's text."""
    if resume_from is None:
        return model or recipe.model, recipe.model_revision, None
    return str(resume_from), None, checkpoint.load_progress(resume_from).corpus_fingerprint


def _write_model(loaded: LoadedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    loaded.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _ignore(event: Event) -> None:
    """The listener of all processes but the leading one."""
