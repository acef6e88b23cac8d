"""A sweep in figures: recipes over their seeds on the yardstick, the best one, and those as good for all that
is known.

Recipes are compared document by document, and over seeds where there are several. All pairs are compared at
once (`family`): of equal recipes, in one sweep in 20 any is said to be behind.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from workbench.analysis.chunk_scores import FEWEST_DOCUMENTS, ChunkScores
from workbench.analysis.differences import known_recipe
from workbench.analysis.effects import Effect, main_effects
from workbench.analysis.grouping import one_for_each_seed
from workbench.analysis.protocol import ranking
from workbench.analysis.sweep_ranking import Compared, Ranking, rank
from workbench.metrics import perplexity

if TYPE_CHECKING:
    from workbench.store import Run, Store, Yardstick

Mark = Literal["best", "alike", "behind", ""]
Group = list[tuple["Run", "Yardstick | None"]]
"""The runs of one recipe, each with the score that stands for it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipe of a sweep, over its seeds.

    values: of the swept fields. runs: their ids; statuses: how many stand how. perplexity: exp of the mean
    log perplexity on the yardstick of the `n` runs that have one, over what all ranked recipes were asked;
    spread: standard deviation of the logs. log_ratio: the mean over documents of ln(perplexity / the best
    one's), with a 95 % interval and a p_value that hold for all pairs at once; None where they may not be
    compared. mark: "best"; "alike", not distinguishable from it; "behind"; "" not ranked. optimism: of the
    best one, by how much the log of its perplexity is too low because it was chosen as the lowest.
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
    optimism: float | None = None


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
        """The best first; after those that are ranked the others, those without a figure last."""

        def place(entry: Entry) -> tuple[bool, float]:
            return not entry.mark, math.inf if entry.perplexity is None else entry.perplexity

        return sorted(self.entries, key=place)

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
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
    sheets, notes_on_seeds = [], []
    for group in groups:
        all_of_it = [ChunkScores.of(store, run, score) for run, score in group if score is not None]
        kept, said = one_for_each_seed(all_of_it)
        sheets.append(kept)
        notes_on_seeds += said
    groups = [_without_doubles(group, kept) for group, kept in zip(groups, sheets, strict=True)]
    entries = [_entry(group, fields) for group in groups]
    entries, notes = _ranked(entries, sheets, {} if compared is None else compared)
    known = [
        (entry.values, math.log(entry.perplexity), entry.n)
        for entry in entries
        if entry.mark and entry.perplexity is not None and math.isfinite(entry.perplexity)
    ]
    return SweepTable(list(fields), entries, main_effects(known, fields), [*notes, *notes_on_seeds])


def _without_doubles(group: Group, kept: Sequence[ChunkScores]) -> Group:
    """The runs of a group but for those whose seed another run has, which has a score too."""
    staying = {sheet.run_id for sheet in kept}
    return [(run, score) for run, score in group if score is None or run.id in staying]


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
    entries: list[Entry], sheets: list[list[ChunkScores]], known: Compared
) -> tuple[list[Entry], list[str]]:
    """The entries compared with the best of those that answered the same questions."""
    scored = [index for index, group in enumerate(sheets) if group]
    if not scored:
        return entries, ["No run has a score on the yardstick yet: it is made when a run has finished."]
    if len(scored) < 2:
        return entries, ["Only one recipe has a score: nothing to rank."]
    found = rank(sheets, known)
    if found is None:
        return entries, [
            "The recipes have too little unseen text in common to be ranked: "
            f"{FEWEST_DOCUMENTS} documents are needed."
        ]
    result = list(entries)
    for index in found.members:
        losses = found.losses[index]
        mean = sum(losses) / len(losses)
        result[index] = replace(
            entries[index],
            perplexity=perplexity(mean),
            spread=_deviation(losses, mean) if len(losses) > 1 else None,
        )
    result[found.best] = replace(result[found.best], mark="best", log_ratio=0.0, optimism=found.optimism)
    for index, place in found.places.items():
        result[index] = replace(
            result[index],
            log_ratio=place.log_ratio,
            ci_low=place.ci_low,
            ci_high=place.ci_high,
            p_value=place.p_value,
            mark="behind" if place.behind else "alike",
        )
    return result, _notes(result, found, len(scored))


def _notes(entries: list[Entry], found: Ranking, scored: int) -> list[str]:
    notes = []
    if left := scored - len(found.members):
        notes.append(
            f"{left} of {scored} recipes were scored on other questions (their text, split, tokenizer or "
            "masks differ): they are not ranked."
        )
    if found.optimism > 0:
        share = 100 * (math.exp(found.optimism) - 1)
        notes.append(
            f"The best perplexity was chosen among {len(found.members)} and is probably too low by "
            f"{share:.2g} %."
        )
    if any(entry.n < 2 for entry in entries if entry.mark):
        notes.append("A recipe with one seed: what another seed would give is not known. --seeds tells it.")
    return notes


def _newest(scores: Sequence[Yardstick]) -> Yardstick | None:
    scores = [score for score in ranking(scores) if math.isfinite(score.loss_sum)]
    return scores[-1] if scores else None


def _deviation(logs: Sequence[float], mean: float) -> float:
    return math.sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
