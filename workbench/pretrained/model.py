"""Loads masked language models: safetensors only, no remote code, and a note about missing weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from workbench.errors import ModelError
from workbench.pretrained.configuration import check_config, explain_config, refuse_whole_numbers
from workbench.pretrained.download import Interrupted, Told, cached_commit, fetch_weights
from workbench.pretrained.fitting import (
    first,
    in_head,
    layers_left_out,
    refuse_another_model,
    refuse_not_finite,
    refuse_other_sizes,
    renaming,
    words_for,
)
from workbench.pretrained.hub import explain_hub_error, hub_is_reachable, require_hub
from workbench.pretrained.locate import is_local, locate
from workbench.pretrained.model_folder import tensors_of
from workbench.recipe import Recipe

SEED = int(Recipe.model_fields["seed"].default)
"""The seed for missing weights if no recipe sets one."""


@dataclass(frozen=True)
class LoadedModel:
    """A masked language model in fp32, with notes for its user about how it was loaded.

    drawn: parameters without weights in the files, drawn at random. left_out: tensors in the files that the
    model does not use.
    """

    model: PreTrainedModel
    revision: str | None
    notes: tuple[str, ...]
    drawn: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def load_config(name: str, revision: str | None = None) -> Any:
    """The model's configuration. Raises ModelError if it cannot be loaded or is not a masked LM's."""
    place = locate(name)
    if not is_local(place):
        require_hub(place)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
    except Exception as error:  # an invalid configuration can raise anything in the libraries
        raise _explain(error, name) from error
    check_config(name, config)
    return config


def commit_of(name: str, revision: str | None = None) -> str | None:
    """The hub commit of a model whose configuration was loaded; None for a local folder."""
    place = locate(name)
    return None if is_local(place) else cached_commit(place, revision)


def load_model(
    name: str, revision: str | None = None, told: Told | None = None, *, seed: int = SEED
) -> LoadedModel:
    """Load the weights in fp32. `told` is called with the bytes fetched and the bytes in total.

    Parameters without weights in the files, such as an encoder's missing head, are drawn with `seed`,
    independently of the random generators' state. Raises ModelError if most of the encoder has no weights, if
    sizes do not fit the configuration, or if a weight is not finite.
    """
    config = load_config(name, revision)
    place, commit = locate(name), commit_of(name, revision)
    if is_local(place):
        refuse_whole_numbers(name, tensors_of(Path(place)))
    try:
        if commit and hub_is_reachable():
            fetch_weights(place, commit, told)
        read = partial(_read, place, config=config, revision=commit or revision, seed=seed)
        model, info = read({})
        patterns = renaming(info["missing_keys"], info["unexpected_keys"], model.base_model_prefix)
        notes = []
        if patterns:
            prefix = words_for(list(patterns), info["unexpected_keys"])
            notes.append(f"The weights of {name} have the prefix {prefix} in their names, which was removed.")
            model, info = read(patterns)
    except Interrupted as stop:
        raise stop.reason from None
    except Exception as error:  # from PyTorch or Rust
        explained = _explain(error, name)
        if is_local(place) and getattr(explained, "message", "").startswith(
            f"The model {name} cannot be loaded"
        ):
            # in a library's own words, which are in the log
            explained = ModelError(
                f"The model {name} cannot be built from its config.json: its values contradict each other.",
                "Replace it with the config.json that save_pretrained wrote.",
            )
        raise explained from error
    missing, left_out = sorted(info["missing_keys"]), sorted(info["unexpected_keys"])
    refuse_other_sizes(name, info["mismatched_keys"])
    refuse_another_model(name, model, missing, left_out)
    refuse_not_finite(name, model)
    if missing:
        where = "its masked-language-model head" if in_head(model, missing) else "part of the model"
        notes.append(
            f"{name} has no weights for {where} ({first(missing)}): they start at random, drawn with seed "
            f"{seed}, and must be trained first."
        )
    if layers := layers_left_out(model, left_out):
        notes.append(
            f"{name} has weights for {len(layers)} more layers than its config.json describes "
            f"({first(layers)}): they are not used."
        )
    if missing or patterns:
        # otherwise transformers would save the model under this file's unusual names
        vars(model)["_weight_conversions"] = None
    return LoadedModel(model, commit, tuple(notes), tuple(missing), tuple(left_out))


def _read(
    place: str, patterns: dict[str, str], *, config: Any, revision: str | None, seed: int
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model and transformers' loading report. patterns: replacements in the weights' names."""
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        model, info = AutoModelForMaskedLM.from_pretrained(
            place,
            config=config,
            revision=revision,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # the report lists them, and refuse_other_sizes explains them
            key_mapping=patterns or None,
        )
    return model, info


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the library's own report on weights; our notes and errors replace it."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def usable_positions(config: Any) -> int | None:
    """The number of tokens the model can read at once; None if its config sets no limit.

    RoBERTa-like models number positions from the padding id + 1, so they have fewer than
    `max_position_embeddings`; the size is taken from the position table of a model on the meta device.
    """
    limit = getattr(config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    try:
        with torch.device("meta"):
            model = AutoModelForMaskedLM.from_config(config)
    except Exception as error:  # inconsistent sizes, or sizes too large for memory
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"No model can be built from the configuration: {first_line}", "Its config.json may be damaged."
        ) from error
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            if module.padding_idx is not None:
                return module.num_embeddings - module.padding_idx - 1
            return min(limit, module.num_embeddings)
    return limit


def _explain(error: Exception, name: str) -> Exception:
    text = str(error)
    if isinstance(error, ModelError):
        return error
    if "safetensors" in text and ("no file named" in text or "not appear to have" in text):
        return ModelError(
            f"{name} has no model.safetensors: only pickled weights, which can run code, or no weights.",
            "Convert it to safetensors, or choose another model.",
        )
    return explain_config(text, name) or explain_hub_error(error, name)
