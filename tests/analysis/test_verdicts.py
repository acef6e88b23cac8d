"""Rankings that must be refused or right, on made-up scores."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.made_up import MadeUp, Text
from workbench.analysis.compare import compare_runs
from workbench.analysis.comparison import Comparison
from workbench.analysis.wording import NO_DIFFERENCE
from workbench.recipe import PRESETS
from workbench.store import Run, Yardstick

STARTER = PRESETS["starter"]
LONG = Text([3] * 60)
DRAW = np.random.default_rng(0)
LOSSES = DRAW.normal(3.0, 0.3, 60)


@pytest.fixture
def made(tmp_path: Path) -> MadeUp:
    return MadeUp(tmp_path)


def both(made: MadeUp, a: Run, b: Run) -> Comparison:
    """The comparison of a and b, after it was found to be the same in both orders."""
    one, other = (compare_runs(made.store, ids) for ids in ([a.id, b.id], [b.id, a.id]))
    assert mirrored(one) == mirrored(other)
    return one


def mirrored(found: Comparison) -> object:
    """What must not depend on the order of the runs."""
    pairs = []
    for pair in found.pairs:
        sign = 1 if pair.a < pair.b else -1
        interval = (pair.ci_low, pair.ci_high) if sign > 0 else (-pair.ci_high, -pair.ci_low)
        by_token = (pair.token_ci_low, pair.token_ci_high)
        pairs.append(
            (
                min(pair.a, pair.b),
                round(sign * pair.log_ratio, 12) + 0.0,
                [round(end, 12) + 0.0 for end in interval],
                round(pair.p_value, 12),
                [round(abs(end), 12) for end in (by_token if sign > 0 else by_token[::-1])],
                (pair.chunks, pair.documents, pair.verdict.startswith(NO_DIFFERENCE)),
            )
        )
    return found.comparable, sorted(map(str, pairs)), sorted(found.why_not), sorted(found.notes)


def test_what_an_ancestor_was_trained_on_counts(made: MadeUp) -> None:
    """The audit's first: a run on run:X whose test documents were in X's training text."""
    fresh = made.run(LONG, LOSSES, noise=0.1)
    continued = made.run(LONG, LOSSES - 0.2, noise=0.1, draw=1, before=range(1, 56))
    found = both(made, fresh, continued)
    assert not found.comparable and found.pairs == []
    assert any("too few" in why for why in found.why_not)
    assert any(note.startswith("55 of 60 held-out documents") for note in found.notes)


def test_only_the_documents_that_nobody_saw_are_compared(made: MadeUp) -> None:
    seen = np.arange(60) < 30
    fresh = made.run(LONG, LOSSES, noise=0.1)
    continued = made.run(LONG, LOSSES - 0.5 * seen, noise=0.1, draw=1, before=range(1, 31))
    (pair,) = both(made, fresh, continued).pairs
    assert (pair.documents, pair.verdict) == (30, NO_DIFFERENCE)


def test_an_ancestor_whose_file_is_of_an_earlier_version_is_looked_up(made: MadeUp) -> None:
    parent = made.run(LONG, LOSSES, trained_on=range(1, 51), before=None)
    recipe = STARTER.with_changes(model=f"run:{parent.id}")
    child = made.run(LONG, LOSSES - 0.2, recipe=recipe, before=None)
    fresh = made.run(LONG, LOSSES, noise=0.1)
    found = both(made, fresh, child)
    (pair,) = found.pairs
    assert pair.documents == 10


def test_an_ancestor_that_is_gone_is_said_to_be_unknown(made: MadeUp) -> None:
    child = made.run(LONG, LOSSES, recipe=STARTER.with_changes(model="run:99"), before=None)
    found = both(made, made.run(LONG, LOSSES + 0.01, noise=0.1), child)
    assert any(
        f"Whether run {child.id} was trained on held-out documents is unknown" in n for n in found.notes
    )


def test_the_text_that_was_scored_decides_not_the_first_runs_list(made: MadeUp) -> None:
    """The audit's second: the file was edited and scored again, so the scored text is no run's own."""
    edited = Text([3] * 60, range(101, 161))
    honest = made.run(edited, LOSSES, noise=0.1, trained_on=range(1, 61))
    thief = made.run(edited, LOSSES - 0.3, noise=0.1, draw=1, trained_on=range(101, 156))
    found = both(made, honest, thief)
    assert found.pairs == []
    assert [note for note in found.notes if "held-out documents" in note and f"run {thief.id}" in note]
    assert not [
        note for note in found.notes if "held-out documents" in note and f"run {honest.id} or" in note
    ]


def test_another_fingerprint_is_another_test(made: MadeUp) -> None:
    """The same text but for one document in the middle: the chunks before it are equal."""
    other = Text([3] * 60, [*range(1, 31), 999, *range(32, 61)])
    found = both(made, made.run(LONG, LOSSES), made.run(other, LOSSES - 0.2, noise=0.1))
    assert found.pairs == [] and "held-out text differs" in found.why_not[0]


def test_a_shorter_test_that_is_the_beginning_is_compared_over_it(made: MadeUp) -> None:
    short = LONG.beginning(30)
    found = both(made, made.run(LONG, LOSSES, noise=0.05), made.run(short, LOSSES[:30], noise=0.05, draw=1))
    (pair,) = found.pairs
    assert (pair.documents, pair.chunks) == (30, 90)


def test_scores_of_the_older_yardstick_are_shown_and_never_compared(made: MadeUp) -> None:
    old = made.run(LONG, LOSSES - 0.5, protocol="tokens-1/128")
    also_old = made.run(LONG, LOSSES, protocol="tokens-1/128")
    new = made.run(LONG, LOSSES, noise=0.1)
    for other in (new, also_old):
        found = both(made, old, other)
        assert found.pairs == [] and not found.comparable
        contender = next(one for one in found.runs if one.id == old.id)
        assert contender.yardstick_perplexity is None and contender.older_perplexity is not None
        assert any("tokens-1, the older yardstick" in why for why in found.why_not)


def test_with_fewer_than_ten_documents_there_is_no_verdict(made: MadeUp) -> None:
    few = Text([100] * 9)
    found = both(made, made.run(few, 3.0, noise=0.1), made.run(few, 2.5, noise=0.1, draw=1))
    assert found.pairs == [] and "only 9 documents" in found.why_not[0]
    enough = Text([10] * 10, name="enough")
    found = both(made, made.run(enough, 3.0, noise=0.1), made.run(enough, 2.5, noise=0.1, draw=1))
    assert found.pairs[0].verdict.startswith(("better", "worse"))


def test_copies_of_a_document_are_one_document(made: MadeUp) -> None:
    copies = Text([1] * 60, [*([1] * 52), *range(2, 10)])
    found = both(made, made.run(copies, 3.0, noise=0.1), made.run(copies, 2.5, noise=0.1, draw=1))
    assert found.pairs == [] and "only 9 documents" in found.why_not[0]


def test_one_long_document_does_not_decide(made: MadeUp) -> None:
    """One document of 400 chunks gains much, twenty of one chunk lose: the perplexity alone says better."""
    text = Text([400, *[1] * 20])
    gain = np.array([-0.3, *[0.05] * 20])
    found = both(made, made.run(text, 3.0, noise=0.02), made.run(text, 3.0 + gain, noise=0.02, draw=1))
    (pair,) = found.pairs
    assert pair.token_log_ratio < 0 and pair.verdict.startswith(NO_DIFFERENCE)
    assert any("about 1 of them decide" in note for note in found.notes)


def test_a_verdict_names_the_two_models_and_what_seeds_do(made: MadeUp) -> None:
    recipe = STARTER.with_changes(split_seed=42)
    runs = [
        made.run(LONG, LOSSES + shift, noise=0.02, draw=seed, recipe=recipe.with_changes(seed=seed))
        for seed, shift in enumerate((0.0, 0.06, -0.05))
    ]
    other = made.run(LONG, LOSSES - 0.03, noise=0.02, draw=9, recipe=recipe.with_changes(mask_prob=0.3))
    found = both(made, runs[0], other)
    (pair,) = found.pairs
    assert pair.verdict.startswith("better") and pair.seeds_alone is not None
    assert 0.5 < pair.seeds_alone < 0.9  # seeds differ by 8 points, the two by 3
    assert any("these two models" in note for note in found.notes)
    assert any("two seeds of one such recipe differ at least as much" in note for note in found.notes)


def test_equal_recipe_and_seed_is_one_run(made: MadeUp) -> None:
    twice = [made.run(LONG, LOSSES, noise=0.02, draw=1) for _ in range(2)]
    other = made.run(LONG, LOSSES, noise=0.02, draw=2, recipe=STARTER.with_changes(mask_prob=0.3))
    found = compare_runs(made.store, [*(run.id for run in twice), other.id])
    assert found.groups == [] and found.group_pairs == []
    assert any("one recipe and one seed" in note for note in found.notes)


def test_splits_that_overlap_are_corrected_for(made: MadeUp) -> None:
    """Seeds split one text: eight documents in ten are trained on by each, two in ten tested."""
    runs = []
    for seed in range(3):
        text = Text([3] * 60, range(1000 * seed + 1, 1000 * seed + 61), name=f"split {seed}")
        for recipe, shift in ((STARTER, 0.0), (STARTER.with_changes(mask_prob=0.3), 0.01 + 0.01 * seed)):
            runs.append(
                made.run(
                    text,
                    LOSSES + shift,
                    noise=0.001,
                    draw=len(runs),
                    recipe=recipe.with_changes(seed=seed),
                    trained_on=range(10_000, 10_240),
                )
            )
    (pair,) = compare_runs(made.store, [run.id for run in runs]).group_pairs
    ratios = np.array([0.01, 0.02, 0.03])
    error = np.sqrt(ratios.var(ddof=1) * (1 / 3 + 60 / 240))
    assert pair.log_ratio == pytest.approx(0.02, abs=1e-3)
    assert (pair.ci_high - pair.ci_low) / 2 == pytest.approx(4.303 * error, rel=0.02)


def test_every_verdict_is_the_same_in_both_orders(made: MadeUp) -> None:
    """Random pairs: texts of several kinds and lengths, what was trained on, ties, old scores."""
    draw = random.Random(1)
    lengths = [draw.choice([1, 1, 2, 5, 30]) for _ in range(40)]
    whole = Text(lengths)
    texts = [whole, whole, whole.beginning(25), whole.beginning(12), Text(lengths, range(501, 541))]
    runs = []
    for number in range(14):
        text = draw.choice(texts)
        size = len(text.lengths)
        loss = np.array([3 + draw.gauss(0, 0.2) for _ in range(size)])
        runs.append(
            made.run(
                text,
                loss if draw.random() < 0.8 else 3.0,
                noise=draw.choice([0.0, 0.1]),
                draw=number,
                trained_on=draw.sample(range(1, 41), draw.choice([0, 3, 20])),
                before=draw.sample(range(1, 41), draw.choice([0, 3])),
                protocol=draw.choice(["masked-1/128"] * 5 + ["tokens-1/128"]),
            )
        )
    for _ in range(40):
        a, b = draw.sample(runs, 2)
        both(made, a, b)


def test_a_score_may_be_replaced_by_one_on_another_text(made: MadeUp) -> None:
    """Scored again after the file was edited: the new score is of the new text, and is compared as such."""
    run, other = made.run(LONG, LOSSES), made.run(LONG, LOSSES, noise=0.1)
    edited = Text([3] * 60, range(201, 261), name="edited")
    again: Yardstick = made.score(run, edited, LOSSES)
    made.store.yardsticks.add(again)
    found = both(made, run, other)
    assert found.pairs == [] and "held-out text differs" in found.why_not[0]
