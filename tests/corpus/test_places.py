"""Every document that is named has its file and its line: also behind blank lines and in archives."""

from __future__ import annotations

import io
import json
import mailbox
import zipfile
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import prepare_corpus
from workbench.corpus.documents import SPOOL, Documents, SpooledDocuments
from workbench.corpus.files import LocalFiles
from workbench.corpus.look import look_at
from workbench.corpus.notes import Notes


def documents(dataset: Path, scratch: Path, unit: str = "auto") -> Documents:
    scratch.mkdir(exist_ok=True)
    return LocalFiles(str(dataset), None, unit).read(scratch, Notes(Heard()))


def places(found: Documents) -> list[str]:
    texts = found.texts(np.arange(len(found)))
    return [found.place(row) for row, text in enumerate(texts) if text.strip()]


def test_lines_of_several_files(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    (tmp_path / "b.txt").write_text("three\nfour\n")
    found = documents(tmp_path, tmp_path / ".scratch", "line")
    assert places(found) == ["a.txt, line 1", "a.txt, line 3", "b.txt, line 1", "b.txt, line 2"]
    assert places(documents(tmp_path, tmp_path / ".scratch", "file")) == ["a.txt", "b.txt"]


def test_blocks_begin_at_their_first_line(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\none\nmore\n\n\ntwo\nlast")
    found = documents(path, tmp_path / ".scratch", "paragraph")
    assert places(found) == ["a.txt, line 3", "a.txt, line 7"]


@pytest.mark.parametrize(
    ("name", "content", "numbers"),
    [
        ("a.csv", 'id,text\n1,one\n\n2,"two\nlines"\n3,three\n', [2, 4, 6]),
        ("a.json", json.dumps([{"text": "one"}, {"text": "two"}, {"text": "three"}], indent=1), [2, 5, 8]),
        ("a.jsonl", '{"text": "one"}\n{"text": null}\n{"text": "three"}\n', [1, 3]),
    ],
)
def test_rows_of_tables(tmp_path, name, content, numbers) -> None:
    path = tmp_path / name
    path.write_text(content)
    found = documents(path, tmp_path / ".scratch")
    assert places(found) == [f"{name}, line {number}" for number in numbers]


def test_messages_and_files_in_archives(tmp_path) -> None:
    box = mailbox.mbox(tmp_path / "a.mbox")
    for text in ("one", "two"):
        mail = EmailMessage()
        mail.set_content(text)
        box.add(mail)
    box.close()
    path = tmp_path / "a.mbox"
    assert places(documents(path, tmp_path / ".scratch")) == ["a.mbox, message 1", "a.mbox, message 2"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("d/x.jsonl", '{"text": "one"}\n{"text": "two"}\n')
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    found = documents(tmp_path / "a.zip", tmp_path / ".scratch")
    assert places(found) == [f"a.zip/d/x.jsonl, line {number}" for number in (1, 2)]


def test_what_is_reopened_knows_them_too(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n\n{"text": "two"}\n')
    found = documents(tmp_path / "a.jsonl", tmp_path / ".scratch")
    assert isinstance(found, SpooledDocuments)
    found.keep()
    again = SpooledDocuments.reopen(tmp_path / ".scratch" / SPOOL)
    assert again is not None and places(again) == places(found)


def test_copies_unknown_and_short_documents_are_named_by_file_and_line(tmp_path, tokenizer) -> None:
    path = tmp_path / "a.csv"
    texts = [f"This is document number {n} with {n * n} words and no more" for n in range(60)]
    texts[40], texts[50], texts[30] = texts[7], "a few", "☃☃☃ and other characters that nobody knows"
    path.write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)))
    recipe = recipe_for(path, chunk_size=8, min_words=3)
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=None, cache=tmp_path / "c", listen=Heard())
    notes = " ".join(corpus.notes)
    assert "document 8 (a.csv, line 9)" in notes and "document 41 (a.csv, line 42)" in notes
    assert "is '☃☃☃' in document 31 (a.csv, line 32)" in notes
    assert "with fewer than 3 words (min_words). First: document 51 (a.csv, line 52)." in notes
    looked = look_at(documents(path, tmp_path / ".scratch"), Notes(Heard()))
    assert looked.near_empty_examples[0].place == "a.csv, line 52"
