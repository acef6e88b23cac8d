"""The table of a sweep: its recipes on the yardstick, averaged over seeds and compared with the best one.

Recipes are compared as `compare` does it: document by document, and over seeds if there are several. Since
many are compared at once, p-values are corrected after Holm ("A simple sequentially rejective multiple test
procedure", 1979): with equal recipes, one sweep in 20 wrongly marks any of them as behind.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.analysis.chunk_scores import ChunkScores, shared_chunks
from workbench.analysis.differences import known_recipe
from workbench.analysis.document_hashes import documents_of
from workbench.analysis.effects import Effect, main_effects
from workbench.metrics import perplexity

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

Mark = Literal["best", "alike", "behind", ""]
LEVEL = 0.05
FEWEST_UNITS = 10
_TOKENS = "tokens-"
Against = tuple[float, float, float, float, float]
Compared = dict[tuple[tuple[int | None, ...], tuple[int | None, ...]], Against | None]
"""Cached comparisons: the ids of two recipes' scores -> how the second compares with the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipe of a sweep, over its seeds.

    values: of the swept fields. runs: their ids; statuses: the number of runs by status. perplexity: exp of
    the mean log perplexity on the yardstick of the `n` runs that have one; spread: standard deviation of the
    logs. log_ratio: ln(perplexity / the best one's), with its 95 % interval and corrected p_value, None if
    they cannot be compared. mark: "best"; "alike", not distinguishable from it; "behind"; "" not ranked.
    """

    values: dict[str, Any]
    runs: list[int]
    seeds: list[int]
    statuses: dict[str, int]
    n: int
    perplexity: float | None
    spread: float | None
    mark: Mark = ""
    log_ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class SweepTable:
    """fields: the swept fields in the order of the plan. entries: in the order of the runs."""

    fields: list[str]
    entries: list[Entry]
    effects: list[Effect]
    notes: list[str] = field(default_factory=list)

    @property
    def best(self) -> Entry | None:
        """The recipe with the lowest perplexity, if any can be ranked."""
        return next((entry for entry in self.entries if entry.mark == "best"), None)

    def ranked(self) -> list[Entry]:
        """The entries, best first; those without a perplexity last."""
        return sorted(
            self.entries, key=lambda entry: math.inf if entry.perplexity is None else entry.perplexity
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def sweep_table(
    store: Store, runs: Sequence[Run], fields: Sequence[str] | None = None, compared: Compared | None = None
) -> SweepTable:
    """The table of these runs. `fields`: the swept fields; None: every field that differs between them.

    compared: a cache of comparisons for repeated calls on the same store.
    """
    if fields is None:
        fields = _swept(runs)
    scores = store.yardsticks.all([run.id for run in runs])
    groups = [[(run, _newest(scores.get(run.id, []))) for run in group] for group in _by_recipe(runs)]
    chunk_scores = [
        [
            ChunkScores.of(run, score, documents_of(Path(run.folder)))
            for run, score in group
            if score is not None
        ]
        for group in groups
    ]
    entries = [_entry(group, fields) for group in groups]
    entries, notes = _ranked(entries, chunk_scores, {} if compared is None else compared)
    losses = [[score.loss for _, score in group if score is not None] for group in groups]
    results = [
        (entry.values, sum(logs) / len(logs), entry.n)
        for entry, logs in zip(entries, losses, strict=True)
        if logs and entry.mark
    ]
    return SweepTable(list(fields), entries, main_effects(results, fields), notes)


def _swept(runs: Sequence[Run]) -> list[str]:
    """The fields that differ between runs, without the seeds."""
    recipes = [known_recipe(run).without_seeds() for run in runs]
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    return [name for name in names if len({_key(recipe.get(name)) for recipe in recipes}) > 1]


def _by_recipe(runs: Sequence[Run]) -> Iterable[list[Run]]:
    """The runs of each recipe, which differ only in their seeds."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_key(known_recipe(run).without_seeds()), []).append(run)
    return groups.values()


def _entry(group: Sequence[tuple[Run, Yardstick | None]], fields: Sequence[str]) -> Entry:
    logs = [score.loss for _, score in group if score is not None]
    mean = sum(logs) / len(logs) if logs else math.nan
    first = known_recipe(group[0][0])
    return Entry(
        values={name: first.get(name) for name in fields},
        runs=[run.id for run, _ in group],
        seeds=[int(run.recipe.seed or 0) for run, _ in group],
        statuses=dict(Counter(str(run.status) for run, _ in group)),
        n=len(logs),
        perplexity=perplexity(mean) if logs else None,
        spread=_deviation(logs, mean) if len(logs) > 1 else None,
    )


def _ranked(
    entries: list[Entry], scores: list[list[ChunkScores]], cache: Compared
) -> tuple[list[Entry], list[str]]:
    """The entries compared with the best of those that were scored on the same test."""
    comparable, notes = _comparable(entries, scores)
    if len(comparable) < 2:
        return entries, notes
    best = min(comparable, key=lambda index: entries[index].perplexity or math.inf)
    others = [index for index in comparable if index != best]
    compared = {
        index: against
        for index in others
        if (against := _cached_against(scores[best], scores[index], cache)) is not None
    }
    corrected = holm({index: p_value for index, (_, _, _, p_value, _) in compared.items()})
    result = list(entries)
    result[best] = replace(entries[best], mark="best", log_ratio=0.0)
    for index, (ratio, low, high, _, p_seeds) in compared.items():
        p_value = corrected[index]
        result[index] = replace(
            entries[index],
            log_ratio=ratio,
            ci_low=low,
            ci_high=high,
            p_value=p_value,
            mark="behind" if max(p_value, p_seeds) < LEVEL else "alike",
        )
    if len(others) > len(compared):
        notes.append("Some recipes share too little unseen text with the best one to be ranked.")
    if any(entry.n < 2 for entry in result if entry.mark):
        notes.append("Some recipes have only one seed; use --seeds to measure seed variance.")
    return result, notes


def _comparable(entries: list[Entry], scores: list[list[ChunkScores]]) -> tuple[list[int], list[str]]:
    """The indices of the entries that were scored on the most common test, and a note on the others."""
    texts = Counter(member.text for group in scores for member in group)
    if not texts:
        return [], ["No run has a yardstick score yet; a run is scored when it finishes."]
    text, count = texts.most_common(1)[0]
    notes = []
    if left := sum(texts.values()) - count:
        notes.append(
            f"{left} of {left + count} runs are not ranked: they were scored on another test (their text, "
            "split, tokenizer or masks differ)."
        )
    comparable = [
        index
        for index, group in enumerate(scores)
        if group and all(member.text == text for member in group) and entries[index].perplexity is not None
    ]
    if len(comparable) < 2:
        notes.append("Only one recipe has a score, so there is nothing to rank.")
    return comparable, notes


def _cached_against(best: list[ChunkScores], other: list[ChunkScores], cache: Compared) -> Against | None:
    pair = _ids(best), _ids(other)
    if pair not in cache:
        cache[pair] = _against(best, other)
    return cache[pair]


def _ids(scores: list[ChunkScores]) -> tuple[int | None, ...]:
    return tuple(member.score.id for member in scores)


def _against(best: list[ChunkScores], other: list[ChunkScores]) -> Against | None:
    """ln(perplexity of other / of best), its interval, p-value, and p-value of seeds alone; None if they
    share too little text.
    """
    import numpy as np

    from workbench.analysis.bootstrap import paired_bootstrap
    from workbench.analysis.seeds import compare_groups

    shared = shared_chunks([*best, *other])
    if shared.chunks < FEWEST_UNITS:
        return None
    chunks = shared.kept.nonzero()[0]
    tokens, documents = best[0].tokens[chunks], shared.documents[chunks]
    if len(best) < 2 and len(other) < 2:
        pair = paired_bootstrap(best[0].losses[chunks], other[0].losses[chunks], tokens, documents)
        return pair.log_ratio, pair.low, pair.high, pair.p_value, 0.0
    groups = compare_groups(
        np.stack([member.losses[chunks] for member in best]),
        np.stack([member.losses[chunks] for member in other]),
        tokens,
        documents,
    )
    return groups.log_ratio, groups.low, groups.high, groups.p_value, groups.p_seeds


def holm(p_values: Mapping[int, float]) -> dict[int, float]:
    """p-values corrected for multiple comparisons (Holm 1979), by the same keys."""
    corrected, highest = {}, 0.0
    for rank, (key, p_value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_value))
        corrected[key] = highest
    return corrected


def _newest(scores: Sequence[Yardstick]) -> Yardstick | None:
    scores = [score for score in scores if score.protocol.startswith(_TOKENS)]
    return scores[-1] if scores else None


def _deviation(logs: Sequence[float], mean: float) -> float:
    return math.sqrt(sum((log - mean) ** 2 for log in logs) / (len(logs) - 1))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
