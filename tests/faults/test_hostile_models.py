"""Model folders that hold code, pickles or rubbish: refused with a message, and nothing of theirs is run."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from workbench.errors import ModelError
from workbench.inference.filler import Filler
from workbench.pretrained.model import load_model, usable_positions
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
from workbench.status import Status
from workbench.store import Store

from .conftest import begin, wait_for_end
from .hostile import content, often

CODE = "from pathlib import Path\nPath({owned!r}).touch()\nclass Custom: pass\nclass CustomConfig: pass\n"


class Exploit:
    """What a pickle runs when it is read."""

    def __init__(self, owned: Path) -> None:
        self.owned = owned

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.owned,)


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture
def owned(tmp_path: Path) -> Path:
    """A file that is there once code of the model's was run."""
    return tmp_path / "owned"


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def pickles_alone(model: Path, owned: Path) -> None:
    (model / "model.safetensors").unlink()
    for name in ("pytorch_model.bin", "model.pt", "training_args.bin"):
        (model / name).write_bytes(pickle.dumps(Exploit(owned)))


def an_unknown_kind_with_code(model: Path, owned: Path) -> None:
    (model / "custom.py").write_text(CODE.format(owned=str(owned)))
    auto = {"AutoConfig": "custom.CustomConfig", "AutoModelForMaskedLM": "custom.Custom"}
    change(model / "config.json", model_type="custom", auto_map=auto)


def a_tokenizer_with_code(model: Path, owned: Path) -> None:
    (model / "custom.py").write_text(CODE.format(owned=str(owned)))
    auto = {"AutoTokenizer": ["custom.Custom", "custom.Custom"]}
    change(model / "tokenizer_config.json", tokenizer_class="CustomTokenizer", auto_map=auto)
    (model / "tokenizer.json").unlink()


def weights_that_are_a_pickle(model: Path, owned: Path) -> None:
    (model / "model.safetensors").write_bytes(pickle.dumps(Exploit(owned)))


def weights_of_another_shape(model: Path, owned: Path) -> None:
    change(model / "config.json", hidden_size=64)


def weights_that_claim_to_be_large(model: Path, owned: Path) -> None:
    (model / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")


def a_configuration_beyond_all_memory(model: Path, owned: Path) -> None:
    change(model / "config.json", hidden_size=2**40, vocab_size=2**40)


def an_index_that_leads_elsewhere(model: Path, owned: Path) -> None:
    (model / "model.safetensors").rename(model.parent / "secret.safetensors")
    (model / "other.safetensors").touch()
    index = {"metadata": {}, "weight_map": {"cls.predictions.bias": "../../../../etc/passwd"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


def a_configuration_of_a_list(model: Path, owned: Path) -> None:
    (model / "config.json").write_text("[1, 2, 3]")


SPOILED = [
    pickles_alone,
    an_unknown_kind_with_code,
    a_tokenizer_with_code,
    weights_that_are_a_pickle,
    weights_of_another_shape,
    weights_that_claim_to_be_large,
    a_configuration_beyond_all_memory,
    an_index_that_leads_elsewhere,
    a_configuration_of_a_list,
]


def refused(load: Callable[[], object]) -> None:
    with pytest.raises(ModelError) as error:
        load()
    assert error.value.message and "Traceback" not in str(error.value)


@pytest.mark.parametrize("spoil", SPOILED)
def test_spoiled_folders_are_refused(
    model: Path, owned: Path, spoil: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(prompt: str = "") -> str:
        raise AssertionError(f"asked on the terminal: {prompt}")

    monkeypatch.setattr("builtins.input", ask)
    spoil(model, owned)
    refused(lambda: (load_tokenizer(str(model)), load_model(str(model))))
    refused(lambda: Filler.load(str(model)))
    assert not owned.exists()


@pytest.mark.usefixtures("from_nursery")
@pytest.mark.parametrize("spoil", SPOILED)
def test_a_run_on_one_fails_with_a_message(
    store: Store, tiny: Recipe, model: Path, owned: Path, spoil: Callable[[Path, Path], None]
) -> None:
    spoil(model, owned)
    run = wait_for_end(store, begin(store, tiny.with_changes(model=str(model))))
    assert run.status == Status.FAILED and run.error, run.error
    assert "worker.log" not in (run.error_hint or ""), f"an error that nobody thought of: {run.error}"
    assert not owned.exists()


def test_code_beside_a_model_that_needs_none_is_not_run(model: Path, owned: Path) -> None:
    (model / "custom.py").write_text(CODE.format(owned=str(owned)))
    auto = {"AutoConfig": "custom.CustomConfig", "AutoModelForMaskedLM": "custom.Custom"}
    change(model / "config.json", auto_map=auto)
    change(model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["custom.Custom", "custom.Custom"]})
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Exploit(owned)))
    assert Filler.load(str(model)).fill("the [MASK] sat").masks
    assert not owned.exists()


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
)
@often
@given(held=content)
def test_files_of_a_model_that_hold_anything(
    name: str, held: bytes, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(tiny_model, model)
    (model / name).write_bytes(held)
    try:
        load_tokenizer(str(model))
        usable_positions(load_model(str(model)).model.config)
        Filler.load(str(model))
    except ModelError as error:
        assert error.message


def test_a_word_of_the_vocabulary_that_a_terminal_would_obey(model: Path) -> None:
    tokenizer = (model / "tokenizer.json").read_text()
    assert '"cat"' in tokenizer
    (model / "tokenizer.json").write_text(tokenizer.replace('"cat"', '"\\u001b[2J\\u202e"'))
    result = Filler.load(str(model)).fill("the [MASK] sat", 19)
    words = [prediction.text for prediction in result.masks[0].predictions]
    assert any("\x1b" in word for word in words)  # kept as it is; every screen shows it through `printable`
