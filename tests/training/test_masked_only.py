"""The masked-only head against each family's own forward and loss, for every masked LM there is."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertForMaskedLM, PretrainedConfig, PreTrainedModel

from tests.training.tiny_models import CHUNK_SIZE, VOCABULARY_SIZE, masked_lm_configs, tiny_model
from workbench.errors import ModelError
from workbench.pretrained.model import load_config
from workbench.training import cpu
from workbench.training.masked_only import MaskedLM, fit_head

ENCODER_DECODERS = {"bart", "mbart", "mvp"}
FAMILIES = [config for config in masked_lm_configs() if config.model_type not in ENCODER_DECODERS]


def a_batch() -> tuple[Tensor, Tensor, Tensor]:
    """Token ids (4, chunk_size), labels of the same shape, and the flat positions that are predicted."""
    generator = torch.Generator().manual_seed(1)
    input_ids = torch.randint(10, VOCABULARY_SIZE, (4, CHUNK_SIZE), generator=generator)
    labels = input_ids.masked_fill(torch.rand(input_ids.shape, generator=generator) > 0.3, -100)
    return input_ids, labels, (labels.reshape(-1) != -100).nonzero().squeeze(1)


def gradients(model: nn.Module) -> dict[str, Tensor]:
    parameters = model.named_parameters()
    return {name: p.grad.clone() for name, p in parameters if p.grad is not None and p.numel()}


def own_loss_and_gradients(model: PreTrainedModel) -> tuple[float, dict[str, Tensor]]:
    """By transformers: the model is given labels and computes its mean loss itself."""
    input_ids, labels, _ = a_batch()
    torch.manual_seed(3)
    loss = model(input_ids=input_ids, labels=labels).loss
    loss.backward()
    return float(loss.detach()), gradients(model)


def our_loss_and_gradients(model: PreTrainedModel) -> tuple[float, dict[str, Tensor], str]:
    wrapped, reason = fit_head(model, CHUNK_SIZE)
    input_ids, labels, positions = a_batch()
    torch.manual_seed(3)
    logits = wrapped(input_ids, positions)
    loss = F.cross_entropy(logits, labels.reshape(-1)[positions], reduction="sum") / positions.numel()
    loss.backward()
    return float(loss.detach()), gradients(model), reason


@pytest.mark.parametrize("family", FAMILIES, ids=lambda config: config.model_type)
def test_masked_only_head_gives_the_familys_own_loss_and_gradients(family: type[PretrainedConfig]) -> None:
    model = tiny_model(family)
    expected_loss, expected = own_loss_and_gradients(copy.deepcopy(model))
    loss, found, reason = our_loss_and_gradients(model)
    assert reason == ""
    assert loss == pytest.approx(expected_loss, abs=5e-6)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in expected.items():
        if not gradient.any() and name not in found:
            continue  # a gradient of zeros on one side is no gradient on the other
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=2e-6 * max(1.0, largest)), name


@pytest.mark.parametrize("family", FAMILIES, ids=lambda config: config.model_type)
def test_cpu_attention_gives_the_same_loss_and_gradients(family: type[PretrainedConfig]) -> None:
    model = tiny_model(family)
    expected_loss, expected = own_loss_and_gradients(copy.deepcopy(model))
    cpu.speed_up(model)
    loss, found, _ = our_loss_and_gradients(model)
    assert loss == pytest.approx(expected_loss, abs=5e-6)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name in expected.keys() & found.keys():
        assert torch.allclose(found[name], expected[name], rtol=1e-4, atol=2e-6 * max(1.0, largest)), name


def test_the_cpu_attention_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(BertConfig, dropout=0.1)
    cpu.speed_up(model)
    assert model.config._attn_implementation == cpu.ATTENTION
    assert not any(type(module) is nn.Dropout for module in model.modules())


def test_cpu_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    values = torch.ones(1000, 1001, requires_grad=True)
    dropped = cpu.dropout(values, 0.1)
    kept = dropped != 0
    assert kept.float().mean().item() == pytest.approx(0.9, abs=0.002)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.002)
    assert torch.unique(dropped[kept]).numel() == 1
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())  # the same elements, by the same factor
    torch.manual_seed(0)
    assert torch.equal(cpu.dropout(values, 0.1), dropped)


class _NeedsEveryRow(BertForMaskedLM):
    """A head that mixes positions, as no masked-LM head should: the masked-only path cannot hold for it."""

    def forward(self, input_ids: Tensor, **options: object) -> object:
        hidden = self.bert(input_ids=input_ids).last_hidden_state
        mixed = hidden + hidden.mean(dim=1, keepdim=True)
        from transformers.modeling_outputs import MaskedLMOutput

        return MaskedLMOutput(logits=self.cls(mixed))


def test_a_head_that_mixes_positions_is_found_out_and_trained_with_the_plain_forward() -> None:
    torch.manual_seed(0)
    config = tiny_model(BertConfig).config
    model = _NeedsEveryRow(config).train()
    input_ids, _, positions = a_batch()
    with torch.no_grad():
        expected = model.eval()(input_ids).logits.reshape(-1, VOCABULARY_SIZE)[positions]
    wrapped, reason = fit_head(model.train(), CHUNK_SIZE)
    assert "differ" in reason and not wrapped.masked_only
    with torch.no_grad():
        assert torch.equal(wrapped.eval()(input_ids, positions), expected)


def test_a_model_that_scores_another_number_of_positions_says_which_chunk_size_it_takes() -> None:
    perceiver = next(config for config in FAMILIES if config.model_type == "perceiver")
    with pytest.raises(ModelError, match=f"chunk_size = {CHUNK_SIZE}"):
        fit_head(tiny_model(perceiver), CHUNK_SIZE // 2)


def test_nothing_masked_gives_no_loss_and_no_nan() -> None:
    wrapped, _ = fit_head(tiny_model(BertConfig), CHUNK_SIZE)
    logits = wrapped(a_batch()[0], torch.empty(0, dtype=torch.int64))
    F.cross_entropy(logits, torch.empty(0, dtype=torch.int64), reduction="sum").backward()
    assert all(torch.isfinite(gradient).all() for gradient in gradients(wrapped).values())


def test_the_wrapper_leaves_the_models_own_forward_alone() -> None:
    model = tiny_model(BertConfig).eval()
    input_ids, _, _ = a_batch()
    with torch.no_grad():
        before = model(input_ids).logits
        MaskedLM(model)
        assert torch.equal(model(input_ids).logits, before)


@pytest.mark.parametrize("family", sorted(ENCODER_DECODERS))
def test_encoder_decoders_are_refused(family: str, tmp_path: object) -> None:
    config = next(config for config in masked_lm_configs() if config.model_type == family)
    tiny_model(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="encoder-decoder"):
        load_config(str(tmp_path))
