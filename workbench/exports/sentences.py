"""Files that let SentenceTransformer load a model folder: mean pooling over the last hidden states.

The files are those that Sentence Transformers describes for its saved models (sbert.net, "Creating Custom
Models"): modules.json lists the modules, each in a folder of its own, and the first in the folder itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILES = ("modules.json", "sentence_bert_config.json", "1_Pooling")


def write(folder: Path, *, width: int, max_tokens: int | None) -> None:
    """Add the files to a model folder. width: size of a hidden state; max_tokens: the model's limit."""
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    pooling = {
        "word_embedding_dimension": width,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    (folder / "1_Pooling").mkdir()
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", pooling)
    # do_lower_case would apply on top of the tokenizer's own normalizer
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
