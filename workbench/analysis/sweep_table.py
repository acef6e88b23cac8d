"""A sweep in figures: recipes over their seeds on the yardstick, the best one, and those as good for all that
is known.

Recipes are compared with the best one as `compare` compares two: document by document, and over seeds where
there are several. Many are compared at once, so p-values are corrected after Holm ("A simple sequentially
rejective multiple test procedure", 1979): of equal recipes, in one sweep in 20 any is said to be behind.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.analysis.chunk_scores import Sheet, common
from workbench.analysis.differences import told
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
Known = dict[tuple[tuple[int | None, ...], tuple[int | None, ...]], Against | None]
"""Of two recipes, by the ids of their scores, how the second compares with the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipe of a sweep, over its seeds.

    values: of the swept fields. runs: their ids; statuses: how many stand how. perplexity: exp of the mean
    log perplexity on the yardstick of the `n` runs that have one; spread: standard deviation of the logs.
    log_ratio, with its 95 % interval and p_value (corrected): ln(perplexity / the best one's), None where
    they may not be compared. mark: "best"; "alike", not distinguishable from it; "behind"; "" not ranked.
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
    """fields: those that take several values, in the order of the plan. entries: in the order of the runs."""

    fields: list[str]
    entries: list[Entry]
    effects: list[Effect]
    notes: list[str] = field(default_factory=list)

    @property
    def best(self) -> Entry | None:
        """The recipe with the lowest perplexity, if any may be ranked."""
        return next((entry for entry in self.entries if entry.mark == "best"), None)

    def ranked(self) -> list[Entry]:
        """The best first; those without a figure last."""
        return sorted(self.entries, key=lambda one: math.inf if one.perplexity is None else one.perplexity)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def sweep_table(
    store: Store, runs: Sequence[Run], fields: Sequence[str] | None = None, compared: Known | None = None
) -> SweepTable:
    """The figures of these runs. `fields`: what was swept; None: every field that is not the same in all.

    compared: what earlier calls worked out of the same store, added to; for whoever asks again and again.
    """
    if fields is None:
        fields = _swept(runs)
    scores = store.yardsticks.all([run.id for run in runs])
    groups = [[(run, _newest(scores.get(run.id, []))) for run in group] for group in _by_recipe(runs)]
    sheets = [
        [Sheet.of(run, score, documents_of(Path(run.folder))) for run, score in group if score is not None]
        for group in groups
    ]
    entries = [_entry(group, fields) for group in groups]
    entries, notes = _ranked(entries, sheets, {} if compared is None else compared)
    losses = [[score.loss for _, score in group if score is not None] for group in groups]
    known = [
        (entry.values, sum(each) / len(each), entry.n)
        for entry, each in zip(entries, losses, strict=True)
        if each and entry.mark
    ]
    return SweepTable(list(fields), entries, main_effects(known, fields), notes)


def _swept(runs: Sequence[Run]) -> list[str]:
    """The fields that are not the same in all runs, but for the seeds."""
    recipes = [told(run).without_seeds() for run in runs]
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    return [name for name in names if len({_key(recipe.get(name)) for recipe in recipes}) > 1]


def _by_recipe(runs: Sequence[Run]) -> Iterable[list[Run]]:
    """The runs of each recipe, which differ in their seeds alone."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_key(told(run).without_seeds()), []).append(run)
    return groups.values()


def _entry(group: Sequence[tuple[Run, Yardstick | None]], fields: Sequence[str]) -> Entry:
    logs = [score.loss for _, score in group if score is not None]
    mean = sum(logs) / len(logs) if logs else math.nan
    first = told(group[0][0])
    return Entry(
        values={name: first.get(name) for name in fields},
        runs=[run.id for run, _ in group],
        seeds=[int(run.recipe.seed or 0) for run, _ in group],
        statuses=dict(Counter(str(run.status) for run, _ in group)),
        n=len(logs),
        perplexity=perplexity(mean) if logs else None,
        spread=_deviation(logs, mean) if len(logs) > 1 else None,
    )


def _ranked(entries: list[Entry], sheets: list[list[Sheet]], known: Known) -> tuple[list[Entry], list[str]]:
    """The entries compared with the best of those that answered the same questions."""
    comparable, notes = _comparable(entries, sheets)
    if len(comparable) < 2:
        return entries, notes
    best = min(comparable, key=lambda index: entries[index].perplexity or math.inf)
    found = {index: _look(sheets[best], sheets[index], known) for index in comparable if index != best}
    compared = {index: against for index, against in found.items() if against is not None}
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
    if len(found) > len(compared):
        notes.append("Some recipes have too little unseen text in common with the best one to be ranked.")
    if any(entry.n < 2 for entry in result if entry.mark):
        notes.append("A recipe with one seed: what another seed would give is not known. --seeds tells it.")
    return result, notes


def _comparable(entries: list[Entry], sheets: list[list[Sheet]]) -> tuple[list[int], list[str]]:
    """The places of the entries that answered the commonest questions, and a note on the others."""
    texts = Counter(sheet.text for group in sheets for sheet in group)
    if not texts:
        return [], ["No run has a score on the yardstick yet: it is made when a run has finished."]
    text, count = texts.most_common(1)[0]
    notes = []
    if left := sum(texts.values()) - count:
        notes.append(
            f"{left} of {left + count} runs were scored on other questions (their text, split, tokenizer or "
            "masks differ): they are not ranked."
        )
    comparable = [
        index
        for index, group in enumerate(sheets)
        if group and all(sheet.text == text for sheet in group) and entries[index].perplexity is not None
    ]
    if len(comparable) < 2:
        notes.append("Only one recipe has a score: nothing to rank.")
    return comparable, notes


def _look(best: list[Sheet], other: list[Sheet], known: Known) -> Against | None:
    """How the second compares with the first, worked out once."""
    pair = _scores(best), _scores(other)
    if pair not in known:
        known[pair] = _against(best, other)
    return known[pair]


def _scores(sheets: list[Sheet]) -> tuple[int | None, ...]:
    return tuple(sheet.score.id for sheet in sheets)


def _against(best: list[Sheet], other: list[Sheet]) -> Against | None:
    """ln(perplexity of other / of best), interval, p-value, that of seeds alone; None: too little text."""
    import numpy as np

    from workbench.analysis.bootstrap import paired_bootstrap
    from workbench.analysis.seeds import compare_groups

    shared = common([*best, *other])
    if shared.chunks < FEWEST_UNITS:
        return None
    chunks = shared.kept.nonzero()[0]
    tokens, documents = best[0].tokens[chunks], shared.documents[chunks]
    if len(best) < 2 and len(other) < 2:
        one = paired_bootstrap(best[0].losses[chunks], other[0].losses[chunks], tokens, documents)
        return one.log_ratio, one.low, one.high, one.p_value, 0.0
    both = compare_groups(
        np.stack([sheet.losses[chunks] for sheet in best]),
        np.stack([sheet.losses[chunks] for sheet in other]),
        tokens,
        documents,
    )
    return both.log_ratio, both.low, both.high, both.p_value, both.p_seeds


def holm(p_values: Mapping[int, float]) -> dict[int, float]:
    """p-values corrected for their number (Holm 1979), by the same keys."""
    corrected, highest = {}, 0.0
    for rank, (key, p_value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_value))
        corrected[key] = highest
    return corrected


def _newest(scores: Sequence[Yardstick]) -> Yardstick | None:
    scores = [score for score in scores if score.protocol.startswith(_TOKENS)]
    return scores[-1] if scores else None


def _deviation(logs: Sequence[float], mean: float) -> float:
    return math.sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
