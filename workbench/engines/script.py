"""The batch script of a job, as text: one task of srun for each process of the training."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.engines.place import Place
from workbench.errors import UsageError
from workbench.paths import CACHE_VARIABLE, cache_folder
from workbench.private import UMASK_VARIABLE

SCRIPT = "job.sh"
"""The script's name, in the folder of the run or the sweep."""
LOG = "worker.log"
AGAIN = 75
"""A worker's exit code when it was told to end, saved a checkpoint and is to run again: EX_TEMPFAIL."""
SECONDS_BEFORE_THE_END = 120
"""How long before the time limit Slurm sends SIGTERM, a third of a shorter limit. It may come 25 s late, and
a checkpoint takes time."""
_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")
_KEPT = ("HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "PYTHONPATH", UMASK_VARIABLE)
"""Variables that say where things lie. A site may start jobs without the user's environment."""
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

_HEAD = """#!/bin/bash
# {title}
# {how}
{directives}
"""
_RENDEZVOUS = """
# Every task meets the others at the first node.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(scontrol -o show node "$first" | sed -n 's/.* NodeAddr=\\([^ ]*\\).*/\\1/p')
export MASTER_ADDR=${address:-${first:-$(hostname)}}
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
# srun does not take this over from sbatch since Slurm 22.05.
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
"""
_TAIL = """
# When one process ends, the others have a minute to end by themselves; then Slurm ends them.
srun --kill-on-bad-exit=0 --wait=60 {command}
code=$?
if [ "$code" -eq {again} ]; then
    # The time limit is near and a checkpoint is saved: back into the queue, to continue from it.
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many processes run where. Tasks are processes; `nodes` None: Slurm's default."""

    nodes: int | None
    tasks_per_node: int | None
    gpus_per_node: int | None

    @property
    def processes(self) -> int:
        return (self.nodes or 1) * (self.tasks_per_node or 1)

    @classmethod
    def of(cls, place: Place, processes: int | None = None) -> Layout:
        """One process for each GPU, or `processes` in all. Raises UsageError where nodes would differ."""
        by_gpus = (place.nodes or 1) * (place.gpus or 1)
        per_node, rest = divmod(processes or by_gpus, place.nodes or 1)
        if rest:
            raise UsageError(
                f"{processes} processes cannot be spread evenly over {place.nodes} nodes.",
                "Give a multiple of --nodes.",
            )
        if place.nodes is None and per_node == 1 and place.gpus is None:
            return cls(None, None, None)
        return cls(place.nodes or 1, per_node, place.gpus)  # else Slurm might spread the tasks


def run_script(
    place: Place, layout: Layout, title: str, folder: Path, working_folder: Path, arguments: Sequence[str]
) -> str:
    """The script of one run. `arguments`: of `python -m workbench.worker`. It is sent from `folder`."""
    directives = _directives(place, layout, _job_name(folder.name), LOG)
    command = shlex.join([*_worker(), *arguments])
    head = _HEAD.format(
        title=_comment(title), how=f"Send it from its folder: sbatch {SCRIPT}", directives=directives
    )
    return head + _surroundings(place, working_folder) + _RENDEZVOUS + _tail(command)


def preview_script(place: Place, name: str | None, processes: int | None = None) -> str:
    """The script of a run that is not made: its id and its folder are not known yet."""
    folder, title = Path("RUN_FOLDER"), f"mlm-workbench: run ID {name or 'NAME'}, place {place.name}"
    layout = Layout.of(place, processes)
    return run_script(place, layout, title, folder, Path.cwd(), ["--folder", str(folder)])


def array_script(
    place: Place,
    layout: Layout,
    title: str,
    folder: Path,
    working_folder: Path,
    runs_folder: Path,
    elements: str,
    count: int,
    parallel: int | None,
) -> str:
    """The script of a job array. Line i of the file `elements` in `folder` names the folder of element i,
    within `runs_folder`; each element writes its run's log.
    """
    directives = _directives(place, layout, _job_name(folder.name), f"{Path(elements).stem}-%a.log")
    at_once = f"%{parallel}" if parallel else ""
    directives += f"\n#SBATCH --array=0-{count - 1}{at_once}"
    choose = f"""
# The run of this element, whose log all of it goes to.
name=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {shlex.quote(str(folder / elements))})
[ -n "$name" ] || {{ echo "No run for element $SLURM_ARRAY_TASK_ID" >&2; exit 1; }}
run={shlex.quote(str(runs_folder))}/$name
exec >>"$run/{LOG}" 2>&1
"""
    command = f'{shlex.join(_worker())} --folder "$run"'
    head = _HEAD.format(
        title=_comment(title), how=f"Send it from its folder: sbatch {SCRIPT}", directives=directives
    )
    return head + choose + _surroundings(place, working_folder) + _RENDEZVOUS + _tail(command)


def _worker() -> list[str]:
    # -P: a file in the current folder must not be taken for one of Python's modules
    return [sys.executable, "-P", "-u", "-m", "workbench.worker"]


def _tail(command: str) -> str:
    return _TAIL.format(command=command, again=AGAIN)


def _directives(place: Place, layout: Layout, name: str, log: str) -> str:
    """The lines #SBATCH. No path is in them: quoting of paths there differs between versions of Slurm."""
    options = {
        "job-name": name,
        "requeue": "",
        "signal": f"TERM@{_lead(place.options.get('time', ''))}",
    }
    for option, value in (("nodes", layout.nodes), ("ntasks-per-node", layout.tasks_per_node)):
        if value is not None:
            options[option] = str(value)
    if layout.gpus_per_node is not None and not any(
        option == "gres" or option.startswith("gpus") for option in place.options
    ):
        options["gpus-per-node"] = str(layout.gpus_per_node)
    options |= place.options
    if "no-requeue" in options:
        del options["requeue"]
    options |= {"output": log, "open-mode": "append"}
    return "\n".join(f"#SBATCH --{option}{_value(value)}" for option, value in options.items())


def _lead(limit: str) -> int:
    """Seconds before the end at which a job with this time limit is told."""
    match = _TIME.fullmatch(limit)
    if match is None:
        return SECONDS_BEFORE_THE_END
    days, *rest = (int(part) if part else 0 for part in match.groups())
    given = sum(part is not None for part in match.groups()[1:])
    if match[1] is not None:  # D-H, D-H:M, D-H:M:S
        hours, minutes, seconds = rest
    else:  # M, M:S, H:M:S
        hours, minutes, seconds = rest if given == 3 else (0, *rest[:2])
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return min(SECONDS_BEFORE_THE_END, max(total // 3, 1)) if total else SECONDS_BEFORE_THE_END


def _value(value: str) -> str:
    if not value or _PLAIN.fullmatch(value):
        return value and f"={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'="{escaped}"'


def _surroundings(place: Place, working_folder: Path) -> str:
    """Variables, the site's own lines, and the folder from which the recipe may name files."""
    variables = {
        CACHE_VARIABLE: str(cache_folder().absolute()),
        "HF_HUB_OFFLINE": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        **place.environment,
    }
    lines = ["", *(f"export {name}={shlex.quote(value)}" for name, value in variables.items())]
    return "\n".join([*lines, *place.setup, f"cd -- {shlex.quote(str(working_folder))} || exit 1"]) + "\n"


def _job_name(folder: str) -> str:
    return "mlm-" + (_NOT_IN_A_NAME.sub("-", folder).strip("-") or "run")


def _comment(text: str) -> str:
    """One line, whatever a run is called."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
