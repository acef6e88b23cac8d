"""Data sets that save_to_disk wrote: the text column is found as in files, and what is done is told."""

from __future__ import annotations

import datasets
import numpy as np
import pytest

from tests.corpus.conftest import Heard
from workbench.corpus.notes import Notes
from workbench.corpus.saved import SavedDataset
from workbench.errors import CorpusError


def read(folder, column=None) -> tuple[list[str], str]:
    heard = Heard()
    notes = Notes(heard)
    found = SavedDataset(str(folder), "train", column).read(folder, notes)
    rows = np.arange(len(found))
    texts = found.texts(rows)
    assert found.texts(rows) == texts
    notes.tell_counts()
    return texts, " ".join(heard.texts)


def saved(folder, columns) -> None:
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(columns).save_to_disk(str(folder))


def test_a_column_that_begins_with_nulls_is_found(tmp_path) -> None:
    saved(tmp_path, {"text": [None] * 150 + ["real text"] * 3, "other": ["words of another column"] * 153})
    texts, notes = read(tmp_path)
    assert texts[-1] == "real text"
    assert f"Rows without text in the column 'text': 150. First: {tmp_path}, row 1." in notes


def test_text_inside_objects_and_lists_is_read_and_counted_once(tmp_path) -> None:
    saved(tmp_path, {"meta": [{"text": "a b"}, {"text": None}], "words": [["c", "d"], ["e"]]})
    assert read(tmp_path, "meta.text")[0] == ["a b", ""]
    texts, notes = read(tmp_path, "words")
    assert texts == ["c\nd", "e"]
    assert "joined to one text with a line per part: 2. First" in notes


def test_damage_is_told_in_words_of_ours(tmp_path) -> None:
    saved(tmp_path, {"text": ["a", "b"]})
    for path in tmp_path.glob("*.arrow"):
        path.write_bytes(b"damaged")
    with pytest.raises(CorpusError, match="its files are damaged or incomplete"):
        read(tmp_path)
