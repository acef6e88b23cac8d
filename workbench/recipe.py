"""Recipes: every parameter of a run as validated, pure data, saved as TOML."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from enum import Flag, auto
from pathlib import Path
from typing import Any, Literal, Self, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from workbench.errors import UsageError
from workbench.file_kinds import examples
from workbench.recipe_wording import explain

_LONGEST_FILE = 1 << 20  # bytes
AUTO_ENCODING = "auto"
_NO_TEXT_CODECS = frozenset(
    {"undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}
)
"""Python's codecs that are not encodings of text files."""
GROUPS = ("training", "model", "data", "masking", "optimizer", "machine", "checkpoints")
"""The sections of a form, in reading order."""


class Affects(Flag):
    """What a recipe's field decides; a field may decide several of these."""

    TEXT = auto()
    """The text or its tokens: which documents are read, kept, trained on or held out, and how they are
    tokenized. Recipes that differ here share no prepared text."""
    QUESTIONS = auto()
    """The run's own test: which positions of which held-out documents are predicted. Perplexities of recipes
    that differ here must not be ranked."""
    TRAINING = auto()
    """What is learnt from the text, and when to evaluate and save."""
    LENGTH = auto()
    """The length of the training, and so the position of a schedule after an epoch."""
    SPEED = auto()
    """Tokens per second. A measurement at another value says nothing."""
    SHAPE = auto()
    """The shape of a batch, which affects speed slightly: a measurement at another shape is a guess."""


def knob(
    default: Any,
    help: str,
    *,
    group: str,
    affects: Affects,
    unit: str = "",
    title: str = "",
    flag: str = "",
    short: str = "",
    named_by: Literal["", "source", "tokenizer"] = "",
    fallback: str = "",
    **bounds: Any,
) -> Any:
    """A recipe field: its default, a one-line explanation, the form's group, what it decides, its unit and
    bounds.

    title: in the form; "": made from the name. flag: on the command line; "": only `--set`. short: in the
    names of a sweep's runs; "": the name. named_by: what represents a TEXT field's value in the key of a
    prepared text: the source's identity (files with their dates, a commit) or the tokenizer's fingerprint;
    "": the value itself. fallback: the field whose value is used if this one is None.
    """
    extra = {"group": group, "unit": unit, "title": title, "flag": flag, "short": short}
    extra |= {"named_by": named_by, "fallback": fallback}
    return Field(default, description=help, json_schema_extra={**extra, "affects": affects.value}, **bounds)


TEXT, QUESTIONS, TRAINING, LENGTH, SPEED, SHAPE = Affects


class Recipe(BaseModel):
    """Every parameter of a masked-language-model training. The defaults are the reference recipe, `xsum`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)

    # A table: each field, and under it what it decides. First the fields that people change most:
    # fmt: off
    chunk_size: int = knob(
        128, "Tokens in one training example; documents are joined and cut.",
        group="training", affects=QUESTIONS | TRAINING | SHAPE, flag="--chunk-size", short="chunk",
        unit="tokens", ge=8)
    mask_prob: float = knob(
        0.15, "Share of the tokens that the model must predict.",
        group="training", affects=QUESTIONS | TRAINING, title="Mask probability", flag="--mask-prob",
        short="mask", gt=0, lt=1)
    epochs: int = knob(
        3, "Passes over the whole training text.",
        group="training", affects=TRAINING | LENGTH, flag="--epochs", ge=1, le=10_000)
    batch_size: int = knob(
        64, "Chunks in one forward pass; several processes share them.",
        group="training", affects=TRAINING | SHAPE, flag="--batch-size", short="batch",
        unit="chunks", ge=1, le=65_536)
    learning_rate: float = knob(
        1.23e-5, "Peak step size of AdamW.",
        group="training", affects=TRAINING, flag="--lr", short="lr", gt=0, le=10)

    model: str = knob(
        "distilbert/distilbert-base-uncased",
        "Hub id, local folder, `starter`, `run:RUN` to continue from a run, or `new:tiny|mini|small|base`.",
        group="model", affects=TEXT | QUESTIONS | TRAINING | SPEED, named_by="tokenizer",
        flag="--model", min_length=1, max_length=4096)
    model_revision: str | None = knob(
        None, "Branch, tag or commit of the model on the hub.",
        group="model", affects=TEXT | QUESTIONS | TRAINING | SPEED, named_by="tokenizer")
    vocab_size: int = knob(
        8_192, "Tokens that a new model's tokenizer learns from the training text (model = new:...).",
        group="model", affects=TEXT | QUESTIONS, named_by="tokenizer", unit="tokens", ge=256, le=1_000_000)
    tokenizer: Literal["wordpiece", "bpe", "unigram", "bytes"] = knob(
        "wordpiece", "How a new model's tokenizer spells text; bytes can spell any (model = new:...).",
        group="model", affects=TEXT | QUESTIONS, named_by="tokenizer")
    lowercase: Literal["off", "on"] = knob(
        "off", "Whether a new model's tokenizer lowercases text (model = new:...).",
        group="model", affects=TEXT | QUESTIONS, named_by="tokenizer")

    dataset: str = knob(
        "EdinburghNLP/xsum",
        f"Hub id, `python-docs`, or a file, folder or glob ({examples()}).",
        group="data", affects=TEXT | QUESTIONS, named_by="source", flag="--dataset",
        min_length=1, max_length=4096)
    dataset_subset: str | None = knob(
        None, "Configuration of the data set on the hub.",
        group="data", affects=TEXT | QUESTIONS, named_by="source")
    dataset_split: str = knob(
        "train", "Split of the hub data set to take rows from.",
        group="data", affects=TEXT | QUESTIONS, named_by="source", min_length=1)
    dataset_revision: str | None = knob(
        None, "Branch, tag or commit of the data set.",
        group="data", affects=TEXT | QUESTIONS, named_by="source")
    text_column: str | None = knob(
        "document", "Column that holds the text; empty: guessed and shown.",
        group="data", affects=TEXT | QUESTIONS, named_by="source", flag="--text-column")
    documents: Literal["auto", "line", "file", "paragraph"] = knob(
        "auto", "What a document is in .txt files: a line, a file, or a block between blank lines.",
        group="data", affects=TEXT | QUESTIONS, named_by="source")
    encoding: str = knob(
        AUTO_ENCODING, "Encoding of local text, CSV and JSON: auto (UTF-8, else a guess), or a codec's name.",
        group="data", affects=TEXT | QUESTIONS, named_by="source", flag="--encoding",
        min_length=1, max_length=40)
    duplicates: Literal["keep", "drop", "drop_near"] = knob(
        "keep", "Copies: kept on one side of the split; equal ones dropped; nearly equal ones dropped too.",
        group="data", affects=TEXT | QUESTIONS)
    min_words: int = knob(
        0, "Documents with fewer words are left out before the split.",
        group="data", affects=TEXT | QUESTIONS, unit="words", ge=0)
    dataset_streaming: Literal["off", "on"] = knob(
        "off", "on: fetch only as many rows of a hub data set as are used, shuffled in a window of 10,000.",
        group="data", affects=TEXT | QUESTIONS, named_by="source")
    train_size: int | None = knob(
        10_000, "Rows to train on; empty: all that are left.",
        group="data", affects=TEXT, flag="--train-size", unit="rows", ge=1)
    test_size: int | float = knob(
        2_000, "Rows held out: a number, or a share such as 0.2.",
        group="data", affects=TEXT | QUESTIONS, flag="--test-size", unit="rows", gt=0)
    seed: int = knob(
        42, "Fixes the split, the order, the masks and the dropout.",
        group="data", affects=TRAINING, flag="--seed", ge=0, le=2**31 - 1)
    split_seed: int | None = knob(
        None, "Fixes the split alone, so that runs with other seeds hold out the same rows; empty: seed.",
        group="data", affects=TEXT | QUESTIONS, fallback="seed", ge=0, le=2**31 - 1)

    masking: Literal["token", "whole_word", "span"] = knob(
        "token", "What is masked together: single tokens, whole words, or spans of words.",
        group="masking", affects=QUESTIONS | TRAINING)
    span_length: float = knob(
        3.0, "Mean words in a masked span (masking = span).",
        group="masking", affects=QUESTIONS | TRAINING, unit="words", ge=1, le=10)
    mask_share: float = knob(
        0.8, "Share of the predicted tokens shown as [MASK].",
        group="masking", affects=QUESTIONS | TRAINING, ge=0, le=1)
    random_share: float = knob(
        0.1, "Share of the predicted tokens shown as a random token.",
        group="masking", affects=QUESTIONS | TRAINING, ge=0, le=1)
    keep_share: float = knob(
        0.1, "Share of the predicted tokens shown unchanged.",
        group="masking", affects=QUESTIONS | TRAINING, ge=0, le=1)

    gradient_accumulation: int = knob(
        1, "Forward passes summed into one optimizer step.",
        group="optimizer", affects=TRAINING, ge=1, le=65_536)
    schedule: Literal["constant", "linear", "cosine", "wsd"] = knob(
        "constant", "How the learning rate moves after warm-up; wsd: warm-up, stable, decay.",
        group="optimizer", affects=TRAINING)
    warmup_ratio: float = knob(
        0.0, "Share of all steps in which the learning rate rises from 0.",
        group="optimizer", affects=TRAINING, ge=0, lt=1)
    decay_ratio: float = knob(
        0.2, "Share of all steps in which it falls to 0 (schedule = wsd).",
        group="optimizer", affects=TRAINING, ge=0, le=1)
    weight_decay: float = knob(
        0.01, "AdamW's decoupled weight decay.",
        group="optimizer", affects=TRAINING, ge=0, le=1)
    adam_beta1: float = knob(
        0.9, "AdamW's first-moment decay.",
        group="optimizer", affects=TRAINING, ge=0, lt=1)
    adam_beta2: float = knob(
        0.999, "AdamW's second-moment decay.",
        group="optimizer", affects=TRAINING, ge=0, lt=1)
    adam_epsilon: float = knob(
        1e-8, "AdamW's denominator floor.",
        group="optimizer", affects=TRAINING, gt=0, lt=1)
    max_grad_norm: float = knob(
        0.0, "Gradients are clipped to this norm; 0: never.",
        group="optimizer", affects=TRAINING, ge=0)
    max_steps: int | None = knob(
        None, "Optimizer steps after which the run ends; empty: all epochs.",
        group="optimizer", affects=TRAINING | LENGTH, ge=1)

    device: str = knob(
        "auto", "auto, cpu, cuda, cuda:N or mps.",
        group="machine", affects=SPEED, pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = knob(
        "auto", "Number format of the matrix products; auto: bf16 where the device has it.",
        group="machine", affects=TRAINING | SPEED, flag="--precision")
    compile: Literal["auto", "on", "off"] = knob(
        "auto", "torch.compile; auto: on a GPU, when the run is long enough to pay for it.",
        group="machine", affects=SPEED, title="torch.compile")

    eval_every: int = knob(
        0, "Steps between evaluations; 0: after each epoch.",
        group="checkpoints", affects=TRAINING, unit="steps", ge=0)
    checkpoint_every: int = knob(
        0, "Steps between checkpoints; 0: after each epoch.",
        group="checkpoints", affects=TRAINING, unit="steps", ge=0)
    early_stopping_patience: int = knob(
        0, "Evaluations without improvement before it stops; 0: never.",
        group="checkpoints", affects=TRAINING, ge=0)
    # fmt: on

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        total = self.mask_share + self.random_share + self.keep_share
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"mask_share + random_share + keep_share must be 1; they add up to {total:g}")
        return self

    @model_validator(mode="after")
    def _test_size_is_rows_or_a_share(self) -> Self:
        if isinstance(self.test_size, float) and self.test_size >= 1:
            raise ValueError(
                f"test_size must be a whole number of rows or a share below 1; got {self.test_size:g}"
            )
        return self

    @field_validator("encoding")
    @classmethod
    def _encoding_is_a_codec(cls, name: str) -> str:
        if name.lower() == AUTO_ENCODING:
            return AUTO_ENCODING
        try:
            valid = name.lower() not in _NO_TEXT_CODECS and b"a".decode(name) is not None
        except UnicodeError:  # a character of several bytes
            valid = True
        except (LookupError, ValueError):  # unknown, or a bytes-to-bytes codec; a zero byte in the name
            valid = False
        if not valid:
            allowed = "auto, or an encoding such as utf-8, cp1250 or shift_jis"
            raise ValueError(f"must be {allowed}; got {name!r}")
        return name

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        if self.schedule == "wsd" and self.warmup_ratio + self.decay_ratio > 1:
            raise ValueError("warmup_ratio + decay_ratio must be at most 1 with schedule = wsd")
        return self

    @property
    def seed_of_split(self) -> int:
        """The seed that decides which rows are held out."""
        return self.seed if self.split_seed is None else self.split_seed

    @property
    def effective_batch_size(self) -> int:
        """Chunks per optimizer step, over all processes of the run."""
        return self.batch_size * self.gradient_accumulation

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Recipe:
        """Validate `values`. Raises UsageError, which names each invalid field, its bounds and its value."""
        recipe, problems = cls.check(values)
        if recipe is None:
            lines = [f"{field}: {text}" if field else text for field, text in problems.items()]
            raise UsageError("Invalid recipe: " + "; ".join(lines) + ".")
        return recipe

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> tuple[Recipe | None, dict[str, str]]:
        """Validate for a form: the recipe, or None with one message per field ("" for the whole recipe)."""
        try:
            return cls.model_validate(dict(values)), {}
        except ValidationError as error:
            problems: dict[str, str] = {}
            for detail in error.errors():
                problems.setdefault(_field_of(detail), explain(detail))
            return None, problems

    def with_changes(self, **changes: Any) -> Recipe:
        """A validated copy with some fields replaced."""
        return Recipe.parse({**self.model_dump(), **changes})

    def to_toml(self) -> str:
        """All fields as TOML; `from_toml` reads it back to an equal recipe."""
        # TOML has no null, and a missing key would come back as its default: None is written as "".
        values = {name: "" if value is None else value for name, value in self.model_dump().items()}
        return "# A recipe of mlm-workbench: mlm-workbench train --config FILE\n" + tomli_w.dumps(values)

    @classmethod
    def from_toml(cls, text: str, base: Recipe | None = None) -> Recipe:
        """Read TOML; missing keys are taken from `base` or the defaults. "" means None."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"The recipe is not TOML: {error}.") from error
        start = base.model_dump() if base else {}
        return cls.parse({**start, **values})

    @classmethod
    def load(cls, path: Path, base: Recipe | None = None) -> Recipe:
        """Read a recipe file. Raises UsageError when it is unreadable or invalid."""
        try:
            with path.open("rb") as file:
                content = file.read(_LONGEST_FILE + 1)
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"The recipe {path} is not UTF-8 text.") from error
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"Cannot read the recipe {path}: {reason}.") from error
        if len(content) > _LONGEST_FILE:
            raise UsageError(f"{path} is too large for a recipe, which has a few kilobytes.")
        return cls.from_toml(text, base)

    @field_validator("lowercase", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any) -> Any:
        return {"true": "on", "false": "off"}.get(str(value).lower(), value)

    @model_validator(mode="before")
    @classmethod
    def _empty_text_is_none(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: None if value == "" and name in _OPTIONAL else value for name, value in values.items()}


def as_stored(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored recipe with fields that earlier versions lacked, where the default now means something
    else."""
    if str(values.get("model", "")).startswith("new:") and "lowercase" not in values:
        return {**values, "lowercase": "on"}  # new models used to lowercase text
    return values


_OPTIONAL = frozenset(
    name for name, info in Recipe.model_fields.items() if type(None) in get_args(info.annotation)
)

PRESETS: dict[str, Recipe] = {
    "starter": Recipe(
        model="starter",
        dataset="python-docs",
        text_column=None,
        train_size=None,
        test_size=0.2,
        batch_size=16,
        learning_rate=1e-3,
        schedule="linear",
        epochs=3,
    ),
    "xsum": Recipe(),
}
"""The built-in presets."""


def preset(name: str) -> Recipe:
    """The built-in preset with that name. Raises UsageError, which lists the names."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UsageError(f"There is no preset {name!r}.", f"Presets: {', '.join(PRESETS)}.") from None


def _field_of(detail: ErrorDetails) -> str:
    """The invalid field. Checks across fields start their message with the field to show it at."""
    if detail["loc"]:
        return str(detail["loc"][0])
    first_word = str(detail.get("ctx", {}).get("error", "")).partition(" ")[0]
    return first_word if first_word in Recipe.model_fields else ""
