"""The preview shows what training sees: the same chunks, the same masks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workbench.corpus import prepare_corpus
from workbench.corpus.masking import Masker
from workbench.corpus.vocabulary import Vocabulary
from workbench.errors import CorpusError, ModelError
from workbench.events import Event, Phase, PhaseChanged
from workbench.pretrained.model import load_config
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.preview import drawing
from workbench.preview.drawing import Previewer
from workbench.recipe import PRESETS, Recipe
from workbench.training.batches import BatchMaker, StepPlan

SENTENCES = [
    "The councillors of Rotterdam met 19 times before the harbour was sold.",
    "Nobody had told the shopkeepers that the bridge would stay closed until spring.",
    "Eleven unbelievable photographs of thunderstorms hung in the waiting room.",
]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """The starter over a small text of its own."""
    text = tmp_path / "text.txt"
    text.write_text("".join(f"{SENTENCES[i % 3]} Number {i}.\n" for i in range(400)), encoding="utf-8")
    return PRESETS["starter"].with_changes(dataset=str(text), chunk_size=32, test_size=40, batch_size=4)


@pytest.fixture
def previewer(cache_of_the_tests: Path) -> Previewer:
    return Previewer(cache_of_the_tests)


def ignore(event: Event) -> None:
    """For a preview whose preparation nobody watches."""


@pytest.mark.parametrize("masking", ["token", "whole_word", "span"])
@pytest.mark.parametrize(
    "changes", [{}, {"mask_prob": 0.4, "seed": 7}, {"chunk_size": 48, "keep_share": 0.0}]
)
def test_the_masks_are_those_of_the_first_training_step(
    previewer: Previewer, recipe: Recipe, cache_of_the_tests: Path, masking: str, changes: dict[str, object]
) -> None:
    if "keep_share" in changes:
        changes = {**changes, "mask_share": 0.5, "random_share": 0.5}
    recipe = recipe.with_changes(masking=masking, **changes)
    shown = previewer.draw(recipe, 4, ignore)

    tokenizer = load_tokenizer("starter")
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=None, cache=cache_of_the_tests, listen=ignore)
    vocabulary = Vocabulary.from_tokenizer(tokenizer, load_config("starter").vocab_size)
    maker = BatchMaker(corpus.train, Masker.for_training(recipe, vocabulary), torch.device("cpu"))
    first = next(StepPlan(recipe.seed, len(corpus.train), 4, epochs=1).steps_after(0))
    trained_on = maker.draw(first.rows, first.epoch)

    assert [chunk.row for chunk in shown.chunks] == first.rows.tolist()
    pieces = [piece for chunk in shown.chunks for piece in chunk.pieces]
    predicted = [i for i, piece in enumerate(pieces) if piece.fate in ("mask", "random", "kept")]
    asked = [
        pair
        for pair in zip(trained_on.positions.tolist(), trained_on.targets.tolist(), strict=True)
        if pair[1] != -100
    ]  # without padding
    assert predicted == [position for position, _ in asked]
    assert sum(chunk.masked for chunk in shown.chunks) == len(predicted)
    seen = trained_on.input_ids.flatten().tolist()
    for i, target in asked:
        wanted = "mask" if seen[i] == vocabulary.mask_id else "kept" if seen[i] == target else "random"
        assert pieces[i].fate == wanted
        assert bool(pieces[i].shown) == (wanted == "random")
    assert shown.counts and shown.counts["train_chunks"] == len(corpus.train)


def test_it_reads_as_the_text_does(previewer: Previewer, recipe: Recipe) -> None:
    shown = previewer.draw(recipe.with_changes(chunk_size=64), 2, ignore)
    text = "".join(piece.text for piece in shown.chunks[0].pieces)
    assert "unbelievable photographs of thunderstorms hung in the waiting room." in text
    assert {piece.text.strip() for piece in shown.chunks[0].pieces if piece.fate == "special"} <= {
        "[CLS]",
        "[SEP]",
    }


def test_of_a_large_text_only_the_beginning_is_read(
    previewer: Previewer, recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drawing, "READ_WHOLE", 1000)
    # What comes after the beginning cannot even be read.
    with Path(recipe.dataset).open("ab") as file:
        file.write(b"word " * 40_000 + b"\n\xff\xff not text")
    shown = previewer.draw(recipe, 3, ignore)
    assert shown.counts is None and len(shown.chunks) == 3
    table = tmp_path / "text.jsonl"
    table.write_text("".join(f'{{"id": {i}, "body": "{SENTENCES[i % 3]}"}}\n' for i in range(200)))
    shown = previewer.draw(recipe.with_changes(dataset=str(table)), 3, ignore)
    assert shown.counts is None and shown.notes == ("Text column: body, guessed from id, body.",)


def test_what_training_would_fail_with_is_said_before(previewer: Previewer, recipe: Recipe) -> None:
    with pytest.raises(CorpusError, match="at most 512 tokens"):
        previewer.draw(recipe.with_changes(chunk_size=513), 3, ignore)
    with pytest.raises(CorpusError, match="holds out 4,000 rows"):
        previewer.draw(recipe.with_changes(test_size=4000), 3, ignore)


def test_nothing_is_fetched(previewer: Previewer, recipe: Recipe, empty_hub: Path) -> None:
    with pytest.raises(ModelError, match="some-org/some-model is not on this machine yet"):
        previewer.draw(recipe.with_changes(model="some-org/some-model"), 3, ignore)
    with pytest.raises(CorpusError, match="some-org/some-text is not on this machine yet"):
        previewer.draw(recipe.with_changes(dataset="some-org/some-text"), 3, ignore)


def test_whoever_listens_can_end_the_preparation(previewer: Previewer, recipe: Recipe) -> None:
    def stop(event: Event) -> None:
        if event == PhaseChanged(Phase.TOKENIZING):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        previewer.draw(recipe.with_changes(seed=99), 3, stop)
