"""Runs side by side: each key, what is ranked, and what is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.store import Store, Yardstick
from workbench.store.curves import Moment
from workbench.tui.app import WorkbenchApp
from workbench.tui.compare.overlay import RunOverlay
from workbench.tui.compare.reader import dense, minutes, minutes_at
from workbench.tui.compare.screen import CompareScreen
from workbench.tui.runs.screen import RunsScreen
from workbench.tui.widgets.help import Help

from .conftest import STARTER, add_run
from .support import add_points, losses, screen_text, settle, until


@pytest.fixture
def pair(store: Store) -> Store:
    """Two runs that differ in two fields; the second is better by some 10 %."""
    for number, (size, rate) in enumerate(((128, 1e-3), (64, 2e-3)), start=1):
        recipe = STARTER.with_changes(chunk_size=size, learning_rate=rate)
        add_run(
            store,
            f"run-{size}",
            recipe,
            status="finished",
            step=200,
            epoch=3.0,
            baseline_perplexity=3500.0,
            eval_perplexity=50.0 / number,
        )
        add_points(store, number, "train/loss", losses(200))
        add_points(store, number, "eval/perplexity", [(0, 3500.0), (100, 90.0), (200, 50.0 / number)])
    return store


def score(store: Store, run_id: int, shift: float) -> None:
    """A score on the yardstick: the same 200 documents for all, `shift` nats worse a token."""
    rng = np.random.default_rng(0)
    tokens = np.full(200, 20, dtype=np.int32)
    chunk_losses = tokens * (4.0 + shift + 0.01 * rng.normal(size=200))
    path = f"checkpoint-{run_id}"
    store.add_checkpoint(run_id, step=200, epoch=3.0, path=path, eval_perplexity=50.0, best=True)
    store.yardsticks.add(
        Yardstick(
            run_id=run_id,
            step=200,
            model=path,
            weights_fingerprint=path,
            protocol="masked-1",
            text_fingerprint="text",
            tokenizer_fingerprint="tokenizer",
            masks_fingerprint="masks",
            chunks=200,
            masked_tokens=int(tokens.sum()),
            loss_sum=float(chunk_losses.sum()),
            chunk_losses=chunk_losses.astype(np.float64).tobytes(),
            chunk_tokens=tokens.tobytes(),
            chunk_hashes=np.arange(200, dtype=np.uint64).tobytes(),
            chunk_documents=np.arange(201, dtype=np.int32).clip(max=199).tobytes(),
            document_hashes=np.arange(1, 201, dtype=np.uint64).tobytes(),
        )
    )


async def test_without_scores_nothing_is_ranked_and_it_says_which(app: WorkbenchApp, pair: Store) -> None:
    async with app.run_test(size=(100, 50)) as pilot:
        await settle(pilot)
        app.open_compare([1, 2])
        await settle(pilot)
        text = screen_text(pilot)
        assert "Cannot rank" in text
        assert "Run 1 run-128 (finished) has no yardstick" in text and "better" not in text.split("A ")[-1]
        assert "A  1 run-128" in text and "B  2 run-64" in text
        assert "⠒A 50.0" in text and "⠒B 25.0" in text
        rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.split()}
        assert rows["chunk_size"] == ["128", "64"] and rows["learning_rate"] == ["0.001", "0.002"]
        assert "mask_prob" not in rows, "what is the same is left out"


async def test_what_the_yardstick_ranks_is_said_with_its_uncertainty(app: WorkbenchApp, pair: Store) -> None:
    score(pair, 1, 0.0)
    score(pair, 2, -0.1)
    async with app.run_test(size=(100, 50)) as pilot:
        await settle(pilot)
        app.open_compare([1, 2])
        await until(pilot, lambda: "B is better by 9.5" in screen_text(pilot))
        assert "than A, p < 0.001" in screen_text(pilot)
        rows = {line.split()[0]: line.split()[1:] for line in screen_text(pilot).splitlines() if line.split()}
        assert float(rows["yardstick"][0]) == pytest.approx(math.exp(4.0), rel=0.01)
        await pilot.press("w")
        await until(pilot, lambda: "best checkpoints" in screen_text(pilot))
        await until(pilot, lambda: "B is better by 9.5" in screen_text(pilot))


async def test_curves_by_steps_tokens_and_time(app: WorkbenchApp, pair: Store) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        app.open_compare([1, 2])
        await until(pilot, lambda: "200 steps" in screen_text(pilot))
        assert "test perplexity, log" in screen_text(pilot)
        await pilot.press("b")
        await settle(pilot)
        assert f"{200 * 16 * 128:,} tokens" in screen_text(pilot)
        await pilot.press("b")
        await settle(pilot)
        assert "minutes" in screen_text(pilot)
        await pilot.press("b", "t", "y")
        await settle(pilot)
        assert "train perplexity, linear" in screen_text(pilot) and "200 steps" in screen_text(pilot)


async def test_every_curve_carries_its_letter(app: WorkbenchApp, crowd: Store) -> None:
    for run_id in range(1, 9):
        add_points(crowd, run_id, "eval/perplexity", [(0, 3500.0), (100, 90.0 + run_id), (200, 50.0)])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open_compare(list(range(1, 9)))
        await until(pilot, lambda: "200 steps" in screen_text(pilot))
        chart = app.screen.query_one(RunOverlay)
        drawn = "".join(text for line in chart._lines[1:-2] for text, _ in line)
        assert set("ABCDEFGH") <= set(drawn), "even where they lie on each other"


async def test_scrolling_help_and_back(app: WorkbenchApp, pair: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open_compare([1, 2])
        await until(pilot, lambda: "Cannot rank" in screen_text(pilot))
        assert isinstance(app.screen, CompareScreen)
        words = app.screen.query_one("#words")
        seen = []
        for key in ("j", "k", "ctrl+d", "ctrl+u", "G", "g", "end", "home", "down", "up"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(words.scroll_y)
        assert seen[0] == 1 and seen[1] == 0 and seen[2] > 3 and seen[3] == 0
        assert seen[4] == words.max_scroll_y > 0 and seen[5] == 0
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, Help)
        await pilot.press("escape", "q")
        await settle(pilot)
        assert isinstance(app.screen, RunsScreen)


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (200, 60)])
async def test_any_size(app: WorkbenchApp, pair: Store, size: tuple[int, int]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open_compare([1, 2])
        await settle(pilot)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert all(len(line) <= size[0] for line in screen_text(pilot).splitlines())


def test_time_that_passed_between_a_stop_and_its_resume_does_not_count() -> None:
    found = minutes(
        [Moment(0, 1, 0.0), Moment(0, 100, 600.0), Moment(1, 101, 9000.0), Moment(1, 201, 9600.0)]
    )
    assert found == [(1, 0.0), (100, 10.0), (101, 10.0), (201, 20.0)]
    assert minutes_at(found, 151) == 15.0 and minutes_at(found, 0) == 0.0 and minutes_at(found, 999) == 20.0
    assert minutes_at([], 5) == 0.0


def test_more_points_lie_on_the_same_lines() -> None:
    found = dense([(0, 1000.0), (100, 10.0)], 4, log=True)
    assert [step for step, _ in found] == [0, 25, 50, 75, 100]
    assert [value for _, value in found] == pytest.approx([1000, 316.2278, 100, 31.62278, 10])
    assert dense([(0, 10.0), (100, 20.0)], 2, log=False)[1] == (50, 15.0)
    assert dense([(0, 10.0), (5, math.inf), (9, math.nan)], 2, log=True) == [(0, 10.0)]
