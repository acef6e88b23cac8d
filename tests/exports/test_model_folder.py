"""A run's model for others: it loads, its card says what is so, and nothing of this machine is in it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from workbench.document_hashes import documents_of
from workbench.errors import ModelError, UsageError
from workbench.exports.model_folder import export_run
from workbench.exports.shareable import shareable_recipe, shareable_text
from workbench.recipe import Recipe
from workbench.store import Run
from workbench.stored_recipe import StoredRecipe

from ..conftest import StarterRun


@pytest.fixture(scope="module")
def exported(starter_run: StarterRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "models" / "python-docs"
    export_run(starter_run.store, starter_run.store.run(starter_run.id), folder)
    return folder


def parts(folder: Path) -> tuple[dict[str, object], str]:
    """A card's front matter and its text."""
    _, front, body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def offline(script: str, folder: Path) -> str:
    """What a script prints that is given an exported folder, with no hub to ask and no workbench to help."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)],
        capture_output=True,
        text=True,
        cwd=folder.parent,
        env={
            "HF_HUB_OFFLINE": "1",
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder.parent),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        },
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_transformers_loads_it_and_fills_a_mask(exported: Path) -> None:
    script = """
        import sys
        from transformers import AutoModelForMaskedLM, pipeline
        model, info = AutoModelForMaskedLM.from_pretrained(sys.argv[1], output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"], info
        print(pipeline("fill-mask", model=sys.argv[1])("Return the [MASK] of the list.")[0]["score"] > 0)
    """
    assert offline(script, exported).strip().endswith("True")


@pytest.mark.skipif(not importlib.util.find_spec("sentence_transformers"), reason="no sentence-transformers")
def test_sentence_transformers_loads_it(exported: Path) -> None:
    script = """
        import sys
        from sentence_transformers import SentenceTransformer
        print(SentenceTransformer(sys.argv[1]).encode(["one", "two"]).shape)
    """
    assert offline(script, exported).strip().endswith("(2, 128)")


def test_the_files_for_sentence_transformers_name_what_is_there(exported: Path) -> None:
    modules = json.loads((exported / "modules.json").read_text())
    assert [(exported / module["path"]).is_dir() for module in modules] == [True, True]
    pooling = json.loads((exported / "1_Pooling" / "config.json").read_text())
    assert (pooling["word_embedding_dimension"], pooling["pooling_mode_mean_tokens"]) == (128, True)
    assert json.loads((exported / "sentence_bert_config.json").read_text())["max_seq_length"] == 512


def test_the_card_says_what_was_done_and_what_came_of_it(exported: Path, starter_run: StarterRun) -> None:
    front, body = parts(exported)
    assert (front["pipeline_tag"], front["library_name"]) == ("fill-mask", "transformers")
    assert "mlm-workbench" in front["tags"]  # type: ignore[operator]
    run = starter_run.store.run(starter_run.id)
    assert f"{run.data['train_documents']:,}" in body
    assert f"| {run.baseline_perplexity:,.4g} |" in body or f"| {run.baseline_perplexity:,.0f} |" in body
    assert re.search(
        r"Compared with the base model on the yardstick: better by [\d.]+ % \([\d.]+ to [\d.]+\)", body
    )
    assert "the yardstick: the first" in body and "its own test" in body
    assert "mlm-workbench train --config recipe.toml" in body
    assert run.environment["packages"]["transformers"] in body


def test_the_recipe_makes_the_run_again(exported: Path, starter_run: StarterRun) -> None:
    run = starter_run.store.run(starter_run.id)
    assert Recipe.load(exported / "recipe.toml") == Recipe.parse(run.recipe)


def test_it_carries_which_documents_the_model_was_trained_on(exported: Path, starter_run: StarterRun) -> None:
    own = documents_of(Path(starter_run.store.run(starter_run.id).folder))
    carried = documents_of(exported)
    assert own is not None and carried is not None and len(own.train) > 100
    assert carried.seen.tolist() == own.seen.tolist()


def test_nothing_of_this_machine_and_no_training_state_is_in_it(
    exported: Path, starter_run: StarterRun
) -> None:
    run = starter_run.store.run(starter_run.id)
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert not [path for path in files if "state" in path.parts or path.name == "manifest.json"]
    for path in files:
        content = path.read_bytes()
        for told in (run.folder, str(Path.home()) + "/", str(starter_run.database.parent)):
            assert told.encode() not in content, path
    text = (exported / "README.md").read_text() + (exported / "recipe.toml").read_text()
    assert not re.search(rf"\b{re.escape(str(run.host))}\b", text)
    assert sorted(path.name for path in exported.parent.iterdir()) == ["python-docs"]


HOSTILE = 'x: "y"\n---\n# Title | <script>alert(1)</script> [a](b) `c` {{d}} \\'


def test_no_name_note_or_tag_breaks_the_card(starter_run: StarterRun, tmp_path: Path) -> None:
    run = starter_run.store.run(starter_run.id)
    run.name, run.note, run.tags = HOSTILE, HOSTILE, [HOSTILE, "plain"]
    export_run(starter_run.store, run, tmp_path / "out")
    front, body = parts(tmp_path / "out")
    assert front["tags"][-1] == "plain" and front["tags"][-2].startswith("x:")  # type: ignore[index]
    assert front["pipeline_tag"] == "fill-mask"
    headings = [line for line in body.splitlines() if line.startswith("# ")]
    assert len(headings) == 1 and "<script>" not in body


def test_secrets_and_places_in_a_note_are_left_out(
    starter_run: StarterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "s3cret-value")
    run = starter_run.store.run(starter_run.id)
    run.note = "text from /home/alice/data/notes.txt with s3cret-value, see https://example.org/a/b/c"
    export_run(starter_run.store, run, tmp_path / "out")
    _, body = parts(tmp_path / "out")
    assert "alice" not in body and "s3cret" not in body
    assert "notes.txt" in body and "example.org/a/b/c" in body


@pytest.mark.parametrize(
    ("dataset", "shown"),
    [
        ("/home/alice/reports/*.txt", "*.txt"),
        ("~/notes.jsonl", "notes.jsonl"),
        ("../../alice/notes.jsonl", "notes.jsonl"),
        ("reports/*.txt", "reports/*.txt"),
        ("EdinburghNLP/xsum", "EdinburghNLP/xsum"),
    ],
)
def test_a_recipe_names_files_without_their_folders(dataset: str, shown: str) -> None:
    run = Run(name="a", created_at=0.0, recipe=StoredRecipe.of(Recipe().with_changes(dataset=dataset)))
    assert shareable_recipe(run).dataset == shown
    assert shareable_text(f"({dataset})", run).count("alice") == (
        dataset.count("alice") and dataset[0] == "."
    )


def test_a_folder_that_is_in_use_is_left_alone(starter_run: StarterRun, tmp_path: Path) -> None:
    run, folder = starter_run.store.run(starter_run.id), tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    for replace in (False, True):
        with pytest.raises(UsageError, match="not empty"):
            export_run(starter_run.store, run, folder, replace=replace)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_earlier_export_is_replaced_only_when_told_to(starter_run: StarterRun, tmp_path: Path) -> None:
    run, folder = starter_run.store.run(starter_run.id), tmp_path / "out"
    first = starter_run.store.checkpoints(starter_run.id)[0]
    export_run(starter_run.store, run, folder)
    with pytest.raises(UsageError, match="--force"):
        export_run(starter_run.store, run, folder)
    assert export_run(starter_run.store, run, folder, checkpoint=str(first.step), replace=True) == first
    assert f"step {first.step:,} of" in (folder / "README.md").read_text()
    (folder / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        export_run(starter_run.store, run, folder, replace=True)


def test_a_damaged_checkpoint_leaves_nothing(starter_run: StarterRun, tmp_path: Path) -> None:
    import shutil

    from workbench.store import Store

    there = starter_run.database.parent
    shutil.copytree(there, tmp_path / "copy")
    store = Store.open(tmp_path / "copy" / "experiments.db")
    run = store.run(starter_run.id)
    checkpoint = (
        tmp_path / "copy" / "runs" / Path(run.folder).name / "checkpoints" / starter_run.checkpoint.name
    )
    store.update_run(starter_run.id, checkpoint=str(checkpoint))
    for saved in store.checkpoints(starter_run.id):
        store.add_checkpoint(
            starter_run.id,
            step=saved.step,
            epoch=saved.epoch,
            path=str(checkpoint.with_name(Path(saved.path).name)),
            eval_perplexity=saved.eval_perplexity,
            best=saved.best,
        )
    with (checkpoint / "model.safetensors").open("r+b") as file:
        file.seek(100_000)
        file.write(b"\xff\xff\xff\xff")
    with pytest.raises(ModelError, match=r"model\.safetensors of step-\d+ changed"):
        export_run(store, store.run(starter_run.id), tmp_path / "out")
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]
