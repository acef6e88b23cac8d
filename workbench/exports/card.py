"""The model card: base model, data, training, results, and how to repeat them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workbench.analysis.against_base import AgainstBase
from workbench.exports.markdown import code, escape, one_line, table
from workbench.exports.shareable import is_hub_id, shareable_recipe, shareable_text
from workbench.recipe import Affects
from workbench.recipe_fields import FIELDS, fields_that
from workbench.store import Checkpoint, Run
from workbench.text import printable

_STARTER = "the starter of mlm-workbench, a BERT of 2 layers, 128 wide (BERT-tiny)"
_PYTHON_DOCS = "the documentation inside a Python installation (docstrings of the standard library)"
_TOLD_ELSEWHERE = frozenset({"model", "machine", "checkpoints"})
"""The groups of fields that other parts of the card describe, or that do not change what is learnt."""

_LIMITS = (
    "It is meant for predicting masked words in text like its training text, and as the base for "
    "fine-tuning on a task in that domain. It does not generate text, and its predictions are plausible, "
    "not true. It may repeat errors and biases of the base model and the training text, and reveal words "
    "of that text, names included. It was evaluated only on held-out documents of the same source, so its "
    "quality on a task or on other text is unknown. Its averaged hidden "
    "states were not trained to compare sentences. The licences of the base model and of the text apply."
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card is written from. `base`: the base model of the chain of runs. `origin`: the run that this
    one continued, if any.
    """

    run: Run
    checkpoint: Checkpoint
    base: str
    base_revision: str | None
    origin: str | None
    mask_token: str


def model_card(facts: CardFacts, yardstick: AgainstBase | None) -> str:
    """README.md: front matter for the hub, then Markdown for people.

    `yardstick`: the checkpoint's score.
    """
    parts = [
        f"---\n{_front_matter(facts)}---",
        f"# {escape(shareable_text(facts.run.name, facts.run))}",
        _what_it_is(facts),
        "## How to use it",
        _usage(facts),
        "## Data",
        _text(facts),
        "## Training",
        _training(facts),
        "## Results",
        _results(facts, yardstick),
        "## Intended use and limits",
        _LIMITS,
        "## Reproduce",
        _again(facts),
        "## Versions",
        _versions(facts.run.environment),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(facts: CardFacts) -> str:
    from huggingface_hub import ModelCardData

    run, recipe = facts.run, facts.run.recipe.complete()
    tags = ["masked-lm", "domain-adaptation", "mlm-workbench", *map(str, run.tags)]
    data = ModelCardData(
        base_model=facts.base if is_hub_id(facts.base, facts.base_revision) else None,
        datasets=[recipe.dataset] if is_hub_id(recipe.dataset, run.data.get("revision")) else None,
        # on one line, since a line of dashes would end the front matter
        tags=list(dict.fromkeys(one_line(shareable_text(tag, run)) for tag in tags)),
        pipeline_tag="fill-mask",
        library_name="transformers",
    )
    return str(data.to_yaml()).rstrip() + "\n"


def _what_it_is(facts: CardFacts) -> str:
    run = facts.run
    parameters = run.engine.get("parameters")
    size = f" with {parameters / 1e6:,.1f} million parameters" if parameters else ""
    base = _STARTER if facts.base == "starter" else _hub_link(facts.base, facts.base_revision, "")
    lines = [
        f"A masked language model ({code(str(run.engine.get('architecture') or 'unknown architecture'))}"
        f"{size}), made from {base} by further training on {_data_link(facts)}."
    ]
    if run.engine.get("drawn"):
        lines[0] += " The base model had no masked-language-model head: a new one was trained with it."
    if facts.base.startswith("new:"):
        lines[0] = lines[0].replace("by further training on", "(new, from random weights), trained on")
    if facts.origin:
        lines.append(f"The training continues an earlier run, {escape(shareable_text(facts.origin, run))}.")
    if run.note.strip():
        lines.append(f"Note: {escape(shareable_text(run.note, run))}")
    return "\n\n".join(lines)


def _usage(facts: CardFacts) -> str:
    mask = printable(facts.mask_token).replace("`", "")
    return f"""```python
from transformers import pipeline

fill = pipeline("fill-mask", model=".")  # this folder, or its name on the hub
fill("The {mask} is here.")
```

It also loads with `AutoModelForMaskedLM.from_pretrained`, for fine-tuning with
`AutoModelForSequenceClassification.from_pretrained` and others, and with `SentenceTransformer`, which
averages its last hidden states."""


def _text(facts: CardFacts) -> str:
    data, recipe = facts.run.data, facts.run.recipe.complete()
    rows = [
        ["training", *(_count(data.get(f"train_{what}")) for what in ("documents", "tokens", "chunks"))],
        ["held out", *(_count(data.get(f"test_{what}")) for what in ("documents", "tokens", "chunks"))],
    ]
    facts_of_text = [f"Source: {_data_link(facts)}"]
    if recipe.dataset_subset:
        facts_of_text.append(f"subset {code(recipe.dataset_subset)}")
    if column := data.get("text_column"):
        facts_of_text.append(f"column {code(str(column))}")
    facts_of_text.append(f"split by document with seed {recipe.seed_of_split}")
    return (
        ", ".join(facts_of_text) + ".\n\n" + table(["part", "documents", "tokens", "chunks"], rows) + "\n\n"
        f"Documents are joined and cut into chunks of {recipe.chunk_size} tokens."
    )


def main_fields() -> list[str]:
    """The fields of the table of training: those that affect what is learnt."""
    return [name for name in fields_that(Affects.TRAINING) if FIELDS[name].group not in _TOLD_ELSEWHERE]


def _training(facts: CardFacts) -> str:
    run, recipe = facts.run, shareable_recipe(facts.run)
    values = recipe.model_dump()
    rows = [[f"`{name}`", escape(str(values[name]))] for name in main_fields() if values[name] is not None]
    rows.append(["precision", escape(str(run.engine.get("precision") or recipe.precision))])
    rows.append(
        ["device", escape(str(run.engine.get("device_name") or run.engine.get("device") or "unknown"))]
    )
    total = f" of {run.total_steps:,}" if run.total_steps else ""
    return (
        f"This is step {facts.checkpoint.step:,}{total}, epoch {facts.checkpoint.epoch:.2f} of "
        f"{recipe.epochs}; the run is {run.status}. Every field of the recipe is in `recipe.toml`.\n\n"
        + table(["field", "value"], rows)
    )


def _results(facts: CardFacts, yardstick: AgainstBase | None) -> str:
    run, recipe = facts.run, facts.run.recipe.complete()
    own = (
        f"its own test: held-out documents, chunks of {recipe.chunk_size}, "
        f"mask probability {recipe.mask_prob:g}"
    )
    rows = [
        ["perplexity before training", _perplexity(run.baseline_perplexity), own],
        ["perplexity of this checkpoint", _perplexity(facts.checkpoint.eval_perplexity), own],
    ]
    lines = []
    if yardstick:
        fixed = (
            f"the yardstick: the first {yardstick.chunks:,} chunks of at most 128 tokens of the held-out "
            f"documents, mask probability 0.15, every asked token masked ({yardstick.masked_tokens:,} masked "
            "tokens)"
        )
        rows.append(["perplexity of the base model", _perplexity(yardstick.base_perplexity), fixed])
        rows.append(["perplexity of this checkpoint", _perplexity(yardstick.perplexity), fixed])
        if yardstick.untrained:
            lines.append(
                f"The model before training was not a trained one ({yardstick.untrained}): its perplexity is "
                "that of random weights and does not show what training gained."
            )
        if yardstick.verdict:
            lines.append(
                f"Compared with the base model on the yardstick: {yardstick.verdict}; the brackets hold the "
                "95 % interval for the mean document, which covers the choice of test documents, not of "
                "seeds."
            )
    lines.append(
        "Perplexity is exp(sum of the negative log likelihoods of all masked tokens ÷ their number); lower "
        "is better. Values on another text, tokenizer, chunk size or mask probability are not comparable "
        "with these."
    )
    return table(["metric", "value", "measured on"], rows) + "\n\n" + "\n\n".join(lines)


def _again(facts: CardFacts) -> str:
    recipe = shareable_recipe(facts.run)
    lines = ["```sh", "mlm-workbench train --config recipe.toml", "```"]
    hints = []
    original = facts.run.recipe.complete()
    if recipe.dataset != original.dataset:
        hints.append("`dataset` in recipe.toml names a local file or folder: put the text there.")
    if recipe.model.startswith("run:"):
        hints.append(
            "`model` in recipe.toml names an earlier run of the same workbench, which must be trained first."
        )
    elif recipe.model != original.model:
        hints.append("`model` in recipe.toml names a local folder: put the model there.")
    hints.append("The same recipe on the same machine and versions gives the same numbers.")
    return "\n".join(lines) + "\n\n" + " ".join(hints)


def _versions(environment: dict[str, Any]) -> str:
    packages = {"python": environment.get("python"), **(environment.get("packages") or {})}
    rows = [[escape(str(name)), escape(str(version))] for name, version in packages.items() if version]
    return table(["package", "version"], rows) if rows else "Unknown."


def _data_link(facts: CardFacts) -> str:
    recipe, revision = facts.run.recipe.complete(), facts.run.data.get("revision")
    if recipe.dataset == "python-docs":
        return _PYTHON_DOCS
    name = recipe.dataset if is_hub_id(recipe.dataset, revision) else shareable_recipe(facts.run).dataset
    return _hub_link(name, revision, "datasets/")


def _hub_link(name: str, revision: str | None, kind: str) -> str:
    if not is_hub_id(name, revision):
        return code(name)
    return f"[{escape(name)}](https://huggingface.co/{kind}{name}) at revision {code(str(revision))}"


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "—"


def _perplexity(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:,.4g}" if math.isfinite(value) and value < 10_000 else f"{value:,.0f}"
