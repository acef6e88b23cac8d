"""Folders, links, globs and packed files: every file is read once, or named with why it is not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.conftest import recipe_for
from tests.corpus.reading import read
from workbench.corpus import prepare_corpus
from workbench.corpus.files import is_local
from workbench.errors import CorpusError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two texts, side by side."""
    made = tmp_path / "texts"
    made.mkdir()
    (made / "a.txt").write_text("first")
    (made / "b.txt").write_text("second")
    return made


def test_linked_folders_are_followed(folder, tmp_path) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "c.txt").write_text("third")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert read(folder).texts == ["first", "second", "third"]
    assert read(f"{folder}/**/*.txt").texts == ["first", "second", "third"]


def test_links_in_a_circle_end_and_are_told(folder) -> None:
    (folder / "again").symlink_to(folder)
    (folder / "copy.txt").symlink_to(folder / "a.txt")
    found = read(folder)
    assert found.texts == ["first", "second"]
    assert found.told("a link to a folder that was read already: 1. First", "again")
    assert found.told("the same file under another name: 1. First", "copy.txt")
    assert read(f"{folder}/**/*.txt").texts == ["first", "second"]


def test_what_is_skipped_is_told_with_why(folder) -> None:
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    (folder / "x.png").write_bytes(b"\x89PNG")
    (folder / "y.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.txt").write_text("hidden")
    (folder / "none.txt").touch()
    os.mkfifo(folder / "pipe.txt")
    found = read(folder)
    assert found.texts == ["first", "second"]
    assert found.told("a broken link: 1. First", "gone.txt")
    assert found.told("unsupported file type (.png): 2. First", "x.png")
    assert found.told("hidden: 1. First", ".hidden.txt")
    assert found.told("a pipe, socket or device: 1. First", "pipe.txt")
    assert found.told("without text, left out: 1. First", "none.txt")


def test_what_is_skipped_reaches_the_statistics_each_time(folder, tokenizer, tmp_path) -> None:
    (folder / "c.txt").write_text("\n".join(f"some more words for it, {n}" for n in range(9)))
    (folder / "x.png").write_bytes(b"\x89PNG")
    recipe = recipe_for(folder, chunk_size=8, documents="line", test_size=2)
    for _ in range(2):
        corpus = prepare_corpus(
            recipe, tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=lambda event: None
        )
        assert any("(.png): 1. First" in note for note in corpus.notes)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs another user")
def test_unreadable_folders_and_files_are_told(tmp_path) -> None:
    script = """
import sys
from pathlib import Path
from tests.corpus.reading import read
root = Path(sys.argv[1])
(root / "texts" / "shut").mkdir(parents=True)
(root / "texts" / "a.txt").write_text("first")
(root / "texts" / "b.txt").write_text("second")
(root / "texts" / "shut" / "c.txt").write_text("third")
(root / "texts" / "shut").chmod(0)
(root / "texts" / "b.txt").chmod(0)
found = read(root / "texts")
(root / "texts" / "shut").chmod(0o700)
print(found.texts, found.told("folder that cannot be read", "shut"), found.told("it cannot be read", "b.txt"))
"""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip() == "['first'] True True", done.stderr


@pytest.mark.parametrize("name", ["data[1]", "what?", "all*", "[ab]"])
def test_names_with_the_signs_of_globs_are_names(tmp_path, name) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "part[0].txt").write_text("one\ntwo")
    (folder / "b.csv").write_text("text\nthree\n")
    assert read(folder / "part[0].txt").texts == ["one", "two"]
    assert read(f"{folder}/*.txt").texts == ["one", "two"]
    assert read(f"{folder}/part[0].*").texts == ["one", "two"]
    with pytest.raises(CorpusError, match="several kinds") as caught:
        read(folder)
    hint = caught.value.hint.partition("'")[2].rpartition("'")[0]
    assert read(hint).texts == ["three"]


@pytest.mark.parametrize("content", ["", "text\n", "\n\n"])
@pytest.mark.parametrize("name", ["a.csv", "z.csv"])
def test_one_empty_shard_is_counted(tmp_path, content, name) -> None:
    (tmp_path / "m.csv").write_text("text\none\ntwo\n")
    (tmp_path / name).write_text(content)
    found = read(tmp_path)
    assert found.texts == ["one", "two"]
    assert found.told("Files without rows: 1. First", name)


def test_an_empty_shard_of_json_is_counted(tmp_path) -> None:
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.jsonl").write_text('{"text": "one"}\n')
    found = read(tmp_path, "text")
    assert found.texts == ["one"] and found.told("Files without rows: 1. First", "a.jsonl")


def test_only_empty_shards_are_refused(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("text\n")
    (tmp_path / "b.csv").write_text("text\n")
    with pytest.raises(CorpusError, match="holds no rows"):
        read(tmp_path)


def zstd(content: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(content)
    return packed.getvalue().to_pybytes()


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.mark.parametrize("end", PACK)
def test_packed_files(tmp_path, end) -> None:
    lines = [f"Line {n} with {os.urandom(9).hex()}" for n in range(5_000)]
    content = "\n".join(lines).encode()
    path = tmp_path / f"a.txt{end}"
    path.write_bytes(PACK[end](content))
    assert read(path).texts == lines
    path.write_bytes(PACK[end](content[:30_000]) + PACK[end](content[30_000:]))
    assert read(path).texts == lines


@pytest.mark.parametrize("damage", ["cut", "changed", "unpacked"])
@pytest.mark.parametrize("end", PACK)
@pytest.mark.parametrize("begin", ["a.txt", "a.jsonl", "a.parquet", "a.html"])
def test_damaged_packed_files_say_so(tmp_path, begin, end, damage) -> None:
    content = b"".join(b'{"text": "%s"}\n' % os.urandom(30).hex().encode() for _ in range(2_000))
    packed = bytearray(PACK[end](content))
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    elif damage == "changed":
        if end == ".zst":
            pytest.skip("Arrow writes no checksum into it")
        packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
    path = tmp_path / f"{begin}{end}"
    path.write_bytes(content if damage == "unpacked" else packed)
    with pytest.raises(
        CorpusError, match=r"cannot be read: it is damaged, truncated, or not compressed"
    ) as caught:
        read(path)
    assert "Copy or download it again" in caught.value.hint


@pytest.mark.parametrize(
    "name", ["a.rst", "a.log", "a.py", "README", "a.unknown", "a.tex", "x.md", "data.v2", "A.RST"]
)
def test_plain_text_by_another_name(tmp_path, name) -> None:
    lines = [f"A plain line, number {n}; nothing else." for n in range(9)]
    (tmp_path / name).write_text("\n".join(lines))
    assert read(tmp_path / name).texts == lines


def test_a_folder_of_texts_of_many_names(tmp_path) -> None:
    for name in ("a.md", "b.rst", "c.log", "d.py", "README", "e.txt"):
        (tmp_path / name).write_text(f"The text of {name}")
    (tmp_path / "f.bin").write_bytes(bytes(9))
    found = read(tmp_path)
    assert sorted(found.texts) == sorted(
        f"The text of {n}" for n in ("a.md", "b.rst", "c.log", "d.py", "README", "e.txt")
    )
    assert found.told("unsupported file type (.bin)")


def test_company_of_tables_is_left_out_and_told(tmp_path) -> None:
    (tmp_path / "data.csv").write_text("id,text\n1,one\n2,two\n")
    (tmp_path / "README.md").write_text("# What this is")
    (tmp_path / "make.py").write_text("print()")
    found = read(tmp_path)
    assert found.texts == ["one", "two"]
    assert found.told("not a table like the others: 2. First", "README.md")


@pytest.mark.parametrize("name", ["a.txt.bz2", "b.jsonl.gz", "c.pdf", "d.tar.gz", "e.tgz", "f.ipynb"])
def test_paths_that_are_not_there_are_not_asked_of_the_hub(name) -> None:
    assert is_local(name)


@pytest.mark.parametrize("name", ["user/data.py", "user/set.md", "squad", "user/set.c"])
def test_ids_on_the_hub_are_not_paths(name) -> None:
    assert not is_local(name)


def test_carriage_returns_end_lines_of_any_length(tmp_path) -> None:
    long = "long " * 40_000
    for name, texts in {"a.txt": [long, "two", "three"], "b.txt": ["one", long, "three"]}.items():
        (tmp_path / name).write_bytes("\r".join(texts).encode())
        found = read(tmp_path / name)
        assert found.texts == texts
        assert found.told("Files whose lines end with carriage returns: 1")


def test_carriage_returns_inside_lines_are_counted(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\rthree\r\nfour\r\n")
    found = read(tmp_path / "a.txt")
    assert found.texts == ["one", "two\rthree", "four"]
    assert found.told("Lines with carriage returns inside, which are kept: 1. First", "line 2.")


def test_marks_where_files_were_joined_are_left_out_and_counted(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffone\n\ufefftwo\nthr\ufeffee\n", encoding="utf-8")
    found = read(tmp_path / "a.txt")
    assert found.texts == ["one", "two", "thr\ufeffee"]
    assert found.told("Byte order marks after the first line, left out: 1. First", "line 2.")


def test_a_path_that_is_too_long_is_skipped_and_told(folder, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    for _ in range(25):
        os.mkdir("d" * 200)  # noqa: PTH102 - a path of all of them would be too long
        os.chdir("d" * 200)
    monkeypatch.chdir(folder)
    found = read(folder)
    assert found.texts == ["first", "second"]
    assert found.told("an unreadable folder (File name too long): 1")


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_a_pipe_is_not_called_empty(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(CorpusError, match="is a pipe"):
        read(tmp_path / "pipe.txt")


def test_columns_of_equal_names_in_columnar_files_are_told_apart(tmp_path) -> None:
    columns = [pa.array(["a one", "a two"]), pa.array(["b one", "b two"])]
    table = pa.Table.from_arrays(columns, names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        assert read(tmp_path / name, "text (2)").texts == ["b one", "b two"]
        assert read(tmp_path / name).told("guessed from text (1), text (2)")


def test_bytes_in_columnar_files_are_text_where_they_are_utf8(tmp_path) -> None:
    pq.write_table(pa.table({"text": ["one ☃".encode(), b"two"]}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.texts == ["one ☃", "two"]
    assert found.told("Texts stored as bytes, read as UTF-8: 2. First", "row 1.")
    pq.write_table(pa.table({"text": [b"one", b"caf\xe9"]}), tmp_path / "b.parquet")
    with pytest.raises(CorpusError, match="row 2 holds bytes that are not UTF-8"):
        read(tmp_path / "b.parquet", "text")


def test_text_in_columnar_files_that_is_not_utf8_is_refused(tmp_path) -> None:
    ends = pa.py_buffer(np.array([0, 3, 5], np.int32).tobytes())
    texts = pa.Array.from_buffers(pa.string(), 2, [None, ends, pa.py_buffer(b"a\xffbcd")])
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    with pytest.raises(CorpusError, match="rows 1 to 2 contain text that is not UTF-8"):
        read(tmp_path / "a.parquet", "text")
