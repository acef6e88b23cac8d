from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest

from workbench.errors import ModelError
from workbench.pretrained.starter import starter_folder
from workbench.pretrained.tokenizer import load_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(starter_folder(), tmp_path / "model"))


def test_the_starters_tokenizer_is_fast_and_has_a_mask() -> None:
    tokenizer = load_tokenizer("starter")
    assert tokenizer.is_fast
    assert tokenizer.mask_token == "[MASK]"


def test_a_folders_tokenizer_is_the_same(folder) -> None:
    text = "The tokens of one text."
    assert load_tokenizer(str(folder))(text)["input_ids"] == load_tokenizer("starter")(text)["input_ids"]


def test_a_tokenizer_without_a_mask_token_is_refused(folder) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["mask_token"]
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"declares no mask token.*masked language modelling"):
        load_tokenizer(str(folder))


@pytest.mark.parametrize("content", ["", "not JSON", "{}"])
def test_a_damaged_tokenizer_is_said(folder, content) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer of .* cannot be loaded"):
        load_tokenizer(str(folder))


def test_a_tokenizer_that_wants_to_run_code_is_not_given_the_chance(folder) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["tokenizer_class"] = "Custom"
    config["auto_map"] = {"AutoTokenizer": ["custom.Custom", "custom.Custom"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    witness = folder / "it-ran"
    (folder / "custom.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass Custom: pass\n")
    with contextlib.suppress(ModelError):
        load_tokenizer(str(folder))
    assert not witness.exists()
