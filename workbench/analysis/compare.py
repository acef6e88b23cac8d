"""Compares runs: how they differ, whether they can be ranked, and which is better."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.analysis.chunk_scores import ChunkScores, SharedChunks, shared_chunks
from workbench.analysis.comparison import ComparedRun, Comparison, Group, GroupPair, Pair
from workbench.analysis.differences import differences, unknown_fields
from workbench.analysis.document_hashes import documents_of
from workbench.analysis.grouping import compare_recipes
from workbench.analysis.wording import plural, sides, verdict
from workbench.caveats import base_name, diverged, divergence, untrained_base

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

__all__ = ["ComparedRun", "Comparison", "Group", "GroupPair", "Pair", "compare_runs"]

Which = Literal["last", "best"]
_Key = Callable[[ChunkScores], Hashable]
FEWEST_UNITS = 10
"""With fewer documents, or chunks, no interval can be trusted."""
_TOKENS = "tokens-"


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
        scores = store.yardsticks.all([run.id for run in runs])
        self._scores = [
            chunk_scores for run in runs if (chunk_scores := self._scores_of(run, scores[run.id]))
        ]

    def result(self) -> Comparison:
        self._explain_incomparable()
        pairs = [
            pair
            for a, b in combinations(self._scores, 2)
            if a.text == b.text and (pair := self._pair(a, b)) is not None
        ]
        groups, group_pairs, group_notes = compare_recipes(self._scores, self._shared)
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
        scores = [score for score in scores if score.protocol.startswith(_TOKENS)]
        saved = self._store.checkpoints(run.id)
        steps = [checkpoint.step for checkpoint in saved if checkpoint.best] if self._which == "best" else []
        steps = steps or [checkpoint.step for checkpoint in saved[-1:]]
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
            self._why_not.append(f"Run {run.id} {run.name} ({run.status}) has no yardstick score: {remedy}.")
            return None
        return ChunkScores.of(run, score, documents_of(Path(run.folder)))

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
                    self._explain(same_masks, lambda scores: scores.text, reason)

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
        chunks = shared.kept.nonzero()[0]
        estimate = paired_bootstrap(
            a.losses[chunks], b.losses[chunks], a.tokens[chunks], shared.documents[chunks]
        )
        if not estimate.by_document:
            documents = plural(shared.units, "document")
            self._note(f"The common text has only {documents}, so chunks are resampled.")
        return Pair(
            a=a.run_id,
            b=b.run_id,
            log_ratio=estimate.log_ratio,
            ci_low=estimate.low,
            ci_high=estimate.high,
            p_value=estimate.p_value,
            verdict=verdict(estimate.log_ratio, estimate.low, estimate.high),
            chunks=shared.chunks,
            documents=shared.units,
        )

    def _shared(self, scores: list[ChunkScores]) -> SharedChunks | None:
        """The shared chunks, None if they are too few. Remembers which runs saw test documents in
        training."""
        shared = shared_chunks(scores)
        for run_id in (member.run_id for member in scores):
            if run_id in shared.seen:
                before = self._seen.get(run_id, (0, 0))
                self._seen[run_id] = max(before, (shared.seen[run_id], shared.of))
            else:
                self._unknown.add(run_id)
        if shared.chunks >= FEWEST_UNITS:
            return shared
        runs = " and ".join(f"{member.run_id}" for member in scores)
        left = plural(shared.chunks, "chunk")
        unseen = "that neither was trained on " if any(shared.seen.values()) else ""
        self._few[f"Runs {runs} have only {left} {unseen}in common: too few to rank them."] = None
        return None

    def _note_seen_documents(self) -> None:
        for run_id, (count, of) in self._seen.items():
            if count:
                self._note(
                    f"{count:,} of {plural(of, 'held-out document')} "
                    f"{'is' if count == 1 else 'are'} in the training text of run {run_id}: left out."
                )
        for run_id in sorted(self._unknown):
            self._note(
                f"Whether run {run_id} was trained on held-out documents is unknown: "
                f"its {Path(self._store.run(run_id).folder).name} folder has no documents.npz."
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


def _classes(scores: Sequence[ChunkScores], key: _Key) -> list[list[ChunkScores]]:
    """The scores grouped by `key`, in their order."""
    classes: dict[Hashable, list[ChunkScores]] = {}
    for member in scores:
        classes.setdefault(key(member), []).append(member)
    return list(classes.values())


def _perplexity(score: Yardstick | None) -> float | None:
    return score.perplexity if score and score.masked_tokens else None
