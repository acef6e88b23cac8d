"""Further ways to fool a comparison. Each must be refused, or come out right, in both orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analysis.made_up import MadeUp, Text
from tests.analysis.test_verdicts import LONG, LOSSES, both
from workbench.analysis.compare import compare_runs
from workbench.analysis.wording import NO_DIFFERENCE
from workbench.corpus.chunks import ChunkTable
from workbench.corpus.prepare import Corpus
from workbench.corpus.streams import TokenStream
from workbench.document_hashes import documents_of, remember_documents
from workbench.errors import UsageError
from workbench.recipe import PRESETS, Recipe
from workbench.sweeps.plan import Plan, Range
from workbench.sweeps.search import next_recipe
from workbench.worker.split_of_ancestor import keep_split

STARTER = PRESETS["starter"]


@pytest.fixture
def made(tmp_path: Path) -> MadeUp:
    return MadeUp(tmp_path)


@dataclass(frozen=True)
class Trick:
    """A run with the better losses that must not win. text, columns: of its score; said: why it is
    refused."""

    said: str
    text: Text = LONG
    columns: dict[str, Any] = field(default_factory=dict)
    trained_on: range | tuple[int, ...] | None = ()
    before: range | tuple[int, ...] = ()


SHUFFLED = Text([3] * 60, [*range(60, 0, -1)], "shuffled")
REFUSED = {
    "an uncased tokenizer": Trick("tokenizers differ", columns={"tokenizer_fingerprint": "uncased"}),
    "a model with a lower limit": Trick("different protocols", columns={"protocol": "masked-1/64"}),
    "a larger vocabulary": Trick("masks differ", columns={"masks_fingerprint": "30k"}),
    "a text in another language": Trick("text differs", Text([3] * 60, range(901, 961), "en français")),
    "another column": Trick("text differs", Text([1] * 60, range(301, 361), "titles")),
    "another order": Trick("text differs", SHUFFLED),
    "short documents left out": Trick("text differs", Text([3] * 50, range(11, 61), "min_words")),
    "copies dropped": Trick("text differs", Text([3] * 60, [1, *range(3, 62)], "dropped")),
    "documents cut otherwise": Trick("text differs", Text([6] * 30, range(1, 31), "by file")),
    "the test's documents in its own training": Trick("too few", trained_on=range(1, 56)),
    "the test's documents in its parent's training": Trick("too few", before=range(1, 56)),
    "half in its own, half in its parent's": Trick("too few", trained_on=range(1, 28), before=range(28, 56)),
    "a score without a finite loss": Trick("no yardstick score", columns={"loss_sum": float("inf")}),
    "a perplexity of the older yardstick": Trick("tokens-1", columns={"protocol": "tokens-1/128"}),
    "a single document": Trick("text differs", Text([180], [1], "a book")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(made: MadeUp, name: str) -> None:
    trick = REFUSED[name]
    honest = made.run(LONG, LOSSES, noise=0.05)
    losses = np.resize(LOSSES, len(trick.text.lengths)) - 0.5
    other = made.run(
        trick.text,
        losses,
        noise=0.05,
        draw=1,
        trained_on=trick.trained_on,
        before=trick.before,
        **trick.columns,
    )
    found = both(made, honest, other)
    assert found.pairs == [] and not found.comparable
    assert any(trick.said in why for why in found.why_not), found.why_not


def test_a_book_of_one_document_has_no_verdict_even_against_its_like(made: MadeUp) -> None:
    book = Text([180], [1])
    found = both(made, made.run(book, 3.0, noise=0.1), made.run(book, 2.0, noise=0.1, draw=1))
    assert found.pairs == [] and "only 1 document" in found.why_not[0]


def test_an_imported_run_whose_training_text_is_unknown_is_ranked_with_a_warning(made: MadeUp) -> None:
    other = made.run(LONG, LOSSES - 0.5, noise=0.05, draw=1, trained_on=None)
    found = both(made, made.run(LONG, LOSSES, noise=0.05), other)
    assert any(f"Whether run {other.id} was trained on" in note for note in found.notes)


def test_a_model_that_was_trained_on_the_test_later_is_found_out(made: MadeUp) -> None:
    """Run B continues run A on the very documents that A was tested on; run C continues B on other text."""
    a = made.run(LONG, LOSSES, noise=0.05)
    b = made.run(LONG, LOSSES - 1, trained_on=range(1, 61), recipe=STARTER.with_changes(model=f"run:{a.id}"))
    c_recipe = STARTER.with_changes(model=f"run:{b.id}")
    c = made.run(LONG, LOSSES - 1, trained_on=range(800, 900), before=None, recipe=c_recipe)
    for later in (b, c):
        assert both(made, a, later).pairs == []


def test_a_pair_is_asked_equally_often(made: MadeUp) -> None:
    """One was asked three times, the last two of them easily."""
    once = made.run(LONG, LOSSES, noise=0.05)
    score = made.store.yardsticks.of_run(once.id)[0]
    losses = np.frombuffer(score.chunk_losses, "<f8")
    thrice = made.run(
        LONG,
        LOSSES,
        draws=3,
        chunk_losses=np.concatenate([losses, losses / 2, losses / 2]).tobytes(),
        chunk_tokens=3 * score.chunk_tokens,
    )
    (pair,) = both(made, once, thrice).pairs
    assert (pair.log_ratio, pair.token_log_ratio, pair.verdict) == (0, 0, NO_DIFFERENCE)


def test_a_pruned_run_is_compared_by_what_it_kept_and_it_is_said(made: MadeUp) -> None:
    pruned = made.run(LONG, LOSSES - 0.1, noise=0.05, draw=1)
    made.store.add_checkpoint(pruned.id, step=20, epoch=2, path="x", eval_perplexity=99.0, best=False)
    made.store.update_run(pruned.id, status="stopped")
    found = both(made, made.run(LONG, LOSSES, noise=0.05), made.store.run(pruned.id))
    assert any("is compared at step 10: its newest checkpoint is not scored" in one for one in found.notes)


def test_a_run_is_not_compared_with_itself(made: MadeUp) -> None:
    run = made.run(LONG, LOSSES)
    found = compare_runs(made.store, [run.id, run.id])
    assert found.pairs == [] and len(found.runs) == 1


def test_of_three_each_pair_has_its_own_common_text(made: MadeUp) -> None:
    """The first is the beginning of both others, which part ways behind it."""
    short = LONG.beginning(20)
    first = made.run(short, LOSSES[:20], noise=0.05)
    second = made.run(LONG, LOSSES, noise=0.05, draw=1)
    third = made.run(Text([3] * 60, [*range(1, 41), *range(500, 520)]), LOSSES, noise=0.05, draw=2)
    found = compare_runs(made.store, [first.id, second.id, third.id])
    assert [(pair.a, pair.b, pair.documents) for pair in found.pairs] == [
        (first.id, second.id, 20),
        (first.id, third.id, 20),
    ]
    assert not found.comparable


# Which documents a model was trained on, from the folder that it is loaded from


def corpus_of(first: int, documents: int = 12) -> Corpus:
    ids = np.arange(first, first + 10 * documents, dtype=np.uint16)
    stream = TokenStream(ids, np.ones_like(ids, np.uint8), np.arange(0, 10 * documents + 1, 10))
    table = ChunkTable.cut(stream, 8)
    return Corpus(table, table, f"text {first}", None, None, 0, 0, 0, 0, False, 0.0, streams=(stream, stream))


def remember(folder: Path, corpus: Corpus, tokenizer: str, base: str) -> None:
    remember_documents(
        folder, corpus.streams, corpus=corpus.fingerprint, tokenizer_fingerprint=tokenizer, base=base
    )


def test_the_documents_of_all_ancestors_go_with_a_model_wherever_it_is_put(tmp_path: Path) -> None:
    parent, child, exported, grandchild = (tmp_path / name for name in ("p", "c", "exported", "g"))
    for folder in (parent / "checkpoints" / "step-1", child, exported, grandchild):
        folder.mkdir(parents=True)
    remember(parent, corpus_of(0), "t", "hub/model")
    remember(child, corpus_of(1000), "t", str(parent / "checkpoints" / "step-1"))
    (exported / "documents.npz").write_bytes((child / "documents.npz").read_bytes())
    remember(grandchild, corpus_of(2000), "t", str(exported))
    held = [documents_of(folder) for folder in (parent, child, grandchild)]
    assert [one and len(one.seen) for one in held] == [12, 24, 36]
    assert all(one and one.before_known for one in held)


@pytest.mark.parametrize(
    ("file", "known"),
    [("config.json", True), ("recipe.toml", False)],
    ids=["a model from elsewhere", "an earlier version's export"],
)
def test_a_base_folder_without_hashes(tmp_path: Path, file: str, known: bool) -> None:
    base, run = tmp_path / "base", tmp_path / "run"
    base.mkdir(), run.mkdir()
    (base / file).touch()
    remember(run, corpus_of(0), "t", str(base))
    held = documents_of(run)
    assert held is not None and held.before_known is known
    assert held.before is not None and len(held.before) == 0


def test_hashes_by_another_tokenizer_do_not_count_as_known(tmp_path: Path) -> None:
    parent, child = tmp_path / "p", tmp_path / "c"
    (parent / "checkpoints" / "step-1").mkdir(parents=True)
    child.mkdir()
    remember(parent, corpus_of(0), "cased", "hub/model")
    remember(child, corpus_of(0), "uncased", str(parent / "checkpoints" / "step-1"))
    held = documents_of(child)
    assert held is not None and not held.before_known


def test_the_last_document_is_hashed_whole_though_the_last_chunk_cuts_it(tmp_path: Path) -> None:
    tmp_path.joinpath("run").mkdir()
    corpus = corpus_of(0)
    assert len(corpus.train) * 8 == corpus.train.tokens  # nothing is cut here
    longer = corpus_of(0, 13)
    remember(tmp_path / "run", longer, "t", "hub/model")
    assert longer.train.tokens % 8
    held = documents_of(tmp_path / "run")
    assert held is not None and len(set(held.train.tolist())) == 13


# The split of a run that continues another one


@pytest.mark.parametrize(
    ("changes", "seed"),
    [
        ({"seed": 43}, 42),
        ({"seed": 42}, None),
        ({"seed": 43, "split_seed": 7}, 7),
        ({"seed": 43, "dataset": "other.txt"}, None),
    ],
    ids=["another seed", "the same seed", "a split that was asked for", "another text"],
)
def test_a_run_on_a_run_keeps_its_split(made: MadeUp, changes: dict[str, Any], seed: int | None) -> None:
    parent = made.run(LONG, LOSSES)
    recipe = STARTER.with_changes(**{"model": f"run:{parent.id}", **changes})
    assert keep_split(made.store, recipe).split_seed == seed


# Searches


@pytest.mark.parametrize(
    "swept",
    [
        {"dataset": ("a.txt", "b.txt")},
        {"tokenizer": ("bpe", "unigram")},
        {"min_words": (0, 50)},
        {"duplicates": ("keep", "drop")},
        {"model": ("starter", "new:tiny")},
        {"test_size": (0.1, 0.2)},
        {"text_column": ("title", "body")},
    ],
    ids=lambda swept: next(iter(swept)),
)
def test_a_search_refuses_what_changes_the_test(swept: dict[str, tuple[Any, ...]]) -> None:
    with pytest.raises(UsageError, match="changes the test"):
        Plan(STARTER, swept, trials=4)
    Plan(STARTER, swept)  # a grid may: its cells are told apart


def test_a_search_trains_no_recipe_twice(made: MadeUp) -> None:
    pytest.importorskip("optuna")
    plan = Plan(STARTER, {"chunk_size": (64, 128), "mask_prob": (0.15, 0.3)}, trials=9)
    recipes: list[Recipe] = []
    for _ in range(4):
        recipes.append(next_recipe(plan, made.store.runs()))
        made.run(LONG, LOSSES, recipe=recipes[-1])
    assert len({recipe.model_dump_json() for recipe in recipes}) == 4
    with pytest.raises(UsageError, match="every recipe"):
        next_recipe(plan, made.store.runs())


def test_a_search_of_a_whole_range_trains_no_recipe_twice(made: MadeUp) -> None:
    pytest.importorskip("optuna")
    plan = Plan(STARTER, seeds=(1, 2), ranges={"epochs": Range(1, 3, whole=True)}, trials=9)
    recipes: list[Recipe] = []
    for _ in range(6):
        recipes.append(next_recipe(plan, made.store.runs()))
        made.run(LONG, LOSSES, recipe=recipes[-1])
    assert len({(recipe.epochs, recipe.seed) for recipe in recipes}) == 6
