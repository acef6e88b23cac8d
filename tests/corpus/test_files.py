"""Local files, good and bad: each fault has a message that names the file and says what to do."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.conftest import Heard
from workbench.corpus.files import LocalFiles, is_local
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

ARTICLES = ["First article, with a comma.", 'Second: "quoted"\nover two lines.', "Third, naïve ☃."]


def read(dataset: str | Path, column: str | None, scratch: Path, heard: Heard | None = None) -> list[str]:
    scratch.mkdir(exist_ok=True)
    documents = LocalFiles(str(dataset), column).read(scratch, Notes(heard if heard is not None else Heard()))
    return documents.texts(np.arange(len(documents)))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def write_jsonl(path: Path) -> None:
    rows = ({"id": n, "body": text, "tags": ["a"]} for n, text in enumerate(ARTICLES))
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")


def write_csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        table.writerows([["id", "body"], *enumerate(ARTICLES)])


def write_parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": range(3), "body": ARTICLES}), path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.jsonl": write_jsonl,
    "a.csv": write_csv,
    "a.tsv": write_csv,
    "a.parquet": write_parquet,
}


@pytest.mark.parametrize("column", ["body", None])
@pytest.mark.parametrize("name", WRITERS)
def test_tables_are_read_by_column(tmp_path, scratch, name, column) -> None:
    WRITERS[name](tmp_path / name)
    heard = Heard()
    assert read(tmp_path / name, column, scratch, heard) == ARTICLES
    guesses = [text for text in heard.texts if "guessed" in text]
    assert bool(guesses) == (column is None)
    assert all("Text column: body" in guess for guess in guesses)


@pytest.mark.parametrize("name", WRITERS)
def test_a_column_that_is_not_there_names_those_that_are(tmp_path, scratch, name) -> None:
    WRITERS[name](tmp_path / name)
    with pytest.raises(CorpusError, match=r"no column 'document' in .*Columns: id, body"):
        read(tmp_path / name, "document", scratch)


def test_a_usual_name_is_guessed_before_a_longer_column(tmp_path, scratch) -> None:
    (tmp_path / "a.csv").write_text("comment,text\na much longer remark here,short\nanother remark,words\n")
    assert read(tmp_path / "a.csv", None, scratch) == ["short", "words"]


def test_one_text_file_has_a_document_a_line(tmp_path, scratch) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffone\r\ntwo\n\nnaïve".encode())
    heard = Heard()
    assert read(tmp_path / "a.txt", "ignored", scratch, heard) == ["one", "two", "", "naïve"]
    assert heard.texts == ["a.txt: each line is a document; lines: 4."]


def test_several_text_files_are_a_document_each_in_order_of_name(tmp_path, scratch) -> None:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "b.txt").write_text("second\nline")
    (folder / "a.TXT").write_text("first")
    (folder / "deep" / "c.txt").write_text("third")
    (folder / ".hidden" / "d.txt").write_text("not this")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    assert read(folder, None, scratch) == ["first", "second\nline", "third"]
    assert read(folder / "*.txt", None, scratch) == ["second", "line"]
    assert read(f"{folder}/**/*.txt", None, scratch) == ["second\nline", "third"]


def test_rows_without_text_are_kept_as_empty(tmp_path, scratch) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": null}\n{}\n{"text": ""}\n{"text": "two"}\n')
    assert read(tmp_path / "a.jsonl", "text", scratch) == ["one", "", "", "", "two"]


def test_half_a_character_of_json_does_no_harm(tmp_path, scratch) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "lone \\ud800 half"}\n')
    assert read(tmp_path / "a.jsonl", "text", scratch) == ["lone ? half"]


def test_a_field_may_be_longer_than_csvs_own_limit(tmp_path, scratch) -> None:
    (tmp_path / "a.csv").write_text("text\n" + "word " * 50_000 + "\n")
    assert len(read(tmp_path / "a.csv", "text", scratch)[0]) == 250_000


BAD = {
    "missing.txt": (None, r"no file or folder .*missing\.txt"),
    "empty.txt": (b"", r"empty\.txt is empty"),
    "zeros.txt": (b"text\n" + bytes(100), r"zeros\.txt is binary, not text \(line 2\)"),
    "packed.txt": (gzip.compress(os.urandom(500), mtime=0), r"packed\.txt is binary"),
    "latin.txt": (
        "one\ncafé au lait\n".encode("latin1"),
        r"latin\.txt is not UTF-8 text: byte 0xe9 in line 2.*iconv",
    ),
    "wide.txt": ("one\n".encode("utf-16"), r"wide\.txt is UTF-16.*iconv"),
    "letter.docx": (b"PK", r"letter\.docx is not a kind.*\.txt, \.jsonl, \.csv and \.parquet"),
    "broken.jsonl": (b'{"text": "a"}\n{"text": \n', r"broken\.jsonl, line 2 is not JSON"),
    "list.json": (b'[{"text": "a"}]', r"list\.json, line 1 is a JSON list, not an object"),
    "numbers.csv": (b"id,price\n1,2.5\n", r"No column of .*numbers\.csv holds text\. Columns: id, price"),
    "header.csv": (b"id,text\n", r"header\.csv holds no rows"),
    "latin.csv": ("text\ncafé\n".encode("latin1"), r"latin\.csv is not UTF-8 text: byte 0xe9 in line 2"),
    "not.parquet": (b"this is no Parquet", r"not\.parquet is not a Parquet file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_said_with_what_to_do(tmp_path, scratch, name) -> None:
    content, message = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path / name, None, scratch)
    assert caught.value.hint


def test_a_column_of_numbers_is_not_text(tmp_path, scratch) -> None:
    pq.write_table(pa.table({"n": [1, 2], "blob": [b"a", b"b"]}), tmp_path / "a.parquet")
    with pytest.raises(CorpusError, match=r"'n' of .* holds int, not text"):
        read(tmp_path / "a.parquet", "n", scratch)
    with pytest.raises(CorpusError, match="Columns: n, blob"):
        read(tmp_path / "a.parquet", None, scratch)


def test_a_parquet_file_cut_short_is_refused(tmp_path, scratch) -> None:
    write_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:-20])
    with pytest.raises(CorpusError, match=r"a\.parquet is not a Parquet file"):
        read(tmp_path / "a.parquet", "body", scratch)


def test_a_folder_of_several_kinds_asks_for_one(tmp_path, scratch) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.csv").write_text("text\none")
    with pytest.raises(CorpusError, match=r"several kinds: \.csv, \.txt.*\*\.csv"):
        read(tmp_path, None, scratch)


def test_a_folder_without_text_says_what_is_readable(tmp_path, scratch) -> None:
    with pytest.raises(CorpusError, match=r"holds no files to read.*\.parquet"):
        read(tmp_path, None, scratch)


def test_files_of_one_set_must_share_the_column(tmp_path, scratch) -> None:
    (tmp_path / "a.csv").write_text("text\none\n")
    (tmp_path / "b.csv").write_text("words\ntwo\n")
    with pytest.raises(CorpusError, match=r"no column 'text' in .*b\.csv"):
        read(tmp_path, None, scratch)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path, scratch) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(CorpusError, match="Permission denied"):
        read(tmp_path / "a.txt", None, scratch)


@pytest.mark.parametrize("name", ["x.txt", "./x", "/x", "~/x", "*.csv", "a/b/c", "data.parquet"])
def test_paths_are_not_asked_of_the_hub(name) -> None:
    assert is_local(name)


@pytest.mark.parametrize("name", ["EdinburghNLP/xsum", "imdb", "user/set.v2"])
def test_hub_ids_are_not_paths(name) -> None:
    assert not is_local(name)


def test_a_folder_here_goes_before_the_hub(tmp_path, monkeypatch) -> None:
    (tmp_path / "imdb").mkdir()
    monkeypatch.chdir(tmp_path)
    assert is_local("imdb")


def test_the_identity_changes_with_the_file(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    notes = Notes(Heard())
    before = LocalFiles(str(path), None).identity(notes)
    assert LocalFiles(str(path), "any").identity(notes) == before
    path.write_text("one\nsix\n")
    os.utime(path, ns=(1, before["files"][0][2] + 1))
    assert LocalFiles(str(path), None).identity(notes) != before
