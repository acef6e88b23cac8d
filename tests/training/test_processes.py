"""A run means the same on any number of processes: gloo on the CPU, one training for each number."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.processes import in_processes
from workbench.corpus import prepare_corpus
from workbench.errors import CorpusError
from workbench.events import EngineReady, Message, Metrics
from workbench.recipe import Recipe
from workbench.training import checkpoint, engine, evaluate, loop, step, throughput
from workbench.training.ranks import join

NAMES = ("train/loss", "train/grad_norm", "train/learning_rate", "eval/loss", "train/perplexity")


@pytest.fixture(autouse=True)
def report_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "REPORT_SECONDS", 0.0)


def trained(
    recipe: Recipe,
    folder: Path,
    cache: Path,
    *,
    stop: Callable[[list[Any], int], bool] = lambda told, rank: False,
) -> Callable[[int], dict[str, Any]]:
    """Train and go on from the newest checkpoint, if there is one; what is told, as JSON."""

    def work(rank: int) -> dict[str, Any]:
        told: list[Any] = []
        resume_from, _ = checkpoint.newest_resumable(folder)
        outcome = engine.train(
            recipe,
            folder,
            told.append,
            cache=cache,
            should_stop=lambda: stop(told, rank),
            resume_from=resume_from,
        )
        values: dict[str, dict[int, float]] = {}
        for event in told:
            for name, value in event.values.items() if isinstance(event, Metrics) else ():
                values.setdefault(name, {})[event.step] = value
        ready = [dataclasses.asdict(event) for event in told if isinstance(event, EngineReady)]
        words = [event.text for event in told if isinstance(event, Message)]
        # JSON has no numbers as keys
        curves = {name: sorted(points.items()) for name, points in values.items()}
        return {"outcome": outcome, "events": len(told), "curves": curves, "engine": ready, "words": words}

    return work


def joined(*answers: dict[str, Any]) -> dict[str, dict[int, float]]:
    """The curves of one run that was resumed, each a value by step."""
    return {
        name: {step: value for answer in answers for step, value in answer["curves"].get(name, [])}
        for name in NAMES
    }


def same(found: dict[str, dict[int, float]], expected: dict[str, dict[int, float]], rel: float) -> None:
    for name in NAMES:
        assert found[name].keys() == expected[name].keys(), name
        assert list(found[name].values()) == pytest.approx(list(expected[name].values()), rel=rel), name


@pytest.fixture
def dropping(recipe: Recipe) -> Recipe:
    """fp32, whose roundings are small; with dropout, and a last step that is shorter."""
    return recipe.with_changes(precision="fp32", batch_size=30, max_grad_norm=0.5)


def test_two_and_three_processes_train_like_one(dropping: Recipe, tmp_path: Path, cache: Path) -> None:
    (alone,) = in_processes(1, trained(dropping, tmp_path / "1", cache))
    for count in (2, 3):
        leading, *others = in_processes(count, trained(dropping, tmp_path / str(count), cache))
        assert leading["engine"][0]["processes"] == count
        assert len(leading["engine"][0]["devices"]) == count
        assert leading["engine"][0]["total_steps"] == alone["engine"][0]["total_steps"]
        same(joined(leading), joined(alone), rel=2e-5)
        assert [(other["outcome"], other["events"]) for other in others] == [("finished", 0)] * (count - 1)
    first, second = (weights(tmp_path / name) for name in ("1", "2"))
    assert all(torch.allclose(first[name], second[name], atol=1e-4) for name in first)


def test_two_processes_are_bit_for_bit_two_passes_of_one(
    dropping: Recipe, tmp_path: Path, cache: Path
) -> None:
    recipe = dropping.with_changes(precision="bf16", max_steps=8, max_grad_norm=0)
    halves = recipe.with_changes(batch_size=15, gradient_accumulation=2)
    (alone,) = in_processes(1, trained(halves, tmp_path / "alone", cache))
    leading, _ = in_processes(2, trained(recipe, tmp_path / "two", cache))
    assert joined(leading) == joined(alone)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved, _ = checkpoint.newest_resumable(folder)
    assert saved is not None
    return load_file(saved / "model.safetensors")


def test_a_run_goes_on_with_another_number_of_processes(
    dropping: Recipe, tmp_path: Path, cache: Path
) -> None:
    (whole,) = in_processes(1, trained(dropping, tmp_path / "whole", cache))

    def stops_at(number: int) -> Callable[[list[Any], int], bool]:
        return lambda told, rank: any(isinstance(one, Metrics) and one.step >= number for one in told)

    folder = tmp_path / "cut"
    (begun, _) = in_processes(2, trained(dropping, folder, cache, stop=stops_at(3)))
    (further,) = in_processes(1, trained(dropping, folder, cache, stop=stops_at(7)))
    ended, *_ = in_processes(4, trained(dropping, folder, cache))
    assert [one["outcome"] for one in (begun, further, ended)] == ["stopped", "stopped", "finished"]
    same(joined(begun, further, ended), joined(whole), rel=2e-5)


def test_whichever_process_is_asked_to_stop_all_stop_within_an_evaluation_too(
    dropping: Recipe, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "TOKENS_PER_PASS", 32)
    usual, scored = evaluate._score, []

    def counted(*arguments: Any) -> None:
        scored.append(usual(*arguments))

    def only_the_second(told: list[Any], rank: int) -> bool:
        return rank == 1 and len(scored) >= 3

    monkeypatch.setattr(evaluate, "_score", counted)
    answers = in_processes(2, trained(dropping, tmp_path / "run", cache, stop=only_the_second))
    assert [one["outcome"] for one in answers] == ["stopped", "stopped"]
    assert not answers[0]["curves"]  # it was the baseline that was left
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_one_process_short_of_memory_halves_the_batch_on_all(
    dropping: Recipe, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone,) = in_processes(1, trained(dropping, tmp_path / "1", cache))
    usual, backward = step.F.cross_entropy, torch.Tensor.backward
    refused = set()

    def refuses(at: str) -> None:
        if os.environ.get("RANK") == "1" and at not in refused:
            refused.add(at)
            raise torch.OutOfMemoryError("CUDA out of memory")

    def scores(*arguments: Any, **options: Any) -> torch.Tensor:
        if options.get("reduction") == "sum":
            refuses("forward")
        return usual(*arguments, **options)

    def goes_back(tensor: torch.Tensor, *arguments: Any, **options: Any) -> None:
        backward(tensor, *arguments, **options)
        if "forward" in refused:
            refuses("backward")

    monkeypatch.setattr(step.F, "cross_entropy", scores)
    monkeypatch.setattr(torch.Tensor, "backward", goes_back)
    leading, other = in_processes(2, trained(dropping, tmp_path / "2", cache))
    assert (leading["outcome"], other["outcome"]) == ("finished", "finished")
    sizes = [(one["batch_size"], one["gradient_accumulation"]) for one in leading["engine"]]
    assert sizes == [(15, 1), (8, 2), (4, 4)]
    assert sum("Out of memory" in text for text in leading["words"]) == 2
    same(joined(leading), joined(alone), rel=2e-5)


def test_too_little_memory_for_one_chunk_ends_all(
    dropping: Recipe, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = step.F.cross_entropy

    def refuses(*arguments: Any, **options: Any) -> torch.Tensor:
        if options.get("reduction") == "sum":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return usual(*arguments, **options)

    monkeypatch.setattr(loop.TrainingLoop, "_evaluate", lambda self: None)
    monkeypatch.setattr(step.F, "cross_entropy", refuses)
    answers = in_processes(2, trained(dropping.with_changes(batch_size=4), tmp_path / "run", cache))
    assert [one["error"] for one in answers] == ["TrainingError"] * 2


def test_an_error_of_one_process_ends_all_and_the_leading_one_tells(
    dropping: Recipe, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on(failing: int) -> None:
        def prepares(*arguments: Any, **options: Any) -> Any:
            if os.environ.get("RANK") == str(failing):
                raise CorpusError("The text is not here.", "Copy it.")
            return prepare_corpus(*arguments, **options)

        monkeypatch.setattr(engine, "prepare_corpus", prepares)

    fails_on(0)
    first, second = in_processes(2, trained(dropping, tmp_path / "0", cache))
    assert (first["error"], first["text"]) == ("CorpusError", "The text is not here. Copy it.")
    assert second["error"] == "PeerError"
    fails_on(1)
    first, second = in_processes(2, trained(dropping, tmp_path / "1", cache))
    assert first["error"] == "TrainingError" and second["error"] == "CorpusError"
    assert first["text"].startswith("Process 1 of 2, on ")
    assert first["text"].endswith(": The text is not here. Copy it.")


def test_the_text_is_prepared_by_one_while_the_others_wait(
    dropping: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"

    def prepares(*arguments: Any, **options: Any) -> Any:
        corpus = prepare_corpus(*arguments, **options)
        with log.open("a") as file:
            file.write(f"{os.environ['RANK']} {'found' if corpus.from_cache else 'made'}\n")
        return corpus

    monkeypatch.setattr(engine, "prepare_corpus", prepares)
    in_processes(3, trained(dropping.with_changes(max_steps=1), tmp_path / "run", tmp_path / "cache"))
    lines = log.read_text().splitlines()
    assert lines[0] == "0 made" and sorted(lines[1:]) == ["1 found", "2 found"]


def test_a_process_that_dies_is_not_waited_for(dropping: Recipe, tmp_path: Path, cache: Path) -> None:
    def dies(told: list[Any], rank: int) -> bool:
        training = any(isinstance(one, Metrics) and one.step >= 2 for one in told)
        if rank == 0 and training:
            os._exit(9)
        return False

    first, second = in_processes(2, trained(dropping, tmp_path / "run", cache, stop=dies))
    assert first is None and second["error"] == "PeerError"


def test_what_processes_tell_each_other() -> None:
    def work(rank: int) -> list[Any]:
        ranks = join()
        told = ranks.gather({"é": rank} if rank else None)
        answer = [told, ranks.from_first(f"r{rank}"), ranks.sum(rank, 1.5), ranks.any(rank == 2)]
        ranks.leave()
        return [*answer, join().count]

    expected = [[None, {"é": 1}, {"é": 2}], "r0", [3.0, 4.5], True, 1]
    assert in_processes(3, work) == [expected] * 3
