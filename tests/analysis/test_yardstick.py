"""The yardstick: its perplexity checked by hand, the same questions for every run, nothing scored twice."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from workbench.analysis.scorer import Scorer
from workbench.analysis.yardstick import (
    MOST_CHUNKS,
    YardstickTest,
    error_of_draws,
    make_test,
    prepare_test,
    row_hashes,
)
from workbench.corpus import ChunkTable
from workbench.corpus.vocabulary import Vocabulary
from workbench.events import Event, Phase, PhaseChanged, Progress
from workbench.metrics import MetricName
from workbench.paths import cache_folder
from workbench.pretrained.starter import starter_folder
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.store import Store, Yardstick
from workbench.training.evaluate import Evaluation
from workbench.training.interrupted import Interrupted

from .conftest import SHORT, STEPS, Trained


def last_score(trained: Trained, name: str) -> Yardstick:
    return trained.store.yardsticks.of_run(trained.ids(name)[0])[-1]


def perplexity(score: Yardstick) -> float:
    return math.exp(score.loss_sum / score.masked_tokens)


def test_every_finished_run_is_scored_by_its_worker(trained: Trained) -> None:
    for name in ("usual", "many masks", "seed 7"):
        run = trained.run(name)
        (run_id,) = trained.ids(name)
        scores = trained.store.yardsticks.of_run(run_id)
        best = next(saved.step for saved in trained.store.checkpoints(run_id) if saved.best)
        assert {score.step for score in scores} == {STEPS, best}
        assert run.yardstick_perplexity == pytest.approx(perplexity(scores[-1]))
        told = {
            metric.step: metric.value
            for metric in trained.store.metrics(run_id, [MetricName.YARDSTICK_PERPLEXITY])
        }
        assert told[STEPS] == pytest.approx(run.yardstick_perplexity)
        assert (run.step, run.phase, run.data["test_chunks"] > 0) == (STEPS, None, True)


def test_its_perplexity_is_what_the_model_itself_says(trained: Trained) -> None:
    """By the plain model, all positions scored, chunk by chunk, over questions drawn again."""
    score = last_score(trained, "usual")
    test, corpus = prepare_test(SHORT, "starter", None, cache=cache_folder(), listen=lambda event: None)
    ids = torch.from_numpy(corpus.test.ids[: score.chunks].astype(np.int64))
    asked = test.masker(ids, torch.arange(len(ids)), epoch=0)
    model = AutoModelForMaskedLM.from_pretrained(str(trained.run("usual").checkpoint)).eval()
    losses = []
    with torch.no_grad():
        for shown, labels in zip(asked.input_ids.split(1), asked.labels.split(1), strict=True):
            logits = model(input_ids=shown).logits[0]
            losses.append(float(torch.nn.functional.cross_entropy(logits, labels[0], reduction="sum")))
            if len(losses) == 60:
                break
    kept = np.frombuffer(score.chunk_losses, "<f8")
    assert kept[:60] == pytest.approx(losses, rel=1e-4)
    assert kept.sum() == pytest.approx(score.loss_sum)
    counts = np.frombuffer(score.chunk_tokens, "<i4")
    assert counts[: score.chunks].tolist() == (asked.labels != -100).sum(1).tolist()
    assert counts.sum() == score.masked_tokens and len(counts) == score.draws * score.chunks


def test_the_questions_are_of_the_protocol(trained: Trained) -> None:
    test, _ = prepare_test(SHORT, "starter", None, cache=cache_folder(), listen=lambda event: None)
    assert test.table.chunk_size == 128 and test.protocol == "masked-1/128"
    ids = torch.from_numpy(test.table.ids.astype(np.int64))
    asked = test.masker(ids, torch.arange(len(ids)), epoch=0)
    chosen = asked.labels != -100
    special = torch.isin(ids, torch.tensor(test.masker.vocabulary.special_ids))
    assert not (chosen & special).any()
    assert float(chosen[~special].float().mean()) == pytest.approx(0.15, abs=0.01)
    assert (asked.input_ids[chosen] == test.masker.vocabulary.mask_id).all()
    assert (asked.input_ids[~chosen] == ids[~chosen]).all()


def test_chunk_size_masks_and_test_size_change_nothing_of_the_questions(trained: Trained) -> None:
    usual, masks, short = (last_score(trained, name) for name in ("usual", "many masks", "short chunks"))
    for other in (masks, short):
        assert other.protocol == usual.protocol
        assert other.masks_fingerprint == usual.masks_fingerprint
        assert other.tokenizer_fingerprint == usual.tokenizer_fingerprint
    assert masks.text_fingerprint == usual.text_fingerprint
    # the smaller test side is the beginning of the larger one, chunk by chunk
    assert short.chunks < usual.chunks
    assert usual.chunk_hashes.startswith(short.chunk_hashes)
    assert usual.chunk_tokens.startswith(short.chunk_tokens[: 4 * short.chunks])
    assert usual.document_hashes and usual.document_hashes.startswith(short.document_hashes or b"?")
    assert usual.chunk_documents.startswith(short.chunk_documents[:-4])


def test_a_base_model_is_scored_once_for_all_runs_over_a_text(trained: Trained) -> None:
    base = trained.store.yardsticks.of_base("starter")
    texts = [score.text_fingerprint for score in base]
    assert len(texts) == len(set(texts)) == 3  # the usual test side, the smaller one, the other split
    assert all(score.step == 0 and perplexity(score) > 1000 for score in base)


def test_an_older_checkpoint_is_scored_on_demand_and_then_known(trained: Trained, tmp_path: Path) -> None:
    store = _copy(trained, tmp_path)
    run = store.find("usual")
    before = run.yardstick_perplexity
    events: list[Event] = []
    scorer = Scorer(store, run, cache=cache_folder(), listen=events.append)
    first = store.checkpoints(run.id)[0]
    score = scorer.checkpoint(first)
    assert (score.step, score.run_id) == (20, run.id)
    assert perplexity(score) > before  # it was trained less
    assert [event for event in events if event == PhaseChanged(Phase.EVALUATING)] != []
    assert Progress(score.chunks, score.chunks * score.draws, "chunks") in events
    assert store.run(run.id).yardstick_perplexity == before
    events.clear()
    again = scorer.checkpoint(first)
    assert again.id == score.id and PhaseChanged(Phase.EVALUATING) not in events
    assert len(store.metrics(run.id, [MetricName.YARDSTICK_PERPLEXITY])) == len(
        {m.step for m in store.metrics(run.id, [MetricName.YARDSTICK_PERPLEXITY])}
    )
    store.close()


def test_a_stop_is_honoured_and_nothing_half_is_kept(trained: Trained, tmp_path: Path) -> None:
    store = _copy(trained, tmp_path)
    run = store.find("usual")
    known = len(store.yardsticks.of_run(run.id))
    asked: list[Event] = []
    scorer = Scorer(
        store,
        run,
        cache=cache_folder(),
        listen=asked.append,
        should_stop=lambda: any(isinstance(event, Progress) and event.unit == "chunks" for event in asked),
    )
    with pytest.raises(Interrupted):
        scorer.checkpoint(store.checkpoints(run.id)[0])
    assert len(store.yardsticks.of_run(run.id)) == known
    store.close()


def test_at_most_a_thousand_chunks_are_asked() -> None:
    tokens = 128 * (MOST_CHUNKS + 50)
    ids = np.arange(tokens).reshape(-1, 128) % 30_000
    side = ChunkTable(ids.astype(np.uint16), np.ones_like(ids, np.uint8), np.array([0, 1000, tokens]))
    test = make_test(side, Vocabulary.from_tokenizer(load_tokenizer("starter")), "t")
    assert len(test.table) == MOST_CHUNKS == len(test.hashes)
    assert test.documents.tolist()[:9] == [0] * 8 + [1] and test.documents[-1] == 1


def a_test(chunks: int) -> YardstickTest:
    ids = np.random.default_rng(0).integers(1000, 30_000, (chunks, 128))
    side = ChunkTable(ids.astype(np.uint16), np.ones_like(ids, np.uint8), np.array([0, ids.size]))
    return make_test(side, Vocabulary.from_tokenizer(load_tokenizer("starter")), "t")


def test_draws_ask_every_token_once_before_any_twice_and_show_it_as_the_mask() -> None:
    test = a_test(40)
    ids, rows = torch.from_numpy(test.table.ids.astype(np.int64)), torch.arange(40)
    asked = [test.masker_of(draw)(ids, rows, 0) for draw in range(20)]
    times = torch.stack([one.labels != -100 for one in asked]).sum(0)
    assert (torch.stack([one.labels != -100 for one in asked[:6]]).sum(0) <= 1).all()
    assert (times == 3).float().mean() > 0.99 and times.min() >= 2
    for one in asked:
        chosen = one.labels != -100
        assert float(chosen.float().mean()) == pytest.approx(0.15, abs=0.02)
        assert (one.input_ids[chosen] == test.masker.vocabulary.mask_id).all()
        assert (one.labels[chosen] == ids[chosen]).all()


@pytest.mark.parametrize(("chunks", "draws"), [(3, 20), (111, 9), (284, 3), (600, 1), (1200, 1)])
def test_a_short_test_is_asked_as_often_as_a_full_one_costs(chunks: int, draws: int) -> None:
    assert a_test(chunks).most_draws == draws


def test_the_error_of_a_figure_is_what_other_draws_of_the_masks_would_do() -> None:
    """Losses of 111 chunks whose tokens differ by 3 nats, asked in nine independent draws, many times
    over."""
    draw = np.random.default_rng(0)
    figures, errors = [], []
    for _ in range(200):
        masked = draw.binomial(128, 0.15, (9, 111))
        sums = draw.normal(4.5 * masked, 3 * np.sqrt(masked))
        figures.append(sums.sum() / masked.sum())
        errors.append(error_of_draws([Evaluation(*one) for one in zip(sums, masked, strict=True)]))
    assert np.mean(errors) == pytest.approx(np.std(figures), rel=0.15)


def test_hashes_are_of_the_tokens_whatever_holds_them() -> None:
    rows = np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]])
    hashes = row_hashes(rows.astype(np.uint16))
    assert hashes.tolist() == row_hashes(rows.astype(np.int64)).tolist()
    assert hashes[0] == hashes[2] != hashes[1]


def test_the_saved_tokenizer_asks_the_same_questions(trained: Trained) -> None:
    """A run may be scored when its base model is gone."""
    checkpoint = str(trained.run("usual").checkpoint)
    identities = [
        prepare_test(SHORT, model, None, cache=cache_folder(), listen=lambda event: None)[0].identity()
        for model in ("starter", str(starter_folder()), checkpoint)
    ]
    assert identities[0] == identities[1] == identities[2]


def _copy(trained: Trained, folder: Path) -> Store:
    """The runs in a database of their own; their checkpoints stay where they are."""
    shutil.copytree(trained.database.parent, folder / "copy")
    return Store.open(folder / "copy" / trained.database.name)


def test_a_base_model_by_another_name_is_found_by_both(trained: Trained, tmp_path: Path) -> None:
    store = _copy(trained, tmp_path)
    run = store.find("usual")
    folder = str(starter_folder())
    store.update_run(run.id, recipe={**run.recipe, "model": folder}, environment={"base_model": folder})
    before = {score.id for score in store.yardsticks.of_base("starter")}
    score = Scorer(store, store.run(run.id), cache=cache_folder()).base()
    assert [one.id for one in store.yardsticks.of_base(folder)] == [score.id]
    assert {one.id for one in store.yardsticks.of_base("starter")} == before
    store.close()
