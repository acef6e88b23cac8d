"""Load a masked language model: safetensors only, no remote code, a word on anything that is missing."""

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
"""What weights that are missing are drawn with where no recipe says otherwise."""


@dataclass(frozen=True)
class LoadedModel:
    """A masked language model in fp32, and what its user should know about how it was loaded.

    `drawn`: the parameters that the files have no weights for, drawn at random. `left_out`: what the files
    hold besides the model.
    """

    model: PreTrainedModel
    revision: str | None
    notes: tuple[str, ...]
    drawn: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def load_config(name: str, revision: str | None = None) -> Any:
    """The model's configuration. Raises ModelError when it cannot be had or is not a masked LM's."""
    place = locate(name)
    if not is_local(place):
        require_hub(place)
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
    except Exception as error:  # a configuration that holds anything fails in any of the libraries' ways
        raise _explain(error, name) from error
    check_config(name, config)
    return config


def commit_of(name: str, revision: str | None = None) -> str | None:
    """The hub's commit of a model whose configuration was loaded; None for a folder."""
    place = locate(name)
    return None if is_local(place) else cached_commit(place, revision)


def load_model(
    name: str, revision: str | None = None, told: Told | None = None, *, seed: int = SEED
) -> LoadedModel:
    """Read the weights in fp32. `told` hears how many bytes are fetched, of how many.

    Parameters that the files have no weights for, such as the head of an encoder, are drawn with `seed`,
    whatever the state of the random generators. Raises ModelError where there are none for most of the
    encoder, where sizes do not fit the configuration, and where a weight is not finite.
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
            taken = words_for(list(patterns), info["unexpected_keys"])
            notes.append(f"The names of the weights of {name} hold {taken}, which is left out.")
            model, info = read(patterns)
    except Interrupted as stop:
        raise stop.reason from None
    except Exception as error:  # of PyTorch, or of Rust
        raise _explain(error, name) from error
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
    if missing or patterns:
        # else it would be saved by the names of a file that is not like those of its kind
        vars(model)["_weight_conversions"] = None
    return LoadedModel(model, commit, tuple(notes), tuple(missing), tuple(left_out))


def _read(
    place: str, patterns: dict[str, str], *, config: Any, revision: str | None, seed: int
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model, and what transformers says of its weights. `patterns`: what is replaced in their names."""
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
            ignore_mismatched_sizes=True,  # they are told of, and refused with our words
            key_mapping=patterns or None,
        )
    return model, info


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's own report on weights, of which we speak ourselves."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def usable_positions(config: Any) -> int | None:
    """How many tokens the model can read at once; None when its config sets no limit.

    RoBERTa-like models number positions from the padding id + 1, so they have fewer than
    `max_position_embeddings`: read off the position table itself, built without memory.
    """
    limit = getattr(config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit <= 0:
        return None
    try:
        with torch.device("meta"):
            model = AutoModelForMaskedLM.from_config(config)
    except Exception as error:  # sizes that do not fit together, or that no memory holds
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
            f"{name} has no model.safetensors: only pickled weights, which can run code, or none.",
            "Convert it with safetensors, or choose another model.",
        )
    return explain_config(text, name) or explain_hub_error(error, name)
