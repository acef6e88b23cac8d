"""Compare runs: what differs between them, whether they may be ranked, and which is better."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.analysis.chunk_scores import Common, Sheet, common
from workbench.analysis.comparison import Comparison, Contender, Group, GroupPair, Pair
from workbench.analysis.differences import differences, not_told
from workbench.analysis.document_hashes import documents_of
from workbench.analysis.grouping import compare_recipes
from workbench.analysis.wording import plural, sides, verdict
from workbench.caveats import base_name, diverged, divergence, untrained_base

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

__all__ = ["Comparison", "Contender", "Group", "GroupPair", "Pair", "compare_runs"]

Which = Literal["last", "best"]
FEWEST_UNITS = 10
"""Documents, or chunks of fewer documents, below which no interval can be trusted."""
_TOKENS = "tokens-"


def compare_runs(store: Store, run_ids: Sequence[int], *, checkpoint: Which = "last") -> Comparison:
    """Compare runs by their scores on the yardstick: those of their newest or their best checkpoint.

    Each pair is compared on the chunks that both were scored on. Raises UsageError for an id without a run.
    """
    runs = [store.run(run_id) for run_id in dict.fromkeys(run_ids)]
    return _Comparing(store, runs, checkpoint).done()


class _Comparing:
    """One comparison in the making."""

    def __init__(self, store: Store, runs: list[Run], which: Which) -> None:
        self._store, self._runs, self._which = store, runs, which
        self._why_not: list[str] = []
        self._notes: list[str] = []
        self._seen: dict[int, tuple[int, int]] = {}
        self._unknown: set[int] = set()
        self._few: dict[str, None] = {}
        scores = store.yardsticks.all([run.id for run in runs])
        self._sheets = [sheet for run in runs if (sheet := self._sheet(run, scores[run.id]))]

    def done(self) -> Comparison:
        """The comparison."""
        self._say_what_differs()
        pairs = [
            pair
            for a, b in combinations(self._sheets, 2)
            if a.text == b.text and (pair := self._pair(a, b)) is not None
        ]
        groups, group_pairs, about_groups = compare_recipes(self._sheets, self._common)
        self._why_not += self._few
        self._say_what_was_seen()
        if pairs and len({sheet.score.chunks for sheet in self._sheets}) > 1:
            self._say(
                "The perplexities are over different lengths of a text; each pair, over what both were asked."
            )
        wanted = len(self._runs) * (len(self._runs) - 1) // 2
        if len(pairs) > 3:
            self._notes.append(
                f"{len(pairs)} pairs are compared: of equal models about one pair in 20 seems different."
            )
        by_run = {sheet.run_id: sheet for sheet in self._sheets}
        return Comparison(
            runs=[self._contender(run, by_run.get(run.id)) for run in self._runs],
            differences=differences(self._runs),
            comparable=len(pairs) == wanted,
            why_not=self._why_not,
            pairs=pairs,
            notes=[*self._notes, *about_groups, *not_told(self._runs), *self._untrained()],
            warnings=[f"Run {run.id} {run.name}: {divergence(run)}" for run in self._runs if diverged(run)],
            groups=groups,
            group_pairs=group_pairs,
        )

    def _sheet(self, run: Run, scores: list[Yardstick]) -> Sheet | None:
        """The answers of the checkpoint that stands for a run."""
        scores = [score for score in scores if score.protocol.startswith(_TOKENS)]
        saved = self._store.checkpoints(run.id)
        wanted = [one.step for one in saved if one.best] if self._which == "best" else []
        wanted = wanted or [one.step for one in saved[-1:]]
        score = next((score for score in scores if score.step in wanted), None)
        if score is None and scores:
            score = scores[-1]
            self._notes.append(
                f"Run {run.id} {run.name} stands by its step {score.step}: its "
                f"{'best' if self._which == 'best' else 'newest'} checkpoint is not scored "
                f"(mlm-workbench yardstick {run.id})."
            )
        if score is None:
            what = f"mlm-workbench yardstick {run.id}" if saved else "it has no checkpoint"
            self._why_not.append(
                f"Run {run.id} {run.name} ({run.status}) has no score on the yardstick: {what}."
            )
            return None
        return Sheet.of(run, score, documents_of(Path(run.folder)))

    def _say_what_differs(self) -> None:
        self._differs(
            self._sheets, lambda one: one.score.protocol, "They are scored by different protocols ({values})"
        )
        alike = _classes(self._sheets, lambda one: one.score.protocol)
        for sheets in alike:
            self._differs(
                sheets,
                lambda one: one.score.tokenizer_fingerprint,
                "Their tokenizers differ, so a token is not the same question",
            )
            for same_tokenizer in _classes(sheets, lambda one: one.score.tokenizer_fingerprint):
                self._differs(
                    same_tokenizer,
                    lambda one: one.score.masks_fingerprint,
                    "Their masks differ, because the models' vocabularies do",
                )
                for same_questions in _classes(same_tokenizer, lambda one: one.score.masks_fingerprint):
                    seeds = {sheet.run.recipe.seed_of_split for sheet in same_questions}
                    why = "The held-out text differs"
                    if len(seeds) > 1 and len({one.run.recipe.dataset for one in same_questions}) == 1:
                        why += ": their seeds split it differently (set split_seed to split alike)"
                    self._differs(same_questions, lambda one: one.text, why)

    def _differs(self, sheets: list[Sheet], key: Callable[[Sheet], Hashable], why: str) -> None:
        classes = _classes(sheets, key)
        if len(classes) > 1:
            values = ", ".join(str(key(one[0])) for one in classes)
            where = sides([[sheet.run_id for sheet in one] for one in classes])
            self._why_not.append(f"{why.format(values=values)}: {where}.")

    def _pair(self, a: Sheet, b: Sheet) -> Pair | None:
        from workbench.analysis.bootstrap import paired_bootstrap

        shared = self._common([a, b])
        if shared is None:
            return None
        chunks = shared.kept.nonzero()[0]
        found = paired_bootstrap(
            a.losses[chunks], b.losses[chunks], a.tokens[chunks], shared.documents[chunks]
        )
        if not found.by_document:
            self._say(f"The common text is only {plural(shared.units, 'document')}: chunks are resampled.")
        return Pair(
            a=a.run_id,
            b=b.run_id,
            log_ratio=found.log_ratio,
            ci_low=found.low,
            ci_high=found.high,
            p_value=found.p_value,
            verdict=verdict(found.log_ratio, found.low, found.high),
            chunks=shared.chunks,
            documents=shared.units,
        )

    def _common(self, sheets: list[Sheet]) -> Common | None:
        """What the sheets share, or None when it is too little; notes what was seen in training."""
        shared = common(sheets)
        for sheet in sheets:
            if sheet.run_id in shared.seen:
                before = self._seen.get(sheet.run_id, (0, 0))
                self._seen[sheet.run_id] = max(before, (shared.seen[sheet.run_id], shared.of))
            else:
                self._unknown.add(sheet.run_id)
        if shared.chunks >= FEWEST_UNITS:
            return shared
        named = " and ".join(f"{sheet.run_id}" for sheet in sheets)
        left = plural(shared.chunks, "chunk")
        why = "that neither was trained on " if any(shared.seen.values()) else ""
        self._few[f"Runs {named} have only {left} {why}in common: too few to rank them."] = None
        return None

    def _say_what_was_seen(self) -> None:
        for run_id, (count, of) in self._seen.items():
            if count:
                self._say(
                    f"{count:,} of {plural(of, 'held-out document')} "
                    f"{'is' if count == 1 else 'are'} in the training text of run {run_id}: left out."
                )
        for run_id in sorted(self._unknown):
            self._say(
                f"Whether run {run_id} was trained on held-out documents is not known: "
                f"its {Path(self._store.run(run_id).folder).name} folder has no documents.npz."
            )

    def _say(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def _untrained(self) -> list[str]:
        """Of whose base models the figures before training are those of random weights."""
        return [
            f"Run {run.id} {run.name}: {why}, so its perplexity before training is no base to compare with."
            for run in self._runs
            if (why := untrained_base(run.recipe, run.engine))
        ]

    def _contender(self, run: Run, sheet: Sheet | None) -> Contender:
        score = sheet.score if sheet else None
        return Contender(
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
        """The base model's score on the very same test."""
        for base in self._store.yardsticks.of_base(base_name(run.recipe, run.engine)):
            if (base.protocol, base.text_fingerprint, base.masks_fingerprint) == (
                score.protocol,
                score.text_fingerprint,
                score.masks_fingerprint,
            ):
                return base
        return None


def _classes(sheets: Sequence[Sheet], key: Callable[[Sheet], Hashable]) -> list[list[Sheet]]:
    """The sheets with equal keys together, in their order."""
    found: dict[Hashable, list[Sheet]] = {}
    for sheet in sheets:
        found.setdefault(key(sheet), []).append(sheet)
    return list(found.values())


def _perplexity(score: Yardstick | None) -> float | None:
    return score.perplexity if score and score.masked_tokens else None
