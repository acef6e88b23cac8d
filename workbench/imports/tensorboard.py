"""Reads TensorBoard's event files, with the package tensorboard."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import UsageError
from workbench.imports.imported_run import NAMES, ImportedRun, value_at, with_perplexities
from workbench.metrics import MetricName

_PATTERN = "events.out.tfevents.*"
_TAGS = NAMES | {
    "eval/loss": MetricName.EVAL_LOSS,
    **{f"train/{name}": NAMES[name] for name in ("loss", "grad_norm", "learning_rate")},
}


def event_files(folder: Path) -> list[Path]:
    """The event files directly in the folder."""
    return sorted(path for path in folder.glob(_PATTERN) if path.is_file())


def read_tensorboard(folder: Path) -> ImportedRun:
    """Read the known metrics. Raises UsageError without the package, or if there are none."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "Reading TensorBoard's files needs the package tensorboard.",
            "Install it: pip install 'mlm-workbench[tensorboard]'",
        )
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0, TENSORS: 0})
    events.Reload()
    series = {
        tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()[SCALARS]
    }
    for tag in events.Tags()[TENSORS]:  # newer writers store scalars as tensors
        arrays = [(point.step, make_ndarray(point.tensor_proto)) for point in events.Tensors(tag)]
        series[tag] = [
            (step, array.item()) for step, array in arrays if array.size == 1 and array.dtype.kind in "fiu"
        ]
    epochs = dict(series.get("train/epoch") or series.get("epoch", []))
    values = [
        value
        for tag, points in series.items()
        if tag in _TAGS
        for step, number in points
        if (value := value_at(_TAGS[tag], step, epochs.get(step), number))
    ]
    if not values:
        scalars = ", ".join(sorted(series)[:8]) or "none"
        raise UsageError(f"{folder} has no known metric.", f"Its scalars: {scalars}.")
    return ImportedRun(
        kind="TensorBoard",
        path=folder,
        fingerprint=hashlib.sha256(json.dumps(sorted(values)).encode()).hexdigest(),
        recipe={},
        values=with_perplexities(values),
        started_at=events.FirstEventTimestamp(),
        ended_at=max(file.stat().st_mtime for file in event_files(folder)),
    )
