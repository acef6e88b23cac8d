"""Cloze suites: what a file may say, and what the starter and its checkpoints answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.analysis.cloze import Answer, answer_suite, metrics_of, rank_changes, read_suite
from workbench.analysis.cloze_runs import score_base, score_checkpoint
from workbench.errors import UsageError
from workbench.inference.local import load
from workbench.inference.resolve import ModelChoice
from workbench.store import Cloze

from .conftest import Trained

LINES = """\
# the world
The capital of [MASK] is Paris. -> france

This function returns a new [MASK]. -> list | string
It is a [MASK] lemma. -> supercalifragilistic
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "suite.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_a_file_is_read_with_its_line_numbers(file: Path) -> None:
    suite = read_suite(file)
    assert [item.line for item in suite.items] == [2, 4, 5]
    assert suite.items[1].expected == ("list", "string")
    assert suite.items[0].text == "The capital of [MASK] is Paris."


def test_comments_do_not_make_another_suite(file: Path) -> None:
    before = read_suite(file).fingerprint
    file.write_text("# more\n" + LINES, encoding="utf-8")
    assert read_suite(file).fingerprint == before
    file.write_text(LINES.replace("list", "dict"), encoding="utf-8")
    assert read_suite(file).fingerprint != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no arrow [MASK]", "line 1 has no ->"),
        ("ok [MASK] -> a\n\nnone here -> a", "line 3 has no [MASK]"),
        ("[MASK] and [MASK] -> a", "line 1 has 2 [MASK]s"),
        ("a [MASK] -> | ", "line 1 expects no word after ->"),
        ("\n".join(["x"] * 9), "line 3 has no ->; and 6 more"),
        ("# nothing", "has no sentences"),
    ],
)
def test_mistakes_are_named_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_suite(path)
    assert said in raised.value.message and "->" in raised.value.hint


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read"):
        read_suite(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read_suite(tmp_path / "bytes.txt")


def test_ranks_are_those_of_the_console(file: Path) -> None:
    france, returns, left_out = answer_suite(read_suite(file), "starter")
    filler = load(ModelChoice("starter", "starter"))
    assert france.rank is not None and france.probability is not None
    predicted = filler.fill("The capital of [MASK] is Paris.", top_k=france.rank).masks[0].predictions
    assert predicted[-1].text == "france"
    assert predicted[-1].probability == pytest.approx(france.probability, rel=1e-4)
    assert list(france.top) == [one.text for one in predicted[:5]]
    both = filler.fill("This function returns a new [MASK].", top_k=5000).masks[0].predictions
    words = [one.text for one in both]
    assert returns.rank == 1 + min(words.index("list"), words.index("string"))
    assert (left_out.rank, left_out.left_out) == (None, "supercalifragilistic is 6 tokens")


def test_a_word_that_begins_with_a_space_in_other_tokenizers_is_found(byte_level_folder: Path) -> None:
    suite_file = byte_level_folder / "suite.txt"
    suite_file.write_text("The [MASK] of France -> capital\n[MASK] capital of France -> The\n")
    answers = answer_suite(read_suite(suite_file), str(byte_level_folder))
    assert [answer.left_out for answer in answers] == ["", ""]
    assert all(answer.rank is not None for answer in answers)


def test_figures_are_over_what_was_asked() -> None:
    def answer(rank: int | None) -> Answer:
        return Answer(1, "", (), rank, None, ())

    figures = metrics_of([answer(1), answer(4), answer(10), answer(None)])
    assert figures["items"] == 3
    assert (figures["top1"], figures["top5"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert figures["mean_reciprocal_rank"] == pytest.approx((1 + 1 / 4 + 1 / 10) / 3)


def test_every_checkpoint_is_asked_once(trained: Trained, file: Path) -> None:
    run, suite = trained.run("usual"), read_suite(file)
    base = score_base(trained.store, suite, run)
    scores = [score_checkpoint(trained.store, suite, run, one) for one in trained.store.checkpoints(run.id)]
    assert (base.run_id, base.step, base.items) == (None, 0, 2)
    assert [score.id for score in trained.store.clozes.of_run(run.id, suite.fingerprint)] == [
        score.id for score in scores
    ]
    assert scores[-1].answers != base.answers
    again = score_checkpoint(trained.store, suite, run, trained.store.checkpoints(run.id)[-1])
    assert again.id == scores[-1].id
    assert score_base(trained.store, suite, trained.run("many masks")).id == base.id


def test_what_broke_and_what_was_mended_is_told() -> None:
    def score(*ranks: int | None) -> Cloze:
        answers = [
            {"line": line, "text": "", "expected": ["x"], "rank": rank} for line, rank in enumerate(ranks)
        ]
        return Cloze(answers=answers)

    turned = list(rank_changes(score(1, 7, 3, None, 2), score(4, 1, 3, 1, 5)))
    assert [(turn.line, turn.broke, turn.fixed) for turn in turned] == [
        (0, True, False),
        (1, False, True),
        (4, False, False),
    ]
