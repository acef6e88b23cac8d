"""Where a run runs: the options of `train`, `resume` and `sweep` that choose a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from workbench.cli.completion import offer_places
from workbench.engines.configuration import place
from workbench.engines.place import HERE, Place

On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="PLACE",
        help="Where to run: here, slurm, a place of the configuration, or work (see `work`). [here]",
        autocompletion=offer_places,
        show_default=False,
    ),
]
Processes = Annotated[
    str | None,
    typer.Option(
        "--processes",
        metavar="N|auto",
        help="Processes that train a run together; auto: one per GPU, one on a CPU. [auto; of a sweep 1]",
        show_default=False,
    ),
]
Nodes = Annotated[
    int | None, typer.Option("--nodes", metavar="N", min=1, help="Nodes of a cluster.", show_default=False)
]
Gpus = Annotated[
    int | None,
    typer.Option(
        "--gpus", metavar="N", min=1, help="GPUs of each node, with a process for each.", show_default=False
    ),
]
Sbatch = Annotated[
    list[str] | None,
    typer.Option("--sbatch", metavar="OPTION", help="Any option of sbatch, such as qos=long; repeatable."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the job's script; nothing is fetched or submitted.")
]


def chosen_place(
    on: str | None, nodes: int | None, gpus: int | None, options: Sequence[str] | None
) -> Place | None:
    """The place that the options name; None where they name none. Raises UsageError."""
    if on is None and nodes is None and gpus is None and not options:
        return None
    return place(on or HERE).with_more(nodes, gpus, options or ())
