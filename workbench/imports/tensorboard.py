"""TensorBoard's event files, read by the package tensorboard alone."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import UsageError
from workbench.imports.found import NAMES, Found, value_at, with_perplexities
from workbench.metrics import MetricName

_PATTERN = "events.out.tfevents.*"
_TAGS = NAMES | {
    "eval/loss": MetricName.EVAL_LOSS,
    **{f"train/{name}": NAMES[name] for name in ("loss", "grad_norm", "learning_rate")},
}


def event_files(folder: Path) -> list[Path]:
    """The event files that lie in the folder itself."""
    return sorted(path for path in folder.glob(_PATTERN) if path.is_file())


def read_tensorboard(folder: Path) -> Found:
    """Read the figures we know. Raises UsageError without the package, or when none is known."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "To read TensorBoard's files, the package tensorboard is needed.",
            "Install it: pip install 'mlm-workbench[tensorboard]'",
        )
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0, TENSORS: 0})
    events.Reload()
    series = {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()[SCALARS]}
    for tag in events.Tags()[TENSORS]:  # what newer writers make of a scalar
        arrays = [(one.step, make_ndarray(one.tensor_proto)) for one in events.Tensors(tag)]
        series[tag] = [
            (step, array.item()) for step, array in arrays if array.size == 1 and array.dtype.kind in "fiu"
        ]
    epochs = dict(series.get("train/epoch") or series.get("epoch", []))
    values = [
        found
        for tag, points in series.items()
        if tag in _TAGS
        for step, value in points
        if (found := value_at(_TAGS[tag], step, epochs.get(step), value))
    ]
    if not values:
        there = ", ".join(sorted(series)[:8]) or "none"
        raise UsageError(f"{folder} has no figure that is known here.", f"Its scalars: {there}.")
    return Found(
        kind="TensorBoard",
        path=folder,
        fingerprint=hashlib.sha256(json.dumps(sorted(values)).encode()).hexdigest(),
        recipe={},
        values=with_perplexities(values),
        started_at=events.FirstEventTimestamp(),
        ended_at=max(file.stat().st_mtime for file in event_files(folder)),
    )
