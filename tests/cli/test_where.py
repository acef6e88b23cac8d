"""Where a run runs, on the command line, without a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli.app import app, main
from workbench.corpus import prepare_corpus
from workbench.engines.configuration import config_file
from workbench.events import Event
from workbench.paths import cache_folder
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import PRESETS


def test_a_dry_run_prints_the_script_and_makes_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config_file().write_text('[places.a100]\nengine = "slurm"\ngpus = 4\nsetup = "module load cuda"\n')
    done = CliRunner().invoke(
        app, ["train", "--on", "a100", "--nodes", "2", "--sbatch", "qos=long", "--dry-run"]
    )
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    for line in ("#SBATCH --nodes=2", "#SBATCH --gpus-per-node=4", "#SBATCH --qos=long", "module load cuda"):
        assert line in lines
    assert not (tmp_path / "experiments.db").exists()


def test_a_dry_run_asks_for_as_many_tasks_as_the_run_would() -> None:
    done = CliRunner().invoke(
        app, ["train", "--on", "slurm", "--nodes", "2", "--processes", "6", "--dry-run"]
    )
    assert done.exit_code == 0, done.output
    assert {"#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=3"} <= set(done.stdout.splitlines())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--on", "nowhere"], "There is no place 'nowhere'."),
        (["--nodes", "2"], "--nodes, --gpus and --sbatch need a cluster"),
        (["--on", "slurm", "--sbatch", "output=x"], "--sbatch output: mlm-workbench sets this itself"),
        (["--dry-run"], "--dry-run prints a job's script"),
    ],
)
def test_what_cannot_be_is_bad_usage(
    options: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *options]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "experiments.db").exists()


def test_fetch_leaves_nothing_to_prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "notes.txt"
    text.write_text(
        "".join(f"The note number {number} is about a harbour in the north.\n" for number in range(400))
    )
    done = CliRunner().invoke(app, ["fetch", "--dataset", str(text), "--chunk-size", "32"])
    assert done.exit_code == 0, done.output
    assert "is prepared" in done.output and "ready to train without a network" in done.output
    recipe = PRESETS["starter"].with_changes(dataset=str(text), chunk_size=32)
    heard: list[Event] = []
    tokenizer = load_tokenizer("starter", None, lambda text: None)
    assert prepare_corpus(
        recipe, tokenizer, max_chunk=None, cache=cache_folder(), listen=heard.append
    ).from_cache
