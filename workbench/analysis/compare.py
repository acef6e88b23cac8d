"""Compares runs: how they differ, whether they can be ranked, and which is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from workbench.analysis.chunk_scores import (
    FEWEST_DOCUMENTS,
    ChunkScores,
    SharedChunks,
    same_test,
    shared_chunks,
)
from workbench.analysis.comparison import ComparedRun, Comparison, Group, GroupPair, Pair
from workbench.analysis.differences import differences, unknown_fields
from workbench.analysis.grouping import compare_recipes
from workbench.analysis.known_seeds import seeds_alone
from workbench.analysis.protocol import MASKED, TOKENS, ranking
from workbench.analysis.wording import NO_DIFFERENCE, listed, pair_verdict, plural, sides
from workbench.caveats import base_name, diverged, divergence, untrained_base
from workbench.document_hashes import FILE

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

__all__ = ["ComparedRun", "Comparison", "Group", "GroupPair", "Pair", "compare_runs"]

Which = Literal["last", "best"]
_Key = Callable[[ChunkScores], Hashable]
_FEW_CARRY = 10
"""Effective documents below which a note says that a few long documents decide the perplexity."""


def compare_runs(store: Store, run_ids: Sequence[int], *, checkpoint: Which = "last") -> Comparison:
    """Compare runs by the yardstick scores of their newest or best checkpoints.

    Each pair is compared on the chunks that both were scored on. Raises UsageError for an id without a run.
    """
    runs = [store.run(run_id) for run_id in dict.fromkeys(run_ids)]
    return _Comparing(store, runs, checkpoint).result()


class _Comparing:
    """A comparison in progress."""

    def __init__(self, store: Store, runs: list[Run], which: Which) -> None:
        self._store, self._runs, self._which = store, runs, which
        self._why_not: list[str] = []
        self._notes: list[str] = []
        self._seen: dict[int, tuple[int, int]] = {}
        self._unknown: set[int] = set()
        self._few: dict[str, None] = {}
        self._older: dict[int, float | None] = {}
        scores = store.yardsticks.all([run.id for run in runs])
        self._scores = [
            chunk_scores for run in runs if (chunk_scores := self._scores_of(run, scores[run.id]))
        ]

    def result(self) -> Comparison:
        self._explain_incomparable()
        pairs = [
            pair
            for a, b in combinations(self._scores, 2)
            if same_test(a, b) and (pair := self._pair(a, b)) is not None
        ]
        groups, group_pairs, group_notes = compare_recipes(self._scores, self._shared)
        self._note_what_verdicts_mean(pairs)
        self._why_not += self._few
        self._note_seen_documents()
        if pairs and len({scores.score.chunks for scores in self._scores}) > 1:
            self._note("Test sets differ in length; each pair is compared on the chunks they share.")
        all_pairs = len(self._runs) * (len(self._runs) - 1) // 2
        if len(pairs) > 3:
            self._notes.append(
                f"With {len(pairs)} pairs, about one pair of equal models in 20 seems different by chance."
            )
        by_run = {scores.run_id: scores for scores in self._scores}
        return Comparison(
            runs=[self._compared_run(run, by_run.get(run.id)) for run in self._runs],
            differences=differences(self._runs),
            comparable=len(pairs) == all_pairs,
            why_not=self._why_not,
            pairs=pairs,
            notes=[*self._notes, *group_notes, *unknown_fields(self._runs), *self._untrained()],
            warnings=[f"Run {run.id} {run.name}: {divergence(run)}" for run in self._runs if diverged(run)],
            groups=groups,
            group_pairs=group_pairs,
        )

    def _scores_of(self, run: Run, scores: list[Yardstick]) -> ChunkScores | None:
        """The scores of the run's newest or best checkpoint, or of its last scored one."""
        older = [score for score in scores if score.protocol.startswith(TOKENS) and score.masked_tokens]
        self._older[run.id] = older[-1].perplexity if older else None
        scores = [score for score in ranking(scores) if math.isfinite(score.loss_sum)]
        saved = self._store.checkpoints(run.id)
        best = self._store.best_checkpoint(run.id) if self._which == "best" else None
        steps = [checkpoint.step for checkpoint in ([best] if best else saved[-1:])]
        score = next((score for score in scores if score.step in steps), None)
        if score is None and scores:
            score = scores[-1]
            self._notes.append(
                f"Run {run.id} {run.name} is compared at step {score.step}: its "
                f"{'best' if self._which == 'best' else 'newest'} checkpoint is not scored "
                f"(mlm-workbench yardstick {run.id})."
            )
        if score is None:
            remedy = f"mlm-workbench yardstick {run.id}" if saved else "it has no checkpoint"
            lacks = f"has a score on {TOKENS}, the older yardstick, but none on {MASKED}"
            lacks = lacks if older else "has no yardstick score"
            self._why_not.append(f"Run {run.id} {run.name} ({run.status}) {lacks}: {remedy}.")
            return None
        return ChunkScores.of(self._store, run, score)

    def _explain_incomparable(self) -> None:
        self._explain(self._scores, _protocol, "They were scored with different protocols ({values})")
        for same_protocol in _classes(self._scores, _protocol):
            self._explain(
                same_protocol, _tokenizer, "Their tokenizers differ, so their tokens are different questions"
            )
            for same_tokenizer in _classes(same_protocol, _tokenizer):
                self._explain(
                    same_tokenizer, _masks, "Their masks differ, because the models' vocabularies differ"
                )
                for same_masks in _classes(same_tokenizer, _masks):
                    reason = "The held-out text differs"
                    seeds = {scores.run.recipe.seed_of_split for scores in same_masks}
                    datasets = {scores.run.recipe.dataset for scores in same_masks}
                    if len(seeds) > 1 and len(datasets) == 1:
                        reason += ": their seeds split it differently (use one split_seed for all)"
                    self._explain_texts(same_masks, reason)

    def _explain_texts(self, scores: list[ChunkScores], reason: str) -> None:
        """Add `reason` if runs were scored on texts of which neither is the beginning of the other."""
        classes: list[list[ChunkScores]] = []
        for member in sorted(scores, key=lambda one: one.run_id):
            alike = next((one for one in classes if all(same_test(member, other) for other in one)), None)
            if alike is None:
                classes.append([member])
            else:
                alike.append(member)
        if len(classes) > 1:
            runs = sides([[member.run_id for member in members] for members in classes])
            self._why_not.append(f"{reason}: {runs}.")

    def _explain(self, scores: list[ChunkScores], key: _Key, reason: str) -> None:
        """Add `reason` if the runs differ in `key`."""
        classes = _classes(scores, key)
        if len(classes) > 1:
            values = ", ".join(str(key(members[0])) for members in classes)
            runs = sides([[member.run_id for member in members] for members in classes])
            self._why_not.append(f"{reason.format(values=values)}: {runs}.")

    def _pair(self, a: ChunkScores, b: ChunkScores) -> Pair | None:
        from workbench.analysis.bootstrap import paired_bootstrap

        shared = self._shared([a, b])
        if shared is None:
            return None
        estimate = paired_bootstrap(
            shared.losses(a), shared.losses(b), shared.tokens(a), shared.documents[shared.kept]
        )
        if estimate.effective < _FEW_CARRY:
            self._note(
                f"Documents differ so much in length that about {estimate.effective:.0f} of them decide the "
                f"perplexities of {_both(a.run_id, b.run_id)}; the verdict weighs all "
                f"{estimate.documents:,} equally."
            )
        return Pair(
            a=a.run_id,
            b=b.run_id,
            log_ratio=estimate.log_ratio,
            ci_low=estimate.low,
            ci_high=estimate.high,
            p_value=estimate.p_value,
            verdict=pair_verdict(estimate.log_ratio, estimate.low, estimate.high, estimate.token_ratio),
            chunks=shared.chunks,
            documents=shared.units,
            token_log_ratio=estimate.token_ratio,
            token_ci_low=estimate.token_low,
            token_ci_high=estimate.token_high,
            effective_documents=estimate.effective,
            seeds_alone=seeds_alone(self._store, a, b, estimate.token_ratio),
        )

    def _note_what_verdicts_mean(self, pairs: list[Pair]) -> None:
        """A pair is about two models, not their recipes; and what seeds alone do, where that is known."""
        decided = [pair for pair in pairs if not pair.verdict.startswith(NO_DIFFERENCE)]
        if decided:
            self._note("Each verdict is about these two models; other seeds of their recipes may differ.")
        for pair in decided:
            if pair.seeds_alone is not None:
                self._note(
                    f"{_both(pair.a, pair.b).capitalize()}: two seeds of one such recipe differ at least as "
                    f"much in {100 * pair.seeds_alone:.0f} % of pairs."
                )

    def _shared(self, scores: list[ChunkScores]) -> SharedChunks | None:
        """The shared chunks, None if they are too few. Remembers which runs saw test documents in
        training."""
        shared = shared_chunks(scores)
        for member in scores:
            before = self._seen.get(member.run_id, (0, 0))
            self._seen[member.run_id] = max(before, (shared.seen[member.run_id], shared.of))
            if not member.trained.known:
                self._unknown.add(member.run_id)
        if shared.units >= FEWEST_DOCUMENTS:
            return shared
        runs = listed(sorted({member.run_id for member in scores})).capitalize()
        left = plural(shared.units, "document")
        unseen = "that neither was trained on " if any(shared.seen.values()) else ""
        self._few[
            f"{runs} have only {left} {unseen}in common: too few to rank them (at least {FEWEST_DOCUMENTS})."
        ] = None
        return None

    def _note_seen_documents(self) -> None:
        for run_id, (count, of) in self._seen.items():
            if count:
                self._note(
                    f"{count:,} of {plural(of, 'held-out document')} "
                    f"{'is' if count == 1 else 'are'} in the training text of run {run_id} or of a run "
                    "that it continues: left out."
                )
        for run_id in sorted(self._unknown):
            self._note(
                f"Whether run {run_id} was trained on held-out documents is unknown: its folder, or that "
                f"of a run that it continues, has no {FILE}."
            )

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def _untrained(self) -> list[str]:
        """Notes on runs whose perplexity before training is that of random weights."""
        return [
            f"Run {run.id} {run.name}: {reason}, so its perplexity before training is no baseline."
            for run in self._runs
            if (reason := untrained_base(run.recipe, run.engine))
        ]

    def _compared_run(self, run: Run, scores: ChunkScores | None) -> ComparedRun:
        score = scores.score if scores else None
        return ComparedRun(
            id=run.id,
            name=run.name,
            status=str(run.status),
            seed=run.recipe.seed,
            step=score.step if score else None,
            eval_perplexity=run.eval_perplexity,
            yardstick_perplexity=_perplexity(score),
            base_perplexity=_perplexity(self._base(run, score)) if score else None,
            base_untrained=untrained_base(run.recipe, run.engine) or None,
            chunks=score.chunks if score else None,
            masked_tokens=score.masked_tokens if score else None,
            yardstick_error=score.loss_error if score else None,
            draws=score.draws if score else None,
            older_perplexity=self._older.get(run.id),
        )

    def _base(self, run: Run, score: Yardstick) -> Yardstick | None:
        """The base model's score on the same test."""
        for base in self._store.yardsticks.of_base(base_name(run.recipe, run.engine)):
            if (base.protocol, base.text_fingerprint, base.masks_fingerprint) == (
                score.protocol,
                score.text_fingerprint,
                score.masks_fingerprint,
            ):
                return base
        return None


def _protocol(scores: ChunkScores) -> str:
    return scores.score.protocol


def _tokenizer(scores: ChunkScores) -> str:
    return scores.score.tokenizer_fingerprint


def _masks(scores: ChunkScores) -> str:
    return scores.score.masks_fingerprint


def _both(a: int, b: int) -> str:
    return listed(sorted([a, b]))


def _classes(scores: Sequence[ChunkScores], key: _Key) -> list[list[ChunkScores]]:
    """The scores grouped by `key`, in the order of their runs."""
    classes: dict[Hashable, list[ChunkScores]] = {}
    for member in sorted(scores, key=lambda one: one.run_id):
        classes.setdefault(key(member), []).append(member)
    return list(classes.values())


def _perplexity(score: Yardstick | None) -> float | None:
    return score.perplexity if score and score.masked_tokens else None
