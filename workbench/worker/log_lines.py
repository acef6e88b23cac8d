"""Formats a training's events as log lines."""

from __future__ import annotations

import logging

from workbench.events import (
    CheckpointSaved,
    CorpusReady,
    EngineReady,
    Event,
    Message,
    Metrics,
    PhaseChanged,
)
from workbench.metrics import PERPLEXITY_OF


def narrate(event: Event) -> tuple[int, str] | None:
    """The logging level and the line for an event; None for an event that is not logged."""
    match event:
        case PhaseChanged(phase):
            return logging.INFO, f"phase: {phase}"
        case Message(text, level):
            return logging.WARNING if level == "warning" else logging.INFO, text
        case CorpusReady():
            origin = "from the cache" if event.from_cache else "prepared"
            return logging.INFO, (
                f"text {origin} in {event.seconds:.1f} s: "
                f"train {event.train_documents:,} documents, {event.train_tokens:,} tokens, "
                f"{event.train_chunks:,} chunks; test {event.test_documents:,}, {event.test_tokens:,}, "
                f"{event.test_chunks:,}; fingerprint {event.fingerprint}"
            )
        case EngineReady():
            why = f" ({event.head_reason})" if event.head_reason else ""
            processes = f" on each of {event.processes} processes" if event.processes > 1 else ""
            return logging.INFO, (
                f"{event.architecture} with {event.parameters:,} parameters on {event.device} "
                f"({event.device_name}) in {event.precision}, {event.head} head{why}"
                f"{', compiled' if event.compiled else ''}: {event.total_steps:,} steps of "
                f"{event.batch_size} x {event.gradient_accumulation} chunks{processes}, "
                f"{event.steps_per_epoch:,} an epoch"
            )
        case Metrics():
            shown = [
                f"{name} {value:,.2f}"
                for name, value in event.values.items()
                if name in PERPLEXITY_OF.values()
            ]
            return (logging.INFO, f"step {event.step}: {', '.join(shown)}") if shown else None
        case CheckpointSaved():
            best = ", the best so far" if event.best else ""
            return logging.INFO, f"checkpoint {event.path.name} saved{best}"
        case _:
            return None
