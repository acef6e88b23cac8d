"""Masked language models of every kind of tokenizer: special tokens, words, masks, some steps of training.

Each is tiny, with random weights; its tokenizer is learnt here with the algorithm that its family uses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedTokenizerFast

from tests.corpus.conftest import recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.masking import Masker
from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.corpus.vocabulary import Vocabulary
from workbench.pretrained.model import load_model, usable_positions
from workbench.pretrained.tokenizer import load_tokenizer

TEXT = [
    f"The unbelievable heart number {n} beats steadily, and the valve opens {n % 7} times."
    for n in range(120)
]
PROTEINS = ["".join("ACDEFGHIKLMNPQRSTVWY"[(n * k + k * k) % 20] for k in range(3, 60)) for n in range(120)]
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ALBERT = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
ESM = ("<cls>", "<pad>", "<eos>", "<unk>", "<mask>")


def word_piece(special: tuple[str, ...]) -> tokenizers.Tokenizer:
    learner = tokenizers.BertWordPieceTokenizer(lowercase=True)
    learner.train_from_iterator(TEXT, vocab_size=200, special_tokens=list(special), show_progress=False)
    return learner._tokenizer


def byte_pairs(special: tuple[str, ...]) -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        TEXT, trainers.BpeTrainer(vocab_size=400, special_tokens=list(special), initial_alphabet=alphabet)
    )
    return made


def unigram(special: tuple[str, ...]) -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    unknown = next(token for token in special if "unk" in token.lower())
    made.train_from_iterator(
        TEXT, trainers.UnigramTrainer(vocab_size=120, special_tokens=list(special), unk_token=unknown)
    )
    return made


def letters(special: tuple[str, ...]) -> tokenizers.Tokenizer:
    tokens = [*special, *"ACDEFGHIKLMNPQRSTVWY"]
    made = tokenizers.Tokenizer(models.WordLevel({t: n for n, t in enumerate(tokens)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return made


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
FAMILIES: dict[str, tuple[Callable[..., tokenizers.Tokenizer], tuple[str, ...], dict[str, Any]]] = {
    "bert": (word_piece, BERT, {}),
    "electra": (word_piece, BERT, {"embedding_size": 32}),
    "mpnet": (word_piece, BERT, {}),
    "roberta": (byte_pairs, ROBERTA, {}),
    "modernbert": (byte_pairs, BERT, {}),
    "xlm-roberta": (unigram, ROBERTA, {}),
    "albert": (unigram, ALBERT, {"embedding_size": 16}),
    "deberta-v2": (unigram, BERT, {}),
    "esm": (letters, ESM, {"position_embedding_type": "rotary", "token_dropout": False}),
}


def make(family: str, folder: Path) -> Path:
    """A folder as `from_pretrained` takes it."""
    kind, special, more = FAMILIES[family]
    backend = kind(special)
    named = {
        role: next(token for token in special if token.strip("<>[]").lower() in names)
        for role, names in {
            "pad_token": ("pad",),
            "unk_token": ("unk",),
            "cls_token": ("cls", "s"),
            "sep_token": ("sep", "/s", "eos"),
            "mask_token": ("mask",),
        }.items()
    }
    begin, end = named["cls_token"], named["sep_token"]
    around = [(token, backend.token_to_id(token)) for token in (begin, end)]
    backend.post_processor = processors.TemplateProcessing(single=f"{begin} $A {end}", special_tokens=around)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, **named)
    tokenizer.save_pretrained(folder)
    config = AutoConfig.for_model(
        family,
        **{**SMALL, **more},
        vocab_size=len(tokenizer),
        max_position_embeddings=70,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_family_is_tokenized_masked_and_trained(family: str, tmp_path: Path) -> None:
    folder = make(family, tmp_path / "model")
    texts = PROTEINS if family == "esm" else TEXT
    (tmp_path / "text.txt").write_text("\n".join(texts))
    tokenizer, loaded = load_tokenizer(str(folder)), load_model(str(folder))
    assert loaded.notes == ()
    limit = usable_positions(loaded.model.config)
    corpus = prepare_corpus(
        recipe_for(tmp_path / "text.txt"),
        tokenizer,
        max_chunk=limit,
        cache=tmp_path / "cache",
        listen=lambda event: None,
    )
    assert corpus.train.documents + corpus.test.documents == len(texts)
    vocabulary = Vocabulary.from_tokenizer(tokenizer, loaded.model.config.vocab_size)
    assert vocabulary.mask_id == tokenizer.convert_tokens_to_ids(tokenizer.mask_token)

    masker = Masker(vocabulary, mask_prob=0.3, seed=1)
    ids = torch.from_numpy(corpus.train.ids[:16].astype(np.int64))
    starts = torch.from_numpy(corpus.train.word_starts[:16].astype(np.int64))
    masked = masker(ids, torch.arange(16), 0, starts)
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    optimizer = torch.optim.AdamW(loaded.model.parameters(), 5e-3)
    losses = []
    loaded.model.train()
    for _ in range(12):
        output = loaded.model(input_ids=masked.input_ids, labels=masked.labels)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(output.loss.detach()))
    assert not (special & (masked.labels != -100)).any()
    assert losses[-1] < losses[0]


def test_words_begin_where_a_person_would_say(family: str, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(make(family, tmp_path)))
    text = "ACDEF" if family == "esm" else "The unbelievable valve opens"
    found = DocumentTokenizer(tokenizer)([text])
    pieces, words = tokenizer.convert_ids_to_tokens(found.ids.tolist()), []
    for piece, start in zip(pieces, found.word_starts, strict=True):
        bare = piece.removeprefix("##").lstrip("\u0120\u2581").lower()
        words += [bare] if start else []
        if not start:
            words[-1] += bare
    expected = text.lower().split() if family != "esm" else list(text.lower())
    assert [word for word in words if word][1:-1] == expected
    assert pieces[0] == tokenizer.cls_token
    assert pieces[-1] == tokenizer.sep_token
