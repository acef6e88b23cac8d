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
from workbench.events import Progress

ARTICLES = ["First article, with a comma.", 'Second: "quoted"\nover two lines.', "Third, naïve ☃."]


def read(
    dataset: str | Path, column: str | None, scratch: Path, heard: Heard | None = None, unit: str = "auto"
) -> list[str]:
    scratch.mkdir(exist_ok=True)
    documents = LocalFiles(str(dataset), column, unit).read(
        scratch, Notes(heard if heard is not None else Heard())
    )
    return documents.texts(np.arange(len(documents)))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def write_jsonl(path: Path) -> None:
    rows = ({"id": n, "body": text, "tags": ["a"]} for n, text in enumerate(ARTICLES))
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")


def write_csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        table.writerows([["id", "body"], *enumerate(ARTICLES)])


def write_parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": range(3), "body": ARTICLES}), path)


def write_arrow(path: Path) -> None:
    """Arrow's stream format, as the datasets library writes it."""
    table = pa.table({"id": range(3), "body": ARTICLES})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def write_arrow_file(path: Path) -> None:
    """Arrow's file format, as Feather and Polars write it."""
    table = pa.table({"id": range(3), "body": ARTICLES})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def zstd(content: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(content)
    return packed.getvalue().to_pybytes()


def packed(write: Callable[[Path], None], pack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write_packed(path: Path) -> None:
        plain = path.with_suffix("")
        write(plain)
        path.write_bytes(pack(plain.read_bytes()))
        plain.unlink()

    return write_packed


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.jsonl": write_jsonl,
    "a.csv": write_csv,
    "a.tsv": write_csv,
    "a.parquet": write_parquet,
    "a.arrow": write_arrow,
    "file.arrow": write_arrow_file,
    "a.jsonl.gz": packed(write_jsonl, gzip.compress),
    "a.csv.zst": packed(write_csv, zstd),
    "a.TSV.GZ": packed(write_csv, gzip.compress),
    "a.parquet.zst": packed(write_parquet, zstd),
    "a.arrow.gz": packed(write_arrow, gzip.compress),
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


BOOK = "It was broken\nto lines of\n some width.\n\n\nAs books are,\nand mails.\n"


@pytest.mark.parametrize(
    ("unit", "documents"),
    [
        ("auto", ["It was broken\nto lines of\n some width.", "As books are,\nand mails."]),
        ("paragraph", ["It was broken\nto lines of\n some width.", "As books are,\nand mails."]),
        ("line", ["It was broken", "to lines of", " some width.", "", "", "As books are,", "and mails."]),
        ("file", [BOOK.rstrip("\n")]),
    ],
)
def test_what_a_document_is_can_be_said(tmp_path, scratch, unit, documents) -> None:
    (tmp_path / "a.txt").write_text(BOOK)
    heard = Heard()
    assert read(tmp_path / "a.txt", None, scratch, heard, unit) == documents
    assert ("guessed" in heard.texts[-1]) == (unit == "auto")
    assert heard.texts[-1].endswith(f": {len(documents)}.")


def test_blank_lines_between_lines_are_no_paragraphs(tmp_path, scratch) -> None:
    (tmp_path / "a.txt").write_text("One line.\n\nAnother line.\n\nA third.\n")
    assert read(tmp_path / "a.txt", None, scratch) == ["One line.", "", "Another line.", "", "A third."]
    (tmp_path / "b.txt").write_text("A line.\n" * 50 + "\nThe end.\n")
    assert len(read(tmp_path / "b.txt", None, scratch)) == 52


@pytest.mark.parametrize("unit", ["line", "paragraph"])
def test_several_files_may_hold_documents_each(tmp_path, scratch, unit) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"three\n"))
    found = read(tmp_path, None, scratch, unit=unit)
    assert [text for text in found if text] == ["one", "two", "three"]


def test_a_folder_of_thousands_of_files(tmp_path, scratch) -> None:
    folder = tmp_path / "texts"
    for n in range(3000):
        path = folder / f"{n % 50:02}" / f"{n:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Text {n}\nin two lines.")
    found = read(folder, None, scratch)
    assert len(found) == 3000
    assert found[1] == "Text 50\nin two lines."


GERMAN = "Über die Straße läuft ein Bär, der schöne Töne hört.\n" * 5
RUSSIAN = "Быстрая бурая лиса перепрыгивает через ленивую собаку, а та спит.\n" * 5


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin1", "one\ncafé au lait\n"),
        ("cp1252", GERMAN + "„Guten Tag“\n"),
        ("cp1251", RUSSIAN),
        ("koi8_r", RUSSIAN),
        ("gb18030", "今天天气很好，我们去公园散步。\n" * 9),
        ("utf-16", GERMAN),
        ("utf-16-le-bom", GERMAN),
        ("utf-32", RUSSIAN),
    ],
)
def test_other_encodings_are_guessed_and_said(tmp_path, scratch, encoding, text) -> None:
    content = text.encode(encoding) if encoding != "utf-16-le-bom" else b"\xff\xfe" + text.encode("utf-16-le")
    (tmp_path / "a.txt").write_bytes(content)
    heard = Heard()
    assert read(tmp_path / "a.txt", None, scratch, heard) == text.splitlines()
    warned = [note for note in heard.texts if "is not UTF-8" in note]
    assert len(warned) == (not encoding.startswith("utf"))
    assert all("a guess with" in note for note in warned)


def test_a_table_in_another_encoding_is_read_with_a_warning(tmp_path, scratch) -> None:
    (tmp_path / "a.csv").write_bytes("text\ncafé\n".encode("latin1"))
    heard = Heard()
    assert read(tmp_path / "a.csv", None, scratch, heard) == ["café"]
    assert len([note for note in heard.texts if "line 2, byte 0xe9" in note]) == 1


def test_how_far_it_is_read_is_told_in_bytes(tmp_path, scratch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some words in a line\n" * 1_000_000)
    heard = Heard()
    assert len(read(path, None, scratch, heard)) == 1_000_000
    told = [event for event in heard if isinstance(event, Progress)]
    assert [event.total for event in told] == [path.stat().st_size] * 2
    assert 0 < told[0].done < told[1].done <= path.stat().st_size


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
    "letter.docx": (b"PK", r"letter\.docx is not a DOCX file, or is damaged"),
    "letter.doc": (b"\xd0\xcf\x11\xe0\0\0", r"letter\.doc is binary"),
    "broken.jsonl": (b'{"text": "a"}\n{"text": \n', r"broken\.jsonl, line 2 is not valid JSON"),
    "list.json": (b'[["a"], ["b"]]', r"list\.json, line 1 holds a list instead of an object"),
    "numbers.csv": (b"id,price\n1,2.5\n", r"No column of .*numbers\.csv holds text\. Columns: id, price"),
    "header.csv": (b"id,text\n", r"header\.csv holds no rows"),
    "not.parquet": (b"this is no Parquet", r"not\.parquet is not a Parquet file"),
    "not.arrow": (b"this is no Arrow either", r"not\.arrow is not an Arrow file"),
    "cut.txt.gz": (
        gzip.compress(os.urandom(5000), mtime=0)[:-40],
        r"cut\.txt\.gz (is binary|cannot be read: it is damaged)",
    ),
    "cut.csv.gz": (
        gzip.compress(b"text\n" + b"some words\n" * 99)[:-9],
        r"cut\.csv\.gz cannot be read: it is damaged",
    ),
    "plain.jsonl.zst": (
        b'{"text": "a"}\n',
        r"plain\.jsonl\.zst cannot be read: it is damaged, truncated, or not compressed as",
    ),
    "cut.csv.zst": (
        zstd(b"text\n" + b"some words\n" * 99)[:-5],
        r"cut\.csv\.zst cannot be read: it is damaged",
    ),
    "not.parquet.gz": (gzip.compress(b"no Parquet"), r"not\.parquet\.gz is not a Parquet file"),
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
    with pytest.raises(CorpusError, match=r"holds no readable files.*\.parquet"):
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
