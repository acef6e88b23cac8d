"""What every side trains on: the same text, the same chunks, the same models, laid in one folder.

    text-x1.jsonl …      the documents of python-docs, that many times over, one {"text": …} a line
    models/tiny          BERT-tiny, the starter's real weights
    models/distilbert    full-size DistilBERT from its configuration, random weights
    chunks/              the training chunks as an Arrow data set (what the other sides read)
    cache/               this project's own cache of prepared text

Built by a process of its own (`python -m bench.workload FOLDER`), so that the parent stays small.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CHUNK_SIZE = 128
MASK_PROB = 0.15
TEXT_COPIES = 10
"""Copies of the text that the speed is measured on: enough steps before an epoch ends."""
TEST_DOCUMENTS = 8
SEED = 42


def text_file(folder: Path, copies: int) -> Path:
    """The text `copies` times over; written when it is not there yet."""
    path = folder / f"text-x{copies}.jsonl"
    if not path.exists():
        once = (folder / "text-x1.jsonl").read_bytes()
        with path.open("wb") as file:
            for _ in range(copies):
                file.write(once)
    return path


def model_folder(folder: Path, model: str) -> Path:
    return folder / "models" / model


def recipe_values(folder: Path, model: str, batch_size: int, copies: int = TEXT_COPIES) -> dict[str, Any]:
    """The recipe of the speed measurements, for this project's engine; the other sides read the same keys."""
    return {
        "model": str(model_folder(folder, model)),
        "dataset": str(text_file(folder, copies)),
        "text_column": "text",
        "train_size": None,
        "test_size": TEST_DOCUMENTS,
        "chunk_size": CHUNK_SIZE,
        "mask_prob": MASK_PROB,
        "batch_size": batch_size,
        "learning_rate": 5e-5,
        "epochs": 1_000,
        "seed": SEED,
    }


def build(folder: Path) -> None:
    """Write whatever of the workload is not there yet."""
    _write_text(folder / "text-x1.jsonl")
    _write_models(folder)
    _write_chunks(folder)


def _write_text(path: Path) -> None:
    if path.exists():
        return
    import numpy as np

    from workbench.corpus.notes import Notes
    from workbench.corpus.python_docs import PythonDocs

    documents = PythonDocs().read(path.parent, Notes(lambda event: None))
    with path.open("w", encoding="utf-8") as file:
        for text in documents.texts(np.arange(len(documents))):
            file.write(json.dumps({"text": text}) + "\n")


def _tokenizer(folder: Path) -> Any:
    """The starter's tokenizer; where the starter is not installed, one of its kind learnt from the text."""
    from workbench.errors import ModelError
    from workbench.pretrained.tokenizer import load_tokenizer

    try:
        return load_tokenizer("starter", None)
    except ModelError:
        return _learn_tokenizer(folder / "text-x1.jsonl")


def _learn_tokenizer(text: Path) -> Any:
    import tokenizers
    from transformers import BertTokenizerFast

    learner = tokenizers.BertWordPieceTokenizer(lowercase=True)
    texts = (json.loads(line)["text"] for line in text.open(encoding="utf-8"))
    learner.train_from_iterator(texts, vocab_size=30_522, show_progress=False)
    return BertTokenizerFast(tokenizer_object=learner._tokenizer, model_max_length=512)


def _write_models(folder: Path) -> None:
    import shutil

    import torch
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    from workbench.errors import ModelError
    from workbench.pretrained.starter import starter_folder

    tiny, distilbert = model_folder(folder, "tiny"), model_folder(folder, "distilbert")
    if not tiny.exists():
        try:
            shutil.copytree(starter_folder(), tiny)
        except ModelError:
            print("The starter is not installed: BERT-tiny is left out.", file=sys.stderr)
    if not distilbert.exists():
        torch.manual_seed(0)
        DistilBertForMaskedLM(DistilBertConfig()).save_pretrained(distilbert)
        _tokenizer(folder).save_pretrained(distilbert)


def _write_chunks(folder: Path) -> None:
    """This project's own chunks of the training side, as the data set that the other sides read."""
    path = folder / "chunks"
    if path.exists():
        return
    import numpy as np

    from workbench.corpus import prepare_corpus
    from workbench.pretrained.tokenizer import load_tokenizer
    from workbench.recipe import Recipe

    tokenizer = load_tokenizer(str(model_folder(folder, "distilbert")), None)
    recipe = Recipe.parse(recipe_values(folder, "distilbert", batch_size=64))
    corpus = prepare_corpus(
        recipe, tokenizer, max_chunk=None, cache=folder / "cache", listen=lambda event: None
    )
    ids = np.array(corpus.train.ids, dtype=np.int64)
    path.mkdir()
    np.save(path / "ids.npy", ids)
    try:
        import datasets
    except ImportError:
        return
    columns = {"input_ids": list(ids), "attention_mask": list(np.ones_like(ids))}
    datasets.Dataset.from_dict(columns).save_to_disk(path / "arrow")


def load_chunks(folder: Path) -> Any:
    """The training chunks as a data set of {"input_ids", "attention_mask"}: rows of Python lists."""
    arrow = folder / "chunks" / "arrow"
    if arrow.exists():
        import datasets

        return datasets.load_from_disk(arrow)
    import numpy as np

    mask = [1] * CHUNK_SIZE
    return [{"input_ids": row, "attention_mask": mask} for row in np.load(arrow.parent / "ids.npy").tolist()]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
    print("{}")
