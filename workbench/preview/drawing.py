"""Draws previews: chunks of a recipe's text with the masks of training, from the corpus's own tokenizer,
chunks and masker, so that the preview shows what the model is trained on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.corpus import ChunkTable, prepare_corpus
from workbench.corpus.files import LocalFiles, is_local
from workbench.corpus.masking import IGNORED, Masker, epoch_order
from workbench.corpus.new_model import make_new_model
from workbench.corpus.prepare import Corpus
from workbench.corpus.python_docs import NAME as PYTHON_DOCS
from workbench.corpus.statistics import statistics
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import CorpusError, ModelError
from workbench.events import Event, Listener, Message
from workbench.inference.pieces import Pieces
from workbench.pretrained.locate import is_local as is_folder
from workbench.pretrained.locate import locate
from workbench.pretrained.model import load_config, usable_positions
from workbench.pretrained.shapes import is_new
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.preview import hub_cache
from workbench.preview.beginning import first_texts
from workbench.preview.results import Fate, Piece, Preview, PreviewedChunk
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_TOKENS = 512
"""The tokens shown of a chunk."""
READ_WHOLE = 8_000_000
"""Local text up to this size in bytes is prepared completely, as for training."""


@dataclass(frozen=True)
class _Model:
    """The parts of a model that a preview needs."""

    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    pieces: Pieces
    texts: dict[int, str]
    longest_chunk: int | None

    def text(self, token_id: int) -> str:
        """The token as text, with the space before it if it begins a word."""
        if token_id not in self.texts:
            self.texts[token_id] = self.pieces.added_text(token_id)
        return self.texts[token_id]


class Previewer:
    """Draws previews, and caches the last model."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._model: tuple[tuple[str, str | None], _Model] | None = None
        torch.set_num_threads(1)  # so that a concurrent training is not slowed down

    def draw(self, recipe: Recipe, chunks: int, listen: Listener) -> Preview:
        """The first `chunks` chunks of the first epoch. `listen` receives the events of preparing the text,
        and ends it by raising. Raises WorkbenchError.
        """
        _check_available(recipe)
        notes: dict[str, None] = {}
        note = _noting(listen, notes)
        if is_new(recipe.model) and _is_large(recipe):
            raise ModelError(
                f"{recipe.model} learns its tokenizer from the whole text, which is too large for a preview.",
                "Start the run without a preview.",
            )
        model = self._load(recipe, note)
        table, counts = self._text(recipe, model, note)
        rows = epoch_order(recipe.seed, 0, len(table))[:chunks]
        drawn = tuple(_mask(table, rows, recipe, model))
        return Preview(drawn, counts, tuple(notes))

    def count(self, recipe: Recipe, listen: Listener) -> dict[str, Any]:
        """The statistics of the whole text as plain values, with `counts` and `notes` as in a preview.
        `listen` and errors are as in `draw`.
        """
        _check_available(recipe)
        notes: dict[str, None] = {}
        note = _noting(listen, notes)
        model = self._load(recipe, note)
        corpus = self._prepare(recipe, model, note)
        preparation = {"counts": asdict(corpus.ready()), "notes": list(notes)}
        return statistics(corpus, model.tokenizer).as_json() | preparation

    def _load(self, recipe: Recipe, listen: Listener) -> _Model:
        name = (recipe.model, recipe.model_revision)
        if is_new(recipe.model):
            name = (str(make_new_model(recipe, cache=self._cache, listen=listen)), None)
        if self._model is None or self._model[0] != name:
            tokenizer = load_tokenizer(*name, lambda text: listen(Message(text)))
            config = load_config(*name)
            size = getattr(config.get_text_config(), "vocab_size", None)
            vocabulary = Vocabulary.from_tokenizer(tokenizer, size)
            longest = usable_positions(config)
            self._model = name, _Model(tokenizer, vocabulary, Pieces(tokenizer), {}, longest)
        return self._model[1]

    def _text(
        self, recipe: Recipe, model: _Model, listen: Listener
    ) -> tuple[ChunkTable, dict[str, object] | None]:
        """The training chunks and their counts; for a large text, chunks of its beginning and None."""
        if _is_large(recipe):
            files = LocalFiles(recipe.dataset, recipe.text_column, recipe.documents, recipe.encoding)
            return _beginning(files, recipe, model, listen), None
        corpus = self._prepare(recipe, model, listen)
        return corpus.train, asdict(corpus.ready())

    def _prepare(self, recipe: Recipe, model: _Model, listen: Listener) -> Corpus:
        return prepare_corpus(
            recipe, model.tokenizer, max_chunk=model.longest_chunk, cache=self._cache, listen=listen
        )


def _is_large(recipe: Recipe) -> bool:
    """Whether the text is in local files so large that only the beginning is read."""
    if recipe.dataset == PYTHON_DOCS or not is_local(recipe.dataset):
        return False
    files = LocalFiles(recipe.dataset, recipe.text_column)
    return sum(path.stat().st_size for path in files.paths) > READ_WHOLE


def _check_available(recipe: Recipe) -> None:
    """Raises CorpusError or ModelError if the text or the model must be fetched from the hub first."""
    place = "" if is_new(recipe.model) else locate(recipe.model)
    if place and not is_folder(place) and not hub_cache.has_model(place):
        raise ModelError(
            f"The model {recipe.model} is not on this machine yet.",
            "The run fetches it; a preview is possible after that.",
        )
    local = recipe.dataset == PYTHON_DOCS or is_local(recipe.dataset)
    if not local and not hub_cache.has_dataset(recipe.dataset):
        raise CorpusError(
            f"The data set {recipe.dataset} is not on this machine yet.",
            "The run fetches it; a preview is possible after that.",
        )


def _beginning(files: LocalFiles, recipe: Recipe, model: _Model, listen: Listener) -> ChunkTable:
    """The first documents of a large text as chunks. Raises CorpusError if they do not fill one."""
    documents = DocumentTokenizer(model.tokenizer, words=recipe.masking != "token")
    tokens = documents(first_texts(files, recipe.chunk_size, listen))
    chunks = len(tokens.ids) // recipe.chunk_size
    if not chunks:
        raise CorpusError(
            f"The beginning of {recipe.dataset} does not fill one chunk of {recipe.chunk_size} tokens.",
            "Check that text_column is the text column.",
        )
    kept, shape = slice(0, chunks * recipe.chunk_size), (chunks, recipe.chunk_size)
    offsets = np.concatenate([[0], tokens.lengths.cumsum()])
    return ChunkTable(tokens.ids[kept].reshape(shape), tokens.word_starts[kept].reshape(shape), offsets)


def _noting(listen: Listener, notes: dict[str, None]) -> Listener:
    """A listener that also collects each different message in `notes`."""

    def note(event: Event) -> None:
        listen(event)
        if isinstance(event, Message):
            notes[event.text] = None

    return note


def _mask(table: ChunkTable, rows: np.ndarray, recipe: Recipe, model: _Model) -> list[PreviewedChunk]:
    """The chunks of these rows with the masks of the first epoch."""
    masker = Masker.for_training(recipe, model.vocabulary)
    ids = torch.from_numpy(table.ids[rows].astype(np.int64))
    starts = torch.from_numpy(np.array(table.word_starts[rows]))
    batch = masker(ids, torch.from_numpy(rows), 0, starts)
    chunks = []
    for row, *sides in zip(rows.tolist(), ids, batch.input_ids, batch.labels, strict=True):
        beginning = zip(*(side[:MOST_TOKENS].tolist() for side in sides), strict=True)
        pieces = tuple(_piece(model, own, shown, label) for own, shown, label in beginning)
        masked = int((sides[2] != IGNORED).sum())
        chunks.append(PreviewedChunk(row, pieces, recipe.chunk_size, masked))
    return chunks


def _piece(model: _Model, own: int, shown: int, label: int) -> Piece:
    fate: Fate
    if label == IGNORED:
        fate = "special" if own in model.vocabulary.special_ids else ""
    elif shown == model.vocabulary.mask_id:
        fate = "mask"
    else:
        fate = "kept" if shown == own else "random"
    return Piece(model.text(own), fate, model.text(shown) if fate == "random" else "")
