"""A place: where runs run and what its engine is told. It is no part of a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from workbench.errors import UsageError
from workbench.status import PlaceEngine

HERE = "here"
"""The place that is always there: this machine."""
SLURM = "slurm"
"""Slurm with its own defaults, without a line of configuration."""
WORK = "work"
"""No place of ours: the run waits for whoever calls `mlm-workbench work RUN`, under any engine."""
MOST_PROCESSES = 4096
OURS = {
    "output": "the run's log",
    "error": "the run's log",
    "open-mode": "the run's log",
    "array": "the elements of a sweep",
    "signal": "the signal before the time limit",
    "wrap": "the script",
    "parsable": "how sbatch answers",
    "test-only": "how sbatch answers",
    "wait": "how sbatch answers",
    "chdir": "the working folder",
}
"""Options of sbatch that the program sets itself, and for what."""


@dataclass(frozen=True, slots=True)
class Place:
    """`nodes`, `gpus` (of each node) and everything in `options` only where a person asked for it.

    options: long options of sbatch without their dashes, in order; "" for one without a value. setup: lines
    of shell before the training. environment: variables of the training.
    """

    name: str
    engine: PlaceEngine
    nodes: int | None = None
    gpus: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        return self.engine == PlaceEngine.LOCAL

    def with_more(
        self, nodes: int | None = None, gpus: int | None = None, options: Sequence[str] = ()
    ) -> Place:
        """This place with what one command asks for besides. Raises UsageError."""
        if self.engine != PlaceEngine.SLURM and (nodes is not None or gpus is not None or options):
            raise UsageError(
                f"--nodes, --gpus and --sbatch need a cluster; {self.name} is none.",
                "Name a place: --on slurm, or one from the configuration.",
            )
        return replace(
            self,
            nodes=self.nodes if nodes is None else nodes,
            gpus=self.gpus if gpus is None else gpus,
            options={**self.options, **read_options(options, "--sbatch")},
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values, for the run's column `placement`."""
        return {**asdict(self), "engine": str(self.engine), "setup": list(self.setup)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Place:
        """A place from `to_json`."""
        engine = PlaceEngine(kept["engine"])
        return cls(**{**kept, "engine": engine, "setup": tuple(kept["setup"])})


def processes_from(text: str | None) -> int | None:
    """A number of processes as it is typed: 0 for auto, None where it was not given. Raises UsageError."""
    if text is None or text == "auto":
        return None if text is None else 0
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_PROCESSES):
        raise UsageError(f"Processes can be auto, or a number from 1 to {MOST_PROCESSES}; got {text[:20]!r}.")
    return int(text)


def here() -> Place:
    """This machine."""
    return Place(HERE, PlaceEngine.LOCAL)


def read_options(arguments: Sequence[str], where: str) -> dict[str, str]:
    """`qos=long`, `--qos=long` or `exclusive`, as options of sbatch. Raises UsageError that names `where`."""
    options: dict[str, str] = {}
    for text in arguments:
        name, _, value = text.strip().removeprefix("--").partition("=")
        name = name.strip().replace("_", "-")
        if not name or name.startswith("-") or not name.replace("-", "").isalnum():
            raise UsageError(
                f"{where} {text!r}: not a long option of sbatch.", "For example qos=long, or exclusive."
            )
        options[name] = checked(name, value.strip(), where)
    return options


def checked(name: str, value: str, where: str) -> str:
    """`value`, if this option may have it. Raises UsageError."""
    if name in OURS:
        raise UsageError(f"{where} {name}: mlm-workbench sets this itself, for {OURS[name]}.")
    if not value.isprintable():
        raise UsageError(f"{where} {name}: the value holds a line break or a control character.")
    return value
