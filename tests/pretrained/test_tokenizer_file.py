"""The folder's tokenizer.json decides, whatever class its configuration names: for every masked-LM family."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES, tokenizer_class_from_name

from workbench.corpus.tokenizing import DocumentTokenizer
from workbench.errors import ModelError
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.pretrained.tokenizer_file import around, differences

SCRIPTS = (
    "The heart's left ventricle, re-examined in 1998, beats steadily; naïve café Übergröße.",
    "क्या आप हिन्दी में लिख सकते हैं",
    "医生检查了病人的心脏并且记录了所有的结果。",
    "ガラスのパンダがバナナをたべました",
    "แพทย์ตรวจหัวใจของผู้ป่วยและบันทึกผลทั้งหมด",
    "의사가 환자의 심장을 진찰했다",
    "Врач осмотрел сердце пациента",
    "طبيب فحص قلب المريض",
    "Ο γιατρός εξέτασε την καρδιά",
    "😀👩‍👩‍👧 x²+y²=½ <mask> [MASK] </s>\t tab\n line",
)
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


@cache
def mixed(size: int = 1_000_000) -> tuple[str, ...]:
    """Documents of all the scripts, `size` bytes together."""
    draw, documents, written = random.Random(5), [], 0
    parts = [part for text in SCRIPTS for part in text.split(" ")]
    while written < size:
        documents.append(" ".join(draw.choices(parts, k=draw.randint(1, 400))))
        written += len(documents[-1].encode())
    return tuple(documents)


@cache
def backend(kind: str) -> str:
    """A tokenizer of that algorithm, with a normalizer and a pre-tokenizer that no class builds by itself."""
    learnt_from, special = mixed(60_000), BERT if kind == "WordPiece" else ROBERTA
    if kind == "WordPiece":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=False, handle_chinese_chars=False)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        trainer: Any = trainers.WordPieceTrainer(vocab_size=900, special_tokens=[*special])
    elif kind == "Unigram":
        made = tokenizers.Tokenizer(models.Unigram())
        made.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.NFKC()])
        made.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Digits(individual_digits=True)]
        )
        made.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=[*special], unk_token="<unk>")
    else:
        made = tokenizers.Tokenizer(models.BPE())
        made.normalizer = normalizers.Lowercase()
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=[*special], initial_alphabet=alphabet)
    made.train_from_iterator(learnt_from, trainer)
    begin, end = (special[2], special[3]) if special is BERT else (special[0], special[2])
    made.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        special_tokens=[(token, made.token_to_id(token)) for token in (begin, end)],
    )
    return made.to_str()


def write(folder: Path, kind: str, family: str, named: str | None) -> Path:
    """A model folder as far as a tokenizer looks at it, whose configuration names a class."""
    made = tokenizers.Tokenizer.from_str(backend(kind))
    if kind == "WordPiece":
        roles = dict(zip(("pad", "unk", "cls", "sep", "mask"), BERT, strict=True))
    else:
        roles = {"cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    names = {f"{role}_token": token for role, token in roles.items()}
    PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=64, **names).save_pretrained(folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["tokenizer_class"] = named or "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"model_type": family}))
    (folder / "model.safetensors").touch()
    return folder


def families() -> list[tuple[str, str | None, str]]:
    """Model type, the class that transformers has for it, and the algorithm that this class builds."""
    found = []
    for config in sorted(MODEL_FOR_MASKED_LM_MAPPING, key=lambda config: config.model_type):
        name = TOKENIZER_MAPPING_NAMES.get(config.model_type)
        made = tokenizer_class_from_name(name) if name else None
        algorithm = getattr(getattr(made, "model", None), "__name__", None) or "BPE"
        found.append((config.model_type, name, algorithm))
    return found


def same_as_the_file(folder: Path) -> list[str]:
    told: list[str] = []
    tokenizer = load_tokenizer(str(folder), tell=told.append)
    own = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.no_truncation()
    own.no_padding()
    documents = list(mixed())
    found = DocumentTokenizer(tokenizer)(documents)
    expected = [encoding.ids for encoding in own.encode_batch_fast(documents)]
    assert found.lengths.tolist() == [len(ids) for ids in expected]
    assert found.ids.tolist() == [number for ids in expected for number in ids]
    return told


@pytest.mark.parametrize(("family", "named", "kind"), families(), ids=lambda value: str(value))
def test_tokens_are_those_of_the_file(family: str, named: str | None, kind: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", kind, family, named)
    same_as_the_file(folder)
    # and what is saved with a checkpoint gives them again
    tokenizer = load_tokenizer(str(folder))
    saved = tmp_path / "saved"
    tokenizer.save_pretrained(saved)
    for name in ("config.json", "model.safetensors"):
        (saved / name).write_bytes((folder / name).read_bytes())
    again = load_tokenizer(str(saved))
    probe = [text[:500] for text in mixed()[:20]]
    assert DocumentTokenizer(again)(probe).ids.tolist() == DocumentTokenizer(tokenizer)(probe).ids.tolist()
    assert again.mask_token == tokenizer.mask_token


def test_the_difference_is_said(tmp_path: Path) -> None:
    told: list[str] = []
    load_tokenizer(str(write(tmp_path, "BPE", "roberta", "RobertaTokenizerFast")), tell=told.append)
    assert len(told) == 1
    assert "RobertaTokenizer" in told[0] and "normalizer" in told[0] and "tokenizer.json" in told[0]


def test_where_there_is_none_nothing_is_said() -> None:
    told: list[str] = []
    assert type(load_tokenizer("starter", tell=told.append)).__name__ == "BertTokenizer"
    assert told == []


def test_special_tokens_around_a_text_are_read_without_a_text() -> None:
    letters = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3, "Q": 4}
    for model in (models.BPE(vocab=letters, merges=[]), models.WordLevel(letters)):
        made = tokenizers.Tokenizer(model)
        assert around(made) == ([], [])
        made.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
        made.enable_truncation(2)
        made.enable_padding(length=9)
        assert around(made) == ([1], [2])
        assert made.truncation is not None and made.padding is not None
    assert differences(made, tokenizers.Tokenizer(models.WordLevel(letters))) == [
        "special tokens around a text"
    ]


def test_a_folder_without_a_tokenizer_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path, "BPE", "roberta", "RobertaTokenizer")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
        with pytest.raises(ModelError, match="holds no tokenizer"):
            load_tokenizer(str(folder))


def test_a_mask_token_that_is_not_declared_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, "BPE", "modernbert", None)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["mask_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r'declares no mask token.*"mask_token": "<mask>"'):
        load_tokenizer(str(folder))
