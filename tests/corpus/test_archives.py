"""Archives: every file in them is read once, or named; damage is never the end of an archive."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.corpus.reading import read
from workbench.errors import CorpusError

FILES = [(f"{number}.txt", f"document {number} ".encode() * 90) for number in range(8)]

IN_A_TAR = 3 * 512
"""Bytes of each: a block of names, and two of text."""


def tar(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(files: list[tuple[str, bytes]], packing: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("pack", "name"), [(tar, "a.tar"), (zipped, "a.zip")])
def test_files_of_equal_names_are_all_read(tmp_path, pack, name) -> None:
    files = [("x.txt", b"one"), ("x.txt", b"two"), ("d/x.txt", b"three"), ("../d/x.txt", b"four")]
    (tmp_path / name).write_bytes(pack(files))
    found = read(tmp_path / name)
    assert sorted(found.texts) == ["four", "one", "three", "two"]
    assert found.told("Files in archives with the name of another, all read: 1. First", f"{name}/x.txt")


@pytest.mark.parametrize(
    "names", [["a.txt", "a.txt/b.txt"], ["n" * 300 + ".txt", "b.txt"]], ids=["a file as a folder", "long"]
)
def test_names_that_no_file_system_takes_do_no_harm(tmp_path, names) -> None:
    (tmp_path / "a.zip").write_bytes(zipped([(name, b"text") for name in names]))
    assert read(tmp_path / "a.zip").texts == ["text", "text"]


def test_every_one_of_many_archives_has_its_own_name(tmp_path) -> None:
    for number in range(12):
        content = b"" if number == 11 else b"text"
        (tmp_path / f"{number:02}.zip").write_bytes(zipped([("d/e.txt", content)]))
    found = read(tmp_path)
    assert found.told("without text, left out: 1. First", f"{tmp_path}/11.zip/d/e.txt.")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_inside_a_zip_is_told(tmp_path, packing) -> None:
    content = bytearray(zipped([("x.txt", b"".join(b"line %d\n" % n for n in range(900)))], packing))
    content[60:70] = b"\xff" * 10
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(CorpusError, match=r"a\.zip is damaged"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("packed", [False, True])
def test_a_tar_that_is_cut_between_two_files_is_told(tmp_path, packed) -> None:
    content = tar(FILES)[: 4 * IN_A_TAR]
    name = "a.tar.gz" if packed else "a.tar"
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    found = read(tmp_path / name)
    assert len(found.texts) == 4
    assert found.told("Archives without an end mark, which may be truncated: 1. First", name)


@pytest.mark.parametrize("kind", ["joined", "damaged"])
def test_what_follows_the_end_of_a_tar_is_not_passed_over(tmp_path, kind) -> None:
    content = bytearray(tar(FILES))
    if kind == "joined":
        content += tar(FILES)
    else:
        content[IN_A_TAR : IN_A_TAR + 12] = b"\xff" * 12  # the name of the second file
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(CorpusError, match="damaged or consists of several archives"):
        read(tmp_path / "a.tar")


def test_a_whole_tar_is_read_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar(FILES))
    found = read(tmp_path / "a.tar")
    assert found.texts == [content.decode() for _, content in FILES]
    assert not found.notes


def test_archives_of_tables(tmp_path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(f'id,text\n1,"Text, {number}"\n')
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as tar:
        for number in range(3):
            tar.add(tmp_path / f"{number}.csv", f"data/{number}.csv")
        tar.add(tmp_path / "0.csv", "README.md")
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        outside = tarfile.TarInfo("../../outside.png")
        tar.addfile(outside, io.BytesIO())
    found = read(tmp_path / "all.tar.gz", "text")
    assert found.texts == [f"Text, {number}" for number in range(3)]
    assert found.told("a link or a device: 1. First", "all.tar.gz/link.csv")
    assert found.told("not a table like the others", "all.tar.gz/README.md")
    assert found.told("unsupported file type (.png)")
    assert not any("unpacked-" in note for note in found.notes)


def test_a_fault_in_an_archive_is_named_by_archive_and_member(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("deep/b.csv", "id,text\n1,one\n2,two,three\n")
    with pytest.raises(CorpusError, match=r"a\.zip/deep/b\.csv, line 3 has 3 fields") as caught:
        read(tmp_path / "a.zip", "text")
    assert "unpacked-" not in str(caught.value)
    assert not list((tmp_path / ".scratch").glob("unpacked-*"))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip", "a.tar.xz"])
def test_damaged_archives_say_so(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"no archive at all" * 100)
    with pytest.raises(CorpusError, match="damaged, truncated"):
        read(tmp_path / name)


def test_a_preview_reads_the_beginning_of_an_archive(tmp_path) -> None:
    from tests.corpus.conftest import Heard
    from workbench.corpus.files import LocalFiles
    from workbench.corpus.notes import Notes

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("b.jsonl", '{"text": "one"}\n{"text": "two"}\n')
    beginning = LocalFiles(str(tmp_path / "a.zip"), None).beginning(Notes(Heard()))
    assert next(beginning) == "one"
    beginning.close()
