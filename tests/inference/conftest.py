"""Models to ask: the starter, and small random ones of other families, made here with their tokenizers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

from workbench.inference.filler import Filler

TEXT = [
    "The capital of France is Paris, walking and talking.",
    "A café in Zürich is naïve. 東京 is here.",
] * 20
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


@pytest.fixture(scope="session")
def starter() -> Filler:
    return Filler.load("starter")


def save_roberta(folder: Path, *, kind: str, mask_takes_space: bool = True) -> Path:
    """A random two-layer RoBERTa with a tokenizer of `kind` "byte-level" or "metaspace", trained on TEXT."""
    special = [*SPECIAL, AddedToken("<mask>", lstrip=mask_takes_space, special=True)]
    if kind == "byte-level":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
        tokenizer.train_from_iterator(TEXT, trainer)
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>")
        tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=mask_takes_space, special=True),
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(fast) + 5,  # more rows than tokens, as when a vocabulary is padded for speed
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=42,
        pad_token_id=1,
    )
    RobertaForMaskedLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def byte_level_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_roberta(tmp_path_factory.mktemp("byte-level"), kind="byte-level")


@pytest.fixture(scope="session")
def byte_level(byte_level_folder: Path) -> Filler:
    return Filler.load(str(byte_level_folder))


@pytest.fixture(scope="session")
def metaspace(tmp_path_factory: pytest.TempPathFactory) -> Filler:
    return Filler.load(str(save_roberta(tmp_path_factory.mktemp("metaspace"), kind="metaspace")))


@pytest.fixture(scope="session")
def open_mask(tmp_path_factory: pytest.TempPathFactory) -> Filler:
    """A tokenizer whose mask leaves the space before it to the text."""
    folder = tmp_path_factory.mktemp("open-mask")
    return Filler.load(str(save_roberta(folder, kind="byte-level", mask_takes_space=False)))
