"""Whether weights fit the model that a configuration describes, and what is to be done where they do not."""

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
"""What torch.compile, FSDP and DataParallel put into the names of a model's parts."""
_SHOWN = 3
_ENOUGH = 0.5


def renaming(missing: Collection[str], unexpected: Collection[str], base: str) -> dict[str, str]:
    """Patterns and what takes their place, by which `unexpected` names become `missing` ones; {}: there are
    none. `base`: the prefix of the encoder's names, which a file may leave out.

    The name of another family is not taken away: a BERT is no RoBERTa, though their tensors have equal names.
    """
    wanted = set(missing) | {name.removeprefix(f"{base}.") for name in missing}
    plain = [_WRAPPERS.sub("", name) for name in unexpected]
    prefix = _common_prefix(plain, wanted)
    hits = sum(name.startswith(prefix) and name[len(prefix) :] in wanted for name in plain)
    if hits < _ENOUGH * len(missing) or set(prefix.split(".")) & CONFIG_MAPPING_NAMES.keys():
        return {}
    found = {_WRAPPERS.pattern: ""} if plain != list(unexpected) else {}
    return found | ({f"^{re.escape(prefix)}": ""} if prefix else {})


def _common_prefix(names: Iterable[str], wanted: Collection[str]) -> str:
    """What most names have before a name that is wanted; "" where most have nothing."""
    votes: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for cut in range(len(parts)):
            if ".".join(parts[cut:]) in wanted:
                votes["".join(f"{part}." for part in parts[:cut])] += 1
                break
    return votes.most_common(1)[0][0] if votes else ""


def words_for(patterns: Sequence[str], unexpected: Collection[str]) -> str:
    """The parts that `patterns` take out of the names, as a person reads them."""
    taken = {match[0] for name in unexpected for pattern in patterns if (match := re.search(pattern, name))}
    return " and ".join(sorted(taken))


def refuse_another_model(
    name: str, model: PreTrainedModel, missing: Sequence[str], unexpected: Sequence[str]
) -> None:
    """Raises ModelError where most of the encoder has no weights: it would be a random model.

    Most by number of tensors, or by number of values: embeddings alone can be the larger part.
    """
    encoder = _encoder(model)
    lacking = [key for key in missing if key in encoder]
    values = sum(encoder[key].numel() for key in lacking)
    total = sum(parameter.numel() for parameter in encoder.values())
    if len(lacking) <= _ENOUGH * len(encoder) and values <= _ENOUGH * total:
        return
    instead = f" It holds {first(unexpected)}." if unexpected else ""
    raise ModelError(
        f"The weights of {name} are not those of a {model.config.model_type} model as its config.json "
        f"describes it: {len(lacking)} of the {len(encoder)} tensors of the encoder are missing, "
        f"{first(lacking)}.{instead}",
        "Is model_type in config.json right, and are these the weights that belong to it?",
    )


def refuse_other_sizes(name: str, mismatched: Iterable[Sequence[object]]) -> None:
    """Raises ModelError where tensors have other sizes than the configuration says."""
    found = sorted(tuple(one) for one in mismatched)
    if not found:
        return
    key, in_file, by_config = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    raise ModelError(
        f"The weights of {name} do not fit its config.json: {key} is {_size(in_file)} in the file and "
        f"{_size(by_config)} by the configuration{more}.",
        "Put the config.json there that these weights were saved with.",
    )


def refuse_not_finite(name: str, model: nn.Module) -> None:
    """Raises ModelError where a weight is NaN or infinite: every figure would be."""
    damaged = [(key, tensor) for key, tensor in model.state_dict().items() if not _is_finite(tensor)]
    if not damaged:
        return
    key, tensor = damaged[0]
    count = int((~torch.isfinite(tensor)).sum())
    more = f", and so do {len(damaged) - 1} more tensors" if len(damaged) > 1 else ""
    raise ModelError(
        f"The weights of {name} are damaged: {key} holds NaN or infinity in {count:,} of "
        f"{tensor.numel():,} places{more}.",
        "Take an earlier checkpoint, or download the model again.",
    )


def in_head(model: PreTrainedModel, names: Iterable[str]) -> bool:
    """Whether none of these parameters belongs to the encoder."""
    encoder = _encoder(model)
    return not any(name in encoder for name in names)


def first(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(list(names)[:_SHOWN]) + more


def _encoder(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The encoder's parameters by the names that the whole model has for them."""
    own = {id(parameter) for parameter in model.base_model.parameters()}
    return {name: one for name, one in model.named_parameters() if id(one) in own}


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point():
        return True
    # a sum is many times quicker than a look at each; only one that is not finite may mean nothing
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _size(shape: object) -> str:
    return " x ".join(map(str, shape)) if isinstance(shape, Sequence) else str(shape)
