"""What a text is made of, counted by hand beside it; data sets saved to disk; `inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest

from tests.corpus.conftest import recipe_for
from workbench.cli import main
from workbench.corpus import prepare_corpus
from workbench.corpus.statistics import statistics
from workbench.errors import CorpusError

TEXTS = [f"text {n} has words " + "and more " * (n % 5) + "\u2603" * (n % 3 == 0) for n in range(50)]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    rows = datasets.Dataset.from_dict({"id": list(range(50)), "body": TEXTS})
    datasets.DatasetDict({"train": rows, "dev": rows.select(range(5))}).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_the_figures_are_those_of_the_text(saved, tokenizer, tmp_path) -> None:
    corpus = prepare_corpus(
        recipe_for(saved), tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=lambda event: None
    )
    found = statistics(corpus, tokenizer)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    assert (found.train.documents, found.test.documents, found.text_column) == (40, 10, "body")
    assert found.train.tokens + found.test.tokens == sum(map(len, ids))
    assert found.train.chunks == found.train.tokens // 16
    assert found.train.dropped_tokens == found.train.tokens % 16
    assert max(found.train.longest, found.test.longest) == max(map(len, ids))
    assert found.unknown_rate > 0
    assert sum(count for _, _, count in found.lengths) == 50
    for begin, end, count in found.lengths:
        assert count == sum(begin <= len(one) < end for one in ids)


def test_a_split_that_was_not_saved_names_those_that_were(saved, tokenizer, tmp_path) -> None:
    with pytest.raises(CorpusError, match=r"no split 'test'\. Splits: train, dev"):
        prepare_corpus(
            recipe_for(saved, dataset_split="test"),
            tokenizer,
            max_chunk=512,
            cache=tmp_path / "cache",
            listen=lambda event: None,
        )


def test_inspect_prints_the_figures(saved, capsys) -> None:
    assert main(["inspect", str(saved), "--chunk-size", "16", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["train"]["documents"] == 40
    assert printed["text_column"] == "body"
    assert main(["inspect", str(saved), "--chunk-size", "16"]) == 0
    out, err = capsys.readouterr()
    assert "chunks of 16" in out
    assert "Text column: body, guessed from id, body." in err
    assert main(["inspect", "no-such.txt"]) == 1
    assert "no file or folder no-such.txt" in capsys.readouterr().err
