"""What may be ranked and what may not, on real runs."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from workbench.analysis.compare import compare_runs
from workbench.analysis.wording import NO_DIFFERENCE, group_verdict, verdict
from workbench.document_hashes import FILE, documents_of
from workbench.store import Store, Yardstick

from .conftest import Trained


@pytest.fixture
def copied(trained: Trained, tmp_path: Path) -> Store:
    """The runs in a database that a test may change."""
    shutil.copytree(trained.database.parent, tmp_path / "copy")
    store = Store.open(tmp_path / "copy" / trained.database.name)
    for run in store.runs():
        store.update_run(run.id, folder=str(tmp_path / "copy" / "runs" / Path(run.folder).name))
    return store


def id_of(store: Store, name: str) -> int:
    found = store.find(name).id
    assert found is not None
    return found


def by_hand(store: Store, a: int, b: int) -> float:
    """The mean over documents of the difference of the mean losses, both asked equally often."""
    one, other = (store.yardsticks.of_run(run_id)[-1] for run_id in (a, b))
    losses = [np.frombuffer(score.chunk_losses, "<f8").reshape(score.draws, -1) for score in (one, other)]
    tokens = np.frombuffer(one.chunk_tokens, "<i4").reshape(one.draws, -1).sum(0)
    documents = np.frombuffer(one.chunk_documents, "<i4")[:-1]
    difference = (losses[1] - losses[0]).sum(0)
    ratios = [
        difference[documents == document].sum() / tokens[documents == document].sum()
        for document in np.unique(documents)
    ]
    return float(np.mean(ratios))


def test_an_unfair_pair_is_made_fair(trained: Trained) -> None:
    """With more masks each question is harder: the own figures lie far apart, the yardstick's do not."""
    found = compare_runs(trained.store, trained.ids("usual", "many masks"))
    usual, masks = found.runs
    assert found.differences == {"mask_prob": [0.15, 0.4]}
    assert found.comparable and found.why_not == []
    assert masks.eval_perplexity and usual.eval_perplexity
    assert masks.yardstick_perplexity and usual.yardstick_perplexity
    own = math.log(masks.eval_perplexity / usual.eval_perplexity)
    fair = math.log(masks.yardstick_perplexity / usual.yardstick_perplexity)
    assert own > fair + 0.05
    (pair,) = found.pairs
    assert (pair.a, pair.b) == (usual.id, masks.id)
    assert pair.token_log_ratio == pytest.approx(fair)
    assert pair.ci_low <= pair.log_ratio <= pair.ci_high
    assert pair.log_ratio == pytest.approx(by_hand(trained.store, usual.id, masks.id))
    assert pair.chunks == usual.chunks and 10 < pair.documents < pair.chunks
    assert usual.base_perplexity == masks.base_perplexity > usual.yardstick_perplexity


def test_of_different_lengths_only_what_both_were_asked_counts(trained: Trained) -> None:
    found = compare_runs(trained.store, trained.ids("usual", "short chunks"))
    usual, short = found.runs
    (pair,) = found.pairs
    assert found.comparable and pair.chunks == short.chunks < usual.chunks
    scores = [trained.store.yardsticks.of_run(run.id)[-1] for run in found.runs]
    draws = min(score.draws for score in scores)
    losses, tokens = (
        [
            np.frombuffer(getattr(score, name), kind).reshape(score.draws, -1)[:draws, : pair.chunks].sum()
            for score in scores
        ]
        for name, kind in (("chunk_losses", "<f8"), ("chunk_tokens", "<i4"))
    )
    assert tokens[0] == tokens[1]
    assert pair.token_log_ratio == pytest.approx((losses[1] - losses[0]) / tokens[0])
    assert any("differ in length" in note for note in found.notes)


def test_another_split_is_not_ranked_and_it_says_why(trained: Trained) -> None:
    found = compare_runs(trained.store, trained.ids("usual", "many masks", "other split"))
    assert not found.comparable
    assert [(pair.a, pair.b) for pair in found.pairs] == [tuple(trained.ids("usual", "many masks"))]
    (why,) = found.why_not
    usual, masks, other = trained.ids("usual", "many masks", "other split")
    assert "held-out text differs" in why and "seeds split it differently" in why
    assert f"runs {usual} and {masks} | run {other}" in why


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("tokenizer_fingerprint", "tokenizers differ"),
        ("protocol", "different protocols (masked-1/128, masked-1/64)"),
        ("masks_fingerprint", "masks differ"),
        ("text_fingerprint", "held-out text differs"),
    ],
)
def test_what_differs_is_named(copied: Store, column: str, said: str) -> None:
    score = copied.yardsticks.of_run(id_of(copied, "many masks"))[0]
    text = {"chunk_hashes": bytes(len(score.chunk_hashes))} if column == "text_fingerprint" else {}
    other = "masked-1/64"
    for earlier in copied.yardsticks.of_run(id_of(copied, "many masks")):
        copied.yardsticks.remove(earlier)
        values = earlier.model_dump(exclude={"id"}) | {column: other} | text
        copied.yardsticks.add(Yardstick(**values))
    found = compare_runs(copied, [id_of(copied, "usual"), id_of(copied, "many masks")])
    assert not found.comparable and found.pairs == []
    (why,) = found.why_not
    assert said in why


def test_a_run_without_a_score_is_named_with_what_to_do(copied: Store) -> None:
    run_id = id_of(copied, "many masks")
    for score in copied.yardsticks.of_run(run_id):
        copied.yardsticks.remove(score)
    found = compare_runs(copied, [id_of(copied, "usual"), run_id])
    assert not found.comparable and found.pairs == []
    assert found.why_not == [
        f"Run {run_id} many masks (finished) has no yardstick score: mlm-workbench yardstick {run_id}."
    ]


def test_documents_that_a_run_was_trained_on_are_left_out_and_said(copied: Store) -> None:
    run = copied.find("many masks")
    held = documents_of(Path(run.folder))
    assert held is not None
    stolen = np.append(held.train, held.test[:5])
    with np.load(Path(run.folder) / FILE) as arrays:
        facts = arrays["facts"]
    np.savez(Path(run.folder) / FILE, train=stolen, test=held.test, facts=facts)
    ids = [id_of(copied, "usual"), id_of(copied, "many masks")]
    found = compare_runs(copied, ids)
    (pair,) = found.pairs
    documents = np.frombuffer(copied.yardsticks.of_run(ids[0])[-1].chunk_documents, "<i4")
    assert pair.chunks == int((documents[:-1] >= 5).sum())
    said = "5 of 42 held-out documents are in the training text of run 2"
    assert any(note.startswith(said) for note in found.notes)


def test_nothing_is_ranked_on_documents_that_were_trained_on(copied: Store) -> None:
    run = copied.find("many masks")
    held = documents_of(Path(run.folder))
    assert held is not None
    with np.load(Path(run.folder) / FILE) as arrays:
        facts = arrays["facts"]
    np.savez(Path(run.folder) / FILE, train=held.test, test=held.test, facts=facts)
    found = compare_runs(copied, [id_of(copied, "usual"), id_of(copied, "many masks")])
    assert not found.comparable and found.pairs == []
    assert any("too few to rank them" in why for why in found.why_not)


def test_training_text_that_is_not_known_is_said(copied: Store) -> None:
    run = copied.find("many masks")
    (Path(run.folder) / FILE).write_bytes(b"damaged")
    found = compare_runs(copied, [id_of(copied, "usual"), id_of(copied, "many masks")])
    assert found.comparable
    assert any(f"run {run.id} was trained on held-out documents is unknown" in one for one in found.notes)


def test_no_run_of_the_starter_holds_out_what_it_trains_on(trained: Trained) -> None:
    held = documents_of(Path(trained.run("usual").folder))
    assert held is not None
    assert (len(held.train), len(held.test)) == (332, 42)
    assert not np.isin(held.test, held.train).any()


def test_seeds_of_one_recipe_are_a_group(trained: Trained) -> None:
    found = compare_runs(trained.store, trained.ids("usual", "seed 7", "many masks"))
    assert found.comparable
    usual, masks = found.groups
    assert (usual.runs, usual.seeds) == (trained.ids("usual", "seed 7"), [42, 7])
    assert (usual.label, masks.label) == ("mask_prob 0.15", "mask_prob 0.4")
    perplexities = [run.yardstick_perplexity for run in found.runs[:2]]
    assert usual.perplexity == pytest.approx(math.exp(np.log(perplexities).mean()))
    assert usual.spread == pytest.approx(np.log(perplexities).std(ddof=1)) and masks.spread is None
    (pair,) = found.group_pairs
    assert pair.log_ratio == pytest.approx(math.log(masks.perplexity / usual.perplexity), abs=0.02)
    assert pair.ci_low < pair.log_ratio < pair.ci_high and 0 < pair.p_value < 1
    # one difference of two seeds says little of what seeds do
    assert pair.p_seeds > 0.05 and pair.verdict.startswith(NO_DIFFERENCE)


def test_what_seeds_alone_may_do_is_no_difference_between_recipes() -> None:
    interval = (-0.0315, -0.0387, -0.0243)
    assert group_verdict(*interval, p_seeds=0.2) == "no difference shown beyond seed variance"
    assert group_verdict(*interval, p_seeds=0.01) == verdict(*interval)
    assert group_verdict(0.01, -0.1, 0.1, p_seeds=0.01) == NO_DIFFERENCE


def test_it_can_be_written_as_json(trained: Trained) -> None:
    found = compare_runs(trained.store, trained.ids("usual", "seed 7"))
    values = json.loads(json.dumps(found.to_json()))
    assert set(values) >= {"runs", "differences", "comparable", "why_not", "pairs"}
    assert set(values["pairs"][0]) >= {"a", "b", "log_ratio", "ci_low", "ci_high", "p_value"}


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((-0.0315, -0.0387, -0.0243), "better by 3.1 % (2.4 to 3.8)"),
        ((0.0315, 0.0243, 0.0387), "worse by 3.2 % (2.5 to 3.9)"),
        ((-0.0315, -0.0387, 0.001), NO_DIFFERENCE),
        ((0.0, 0.0, 0.0), NO_DIFFERENCE),
        ((2.0, 1.9, 2.1), "worse by 638.9 % (568.6 to 716.6)"),
        ((-0.0012, -0.0015, -0.0009), "better by 0.12 % (0.09 to 0.15)"),
    ],
)
def test_the_verdict_is_about_the_second_run(interval: tuple[float, float, float], said: str) -> None:
    assert verdict(*interval) == said
