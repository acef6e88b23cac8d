"""What lies in the Hugging Face cache, compared with what the library itself finds there."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from workbench.preview import hub_cache


def add(folder: Path, kind: str, name: str, *files: str) -> None:
    """A repository as the library lays it down: blobs, and links to them in a snapshot."""
    repository = folder / f"{kind}--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / ("a" * 40)
    (repository / "blobs").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(files):
        (repository / "blobs" / f"{number}").write_bytes(b"x" * 3_000_000)
        (snapshot / file).symlink_to(repository / "blobs" / f"{number}")


def test_models_that_can_be_loaded_and_data_sets(empty_hub: Path) -> None:
    hub = empty_hub / "hub"
    add(hub, "models", "org/Name-odd", "config.json", "model.safetensors")
    add(hub, "models", "plain", "config.json", "model.safetensors")
    add(hub, "models", "org/pickled", "config.json", "pytorch_model.bin")
    add(hub, "models", "org/only-its-tokenizer", "tokenizer.json", "config.json")
    add(hub, "datasets", "Org/Text", "train.parquet")
    (empty_hub / "datasets" / "org___text").mkdir(parents=True)
    (empty_hub / "datasets" / "other___thing").mkdir()
    found = {repo.repo_id for repo in scan_cache_dir(hub).repos if repo.repo_type == "model"}
    assert [one.name for one in hub_cache.models()] == ["org/Name-odd", "plain"]
    assert {one.name for one in hub_cache.models()} < found
    assert [(one.name, one.note) for one in hub_cache.datasets()] == [
        ("Org/Text", "ready"),
        ("other/thing", "ready"),
    ]
    assert hub_cache.models()[1].note == "3 MB"
    assert hub_cache.has_model("org/Name-odd") and not hub_cache.has_model("org/Name")
    assert hub_cache.has_dataset("org/text") and not hub_cache.has_dataset("org/texts")


def test_no_cache_is_an_empty_one(empty_hub: Path) -> None:
    assert hub_cache.models() == hub_cache.datasets() == []
    assert not hub_cache.has_model("plain")


def test_the_folders_follow_the_library_s_variables(
    empty_hub: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert hub_cache.hub_folder() == empty_hub / "hub"
    assert hub_cache.datasets_folder() == empty_hub / "datasets"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert hub_cache.hub_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert hub_cache.hub_folder() == tmp_path / "xdg" / "huggingface" / "hub"
