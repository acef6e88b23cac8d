"""Model folders as people have them: what is loaded and how, and what is refused in which words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2Model,
    ElectraConfig,
    ElectraForPreTraining,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
    XmodConfig,
    XmodForMaskedLM,
)

from workbench.errors import ModelError
from workbench.pretrained.locate import locate
from workbench.pretrained.model import load_model

SIZES: dict[str, Any] = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 17549312\n"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(**SIZES)).save_pretrained(folder)
    return folder


@pytest.fixture
def model(bert: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(bert, tmp_path / "model"))


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def put(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def configure(folder: Path, **values: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def spoil_one(folder: Path, value: float) -> None:
    weights = tensors(folder)
    weights["bert.encoder.layer.1.output.dense.weight"][3, 4] = value
    put(folder, weights)


def as_shards(folder: Path) -> list[Path]:
    BertForMaskedLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="30KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    return sorted(folder.glob("model-0*.safetensors"))


def a_missing_shard(folder: Path) -> None:
    as_shards(folder)[1].unlink()


def a_cut_shard(folder: Path) -> None:
    shard = as_shards(folder)[1]
    shard.write_bytes(shard.read_bytes()[:-100])


def a_cut_file(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def a_file_that_ends_in_its_header(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:300])


def nothing_but(*names: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        for name in names:
            (folder / name).write_bytes(b"x")

    return spoil


def an_adapter(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "some/bert"}))
    save_file({"a.lora_A.weight": torch.zeros(2, 2)}, folder / "adapter_model.safetensors")


def an_adapter_with_a_configuration(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "some/bert"}))


def whole_numbers(folder: Path) -> None:
    weights = tensors(folder)
    name = "bert.encoder.layer.0.output.dense.weight"
    put(folder, weights | {name: (weights[name] * 100).to(torch.int8)})


def an_encoder_decoder(folder: Path) -> None:
    config = T5Config(vocab_size=90, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(folder)


def a_causal_model(folder: Path) -> None:
    config = GPT2Config(vocab_size=90, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1)
    GPT2LMHeadModel(config).save_pretrained(folder)


def an_x_mod(folder: Path) -> None:
    XmodForMaskedLM(XmodConfig(**SIZES, languages=["en_XX", "de_DE"])).save_pretrained(folder)


def only_an_optimizer(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "optimizer.pt").write_bytes(b"x")


def nothing(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def a_folder_around_it(folder: Path) -> None:
    inside = folder.parent / "inside"
    folder.rename(inside)
    folder.mkdir()
    inside.rename(folder / "checkpoint-500")


def without_kind(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    del values["model_type"]
    (folder / "config.json").write_text(json.dumps(values))


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "pointer": (lambda it: (it / "model.safetensors").write_text(POINTER), r"git-lfs pointer.*git lfs pull"),
    "pointer, config": (lambda it: (it / "config.json").write_text(POINTER), r"config\.json is a git-lfs"),
    "pointer, tokenizer": (
        lambda it: (it / "tokenizer.json").write_text(POINTER),
        r"tokenizer\.json is a git",
    ),
    "missing shard": (a_missing_shard, r"lacks 1 of the \d+ files .*model-00002-of-.*index\.json"),
    "cut shard": (a_cut_shard, r"model-00002-of-\S+ is cut short: it has [\d,]+ bytes of [\d,]+"),
    "cut file": (a_cut_file, r"model\.safetensors is cut short"),
    "cut header": (a_file_that_ends_in_its_header, "ends within its header"),
    "sizes": (
        lambda it: configure(it, hidden_size=64),
        r"do not fit its config\.json: bert\.\S+ is .* and \d+ more",
    ),
    "vocabulary": (lambda it: configure(it, vocab_size=80), "90 x 32 in the file and 80 x 32 by the"),
    "layers": (
        lambda it: configure(it, num_hidden_layers=12),
        r"160 of the encoder's 197 tensors are missing \(bert\.",
    ),
    "nan": (
        lambda it: spoil_one(it, float("nan")),
        r"layer\.1\.output\.dense\.weight has 1 NaN or infinite values of 1,536",
    ),
    "infinity": (lambda it: spoil_one(it, float("inf")), "1 NaN or infinite values of"),
    "adapter": (an_adapter, r"an adapter for some/bert .*not a whole model.*merge_and_unload"),
    "adapter, config": (an_adapter_with_a_configuration, "an adapter for some/bert"),
    "pickles": (nothing_but("pytorch_model.bin"), r"pickled \(pytorch_model\.bin\): refused"),
    "gguf": (nothing_but("model.gguf"), r"another format: model\.gguf is GGUF"),
    "onnx": (nothing_but("model.onnx"), r"another format: model\.onnx is ONNX"),
    "another name": (nothing_but("weights.safetensors"), r"no model\.safetensors, only weights\.safetensors"),
    "optimizer beside config": (nothing_but("optimizer.pt", "rng_state.pth"), "holds no weights"),
    "optimizer": (only_an_optimizer, r"no config\.json: it is not a model\. It holds optimizer\.pt"),
    "empty": (nothing, r"no config\.json.*It is empty"),
    "around": (a_folder_around_it, r"its subfolder checkpoint-500 does\. Give .*checkpoint-500"),
    "quantised": (
        lambda it: configure(it, quantization_config={"quant_method": "gptq", "bits": 4}),
        r"quantised \(gptq\): such weights cannot be trained",
    ),
    "whole numbers": (whole_numbers, r"quantised: bert\S+ is stored as I8"),
    "encoder-decoder": (an_encoder_decoder, r"encoder-decoder \(t5\)"),
    "causal": (a_causal_model, "gpt2 model, which has no masked-language-model head"),
    "x-mod": (an_x_mod, r"sets no default_language.*one of: en_XX, de_DE"),
    "code": (
        lambda it: configure(it, model_type="mybert", auto_map={"AutoConfig": "a.B"}),
        r"its own Python code.*never runs a model's own code",
    ),
    "code of a part": (
        lambda it: configure(it, model_type="mybert", auto_map={"AutoModelForMaskedLM": "a.B"}),
        r"its own Python code.*never runs a model's own code",
    ),
    "unknown kind": (lambda it: configure(it, model_type="mybert"), "mybert model, which the installed"),
    "another kind": (
        lambda it: configure(it, model_type="roberta"),
        r"do not match the roberta model.*roberta\.emb",
    ),
    "no kind": (without_kind, "does not say what kind of model it is"),
    "not json": (lambda it: (it / "config.json").write_text("{"), r"config\.json of \S+ is not JSON"),
    "a value": (lambda it: configure(it, hidden_size="many"), "hidden_size has an invalid value"),
    "unrelated": (
        lambda it: put(it, {"x": torch.zeros(3)}),
        r"37 of the encoder's 37 tensors.*The file holds x\.",
    ),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_cannot_be_trained_says_what_where_and_what_to_do(model: Path, what: str) -> None:
    spoil, message = SPOILED[what]
    spoil(model)
    with pytest.raises(ModelError, match=message) as refused:
        load_model(str(model))
    assert str(model) in refused.value.message and refused.value.hint
    assert "\n" not in str(refused.value)


def test_a_file_in_the_place_of_its_folder(model: Path) -> None:
    with pytest.raises(ModelError, match=rf"is a file.*Give its folder: {model}"):
        locate(str(model / "model.safetensors"))


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod.", "model.", "encoder.model."])
def test_names_with_a_foreign_prefix_are_read_with_a_word(model: Path, tmp_path: Path, prefix: str) -> None:
    before = tensors(model)
    put(model, {f"{prefix}{name}": tensor for name, tensor in before.items()})
    loaded = load_model(str(model))
    assert loaded.drawn == () and loaded.left_out == ()
    assert prefix in loaded.notes[0]
    loaded.model.save_pretrained(tmp_path / "saved")
    after = tensors(tmp_path / "saved")
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_names_within_which_a_part_was_compiled(model: Path) -> None:
    before = tensors(model)
    put(model, {name.replace("encoder.", "encoder._orig_mod."): tensor for name, tensor in before.items()})
    loaded = load_model(str(model))
    assert loaded.drawn == () and "_orig_mod." in loaded.notes[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_in_full(model: Path, dtype: torch.dtype) -> None:
    before = {name: tensor.to(dtype) for name, tensor in tensors(model).items()}
    put(model, before)
    loaded = load_model(str(model)).model.state_dict()
    assert all(torch.equal(loaded[name], before[name].float()) for name in before)


def headless(folder: Path) -> None:
    AutoModel.from_pretrained(folder).save_pretrained(folder)


def an_electra_discriminator(folder: Path) -> None:
    ElectraForPreTraining(ElectraConfig(**SIZES, embedding_size=16)).save_pretrained(folder)


def a_deberta_of_version_3(folder: Path) -> None:
    DebertaV2Model(DebertaV2Config(**SIZES)).save_pretrained(folder)
    prefixed = {f"deberta.{name}": tensor for name, tensor in tensors(folder).items()}
    put(folder, prefixed | {"mask_predictions.dense.weight": torch.zeros(4, 4)})


@pytest.mark.parametrize("make", [headless, an_electra_discriminator, a_deberta_of_version_3])
def test_a_missing_head_is_drawn_from_the_seed_alone(
    model: Path, bert: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(model)
    torch.manual_seed(1)
    first = load_model(str(model), seed=7)
    torch.rand(100)
    load_model(str(bert))
    state = torch.random.get_rng_state()
    again = load_model(str(model), seed=7)
    assert torch.equal(torch.random.get_rng_state(), state), "the random numbers of others were used up"
    other = load_model(str(model), seed=8)

    assert first.drawn and first.drawn == again.drawn
    assert first.drawn[0] in first.notes[0] and "seed 7" in first.notes[0]
    one, two, three = (loaded.model.state_dict() for loaded in (first, again, other))
    assert all(torch.equal(one[name], two[name]) for name in one)
    differing = {name for name in one if not torch.equal(one[name], three[name])}
    assert differing and differing <= set(first.drawn)

    first.model.save_pretrained(tmp_path / "saved")
    with safe_open(tmp_path / "saved" / "model.safetensors", "pt") as saved:
        assert set(saved.keys()) <= set(one), "saved by other names than its kind has"
    kept = load_model(str(tmp_path / "saved"))
    assert kept.drawn == ()
    assert all(torch.equal(one[name], tensor) for name, tensor in kept.model.state_dict().items())


def test_layers_that_the_configuration_leaves_out_are_told(model: Path) -> None:
    configure(model, num_hidden_layers=1)
    (note,) = load_model(str(model)).notes
    assert "weights for 1 more layers than its config.json describes (bert.encoder.layer.1)" in note


@pytest.mark.parametrize("layers", [0, -1])
def test_a_model_without_layers_is_refused(model: Path, layers: int) -> None:
    configure(model, num_hidden_layers=layers)
    with pytest.raises(ModelError, match="num_hidden_layers"):
        load_model(str(model))


def test_a_configuration_that_contradicts_itself_is_told_in_words_of_ours(model: Path) -> None:
    configure(model, num_attention_heads=3)
    with pytest.raises(ModelError, match=r"cannot be built from its config\.json: its values contradict"):
        load_model(str(model))
