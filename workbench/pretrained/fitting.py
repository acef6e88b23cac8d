"""Checks that weights fit the model that a configuration describes, and renames or refuses them if not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from workbench.errors import ModelError

_WRAPPERS = re.compile(
    r"(?:^|(?<=\.))(?:(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|module)\.)+"
)
"""Prefixes that torch.compile, FSDP, activation checkpointing and DataParallel add to parameter names."""
_LAYER, _NUMBER = re.compile(r"(.*?\.\d+)\."), re.compile(r"\.\d+")
"""The name of a layer within a tensor's, such as bert.encoder.layer.11; the number in it."""
_SHOWN = 3
_MAJORITY = 0.5


def renaming(missing: Collection[str], unexpected: Collection[str], base: str) -> dict[str, str]:
    """Regex replacements that turn `unexpected` names into `missing` ones; {} if no prefix explains most of
    them.

    base: the prefix of the encoder's names, which a file may leave out. A prefix that names another model
    family is kept: a BERT is not a RoBERTa, although their tensors have the same names.
    """
    wanted = set(missing) | {name.removeprefix(f"{base}.") for name in missing}
    plain = [_WRAPPERS.sub("", name) for name in unexpected]
    prefix = _common_prefix(plain, wanted)
    hits = sum(name.startswith(prefix) and name[len(prefix) :] in wanted for name in plain)
    if hits < _MAJORITY * len(missing) or set(prefix.split(".")) & CONFIG_MAPPING_NAMES.keys():
        return {}
    wrappers = {_WRAPPERS.pattern: ""} if plain != list(unexpected) else {}
    return wrappers | ({f"^{re.escape(prefix)}": ""} if prefix else {})


def _common_prefix(names: Iterable[str], wanted: Collection[str]) -> str:
    """The prefix that most names have before a wanted name; "" if most have none."""
    votes: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for cut in range(len(parts)):
            if ".".join(parts[cut:]) in wanted:
                votes["".join(f"{part}." for part in parts[:cut])] += 1
                break
    return votes.most_common(1)[0][0] if votes else ""


def words_for(patterns: Sequence[str], unexpected: Collection[str]) -> str:
    """The prefixes that `patterns` remove from the names, as text for a message."""
    removed = {match[0] for name in unexpected for pattern in patterns if (match := re.search(pattern, name))}
    return " and ".join(sorted(removed))


def refuse_another_model(
    name: str, model: PreTrainedModel, missing: Sequence[str], unexpected: Sequence[str]
) -> None:
    """Raises ModelError if most of the encoder has no weights: it would be a random model.

    "Most" counts tensors or values, because embeddings alone can be the larger part.
    """
    encoder = _encoder(model)
    lacking = [key for key in missing if key in encoder]
    values = sum(encoder[key].numel() for key in lacking)
    total = sum(parameter.numel() for parameter in encoder.values())
    if len(lacking) <= _MAJORITY * len(encoder) and values <= _MAJORITY * total:
        return
    instead = f" The file holds {first(unexpected)}." if unexpected else ""
    raise ModelError(
        f"The weights of {name} do not match the {model.config.model_type} model that its config.json "
        f"describes: {len(lacking)} of the encoder's {len(encoder)} tensors are missing ({first(lacking)})."
        f"{instead}",
        "Check model_type in config.json, and that these weights belong to it.",
    )


def refuse_other_sizes(name: str, mismatched: Iterable[Sequence[object]]) -> None:
    """Raises ModelError if tensors have other sizes than the configuration says."""
    mismatches = sorted(tuple(mismatch) for mismatch in mismatched)
    if not mismatches:
        return
    key, in_file, by_config = mismatches[0]
    more = f", and {len(mismatches) - 1} more" if len(mismatches) > 1 else ""
    raise ModelError(
        f"The weights of {name} do not fit its config.json: {key} is {_size(in_file)} in the file and "
        f"{_size(by_config)} by the configuration{more}.",
        "Use the config.json that these weights were saved with.",
    )


def refuse_not_finite(name: str, model: nn.Module) -> None:
    """Raises ModelError if a weight is NaN or infinite, because every metric would be too."""
    damaged = [(key, tensor) for key, tensor in model.state_dict().items() if not _is_finite(tensor)]
    if not damaged:
        return
    key, tensor = damaged[0]
    count = int((~torch.isfinite(tensor)).sum())
    more = f", and {len(damaged) - 1} more tensors have some" if len(damaged) > 1 else ""
    raise ModelError(
        f"The weights of {name} are damaged: {key} has {count:,} NaN or infinite values of "
        f"{tensor.numel():,}{more}.",
        "Use an earlier checkpoint, or download the model again.",
    )


def layers_left_out(model: PreTrainedModel, left_out: Iterable[str]) -> list[str]:
    """The encoder's layers that only the files have: the configuration describes fewer."""
    base = f"{model.base_model_prefix}."
    own = {found[1] for name in _encoder(model) if (found := _LAYER.match(name))}
    alike = {_NUMBER.sub(".*", layer) for layer in own}
    prefixed = (name if name.startswith(base) else base + name for name in left_out)
    layers = {found[1] for name in prefixed if (found := _LAYER.match(name))} - own
    return sorted(layer for layer in layers if _NUMBER.sub(".*", layer) in alike)


def in_head(model: PreTrainedModel, names: Iterable[str]) -> bool:
    """Whether none of these parameters belongs to the encoder."""
    encoder = _encoder(model)
    return not any(name in encoder for name in names)


def first(names: Sequence[str]) -> str:
    """The first three names and the number of the others."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(list(names)[:_SHOWN]) + more


def _encoder(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The encoder's parameters, by their names in the whole model."""
    own = {id(parameter) for parameter in model.base_model.parameters()}
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in own}


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point():
        return True
    # a sum is many times faster than testing each value; it may overflow, so a non-finite sum is checked
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _size(shape: object) -> str:
    return " x ".join(map(str, shape)) if isinstance(shape, Sequence) else str(shape)
