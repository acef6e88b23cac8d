"""The batch script: only what was asked for is in it, and any name is safe in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from workbench.engines.place import Place
from workbench.engines.script import Layout, run_script
from workbench.errors import UsageError
from workbench.status import PlaceEngine

SLURM = Place("slurm", PlaceEngine.SLURM)


def script(place: Place = SLURM, folder: Path = Path("/runs/7-wiki"), title: str = "run 7 wiki") -> str:
    return run_script(place, Layout.of(place), title, folder, Path("/work here"), ["--folder", str(folder)])


def directives(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH")]


def test_nothing_is_asked_for_that_the_user_did_not_ask_for() -> None:
    assert directives(script()) == [
        "--job-name=mlm-7-wiki",
        "--requeue",
        "--signal=TERM@120",
        "--output=worker.log",
        "--open-mode=append",
    ]


def test_nodes_gpus_and_options() -> None:
    place = SLURM.with_more(nodes=2, gpus=4, options=["time=1:00", "exclusive", "job-name=mine"])
    found = directives(script(place))
    assert {"--nodes=2", "--ntasks-per-node=4", "--gpus-per-node=4", "--time=1:00", "--exclusive"} <= {*found}
    assert "--job-name=mine" in found and "--job-name=mlm-7-wiki" not in found
    by_kind = directives(script(SLURM.with_more(gpus=2, options=["gres=gpu:a100:2"])))
    assert "--gres=gpu:a100:2" in by_kind and not any("gpus-per-node" in line for line in by_kind)
    assert "--ntasks-per-node=2" in by_kind and "--nodes=1" in by_kind
    assert "--requeue" not in directives(script(SLURM.with_more(options=["no-requeue"])))


def test_processes_are_dealt_out_over_nodes() -> None:
    two = SLURM.with_more(nodes=2)
    assert (Layout.of(two).processes, Layout.of(two, 6).tasks_per_node) == (2, 3)
    assert Layout.of(SLURM, 4) == Layout(1, 4, None)
    with pytest.raises(UsageError, match="cannot be spread evenly"):
        Layout.of(two, 3)


@pytest.mark.parametrize("name", ["a b", "it's", "$(touch owned)", "line\nbreak", "`x`", '"', "-n", "é%j"])
def test_any_name_is_safe(name: str, tmp_path: Path) -> None:
    """Bash runs the script with the commands of Slurm replaced by ones that tell how they were called."""
    folder = tmp_path / name
    folder.mkdir()
    place = Place("p", PlaceEngine.SLURM, environment={"VALUE": name})
    text = run_script(place, Layout.of(place), name, folder, folder, ["--folder", str(folder)])
    stubs = 'srun() { printf "%s\\n--\\n" "$@" "$PWD" "$VALUE"; }\nscontrol() { :; }\n'
    assert all(line.isprintable() for line in directives(text))
    done = subprocess.run(
        ["bash", "-c", stubs + text],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "5", "SLURM_JOB_NODELIST": "n1"},
    )
    assert done.stderr == ""
    assert done.stdout.split("\n--\n")[-4:-1] == [str(folder), str(folder), name]
    assert not (tmp_path / "owned").exists() and not (folder / "owned").exists()


@pytest.mark.parametrize(
    ("limit", "lead"),
    [
        ("60", 120),
        ("1", 20),
        ("3:00", 60),
        ("0:90", 30),
        ("1:00:00", 120),
        ("1-0", 120),
        ("0-0:2", 40),
        ("x", 120),
    ],
)
def test_a_short_limit_leaves_time_to_train(limit: str, lead: int) -> None:
    assert f"--signal=TERM@{lead}" in directives(script(SLURM.with_more(options=[f"time={limit}"])))
