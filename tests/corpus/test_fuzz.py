"""Texts and tables of known documents, in all formats, delimiters, quotings, line ends and kinds of damage.

Every document comes back exactly; or it is counted, and the first of its kind is named; or the file is
refused at the line that was damaged.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpus.reading import Read, read
from workbench.errors import CorpusError

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
WORDS = st.sampled_from(
    [
        "the",
        "cat,",
        "sat;",
        '"on"',
        "a|mat",
        "naïve",
        "☃",
        "第三",
        "C:\\new",
        "it's",
        '5"',
        '"',
        "\\",
        "1,5",
        "#",
        "x=y",
        "",
    ]
)
LINE = st.lists(WORDS, min_size=1, max_size=8).map(" ".join).map(lambda text: f"Say {text} end")
DOCUMENTS = st.lists(LINE, min_size=3, max_size=30)
LONG = st.lists(st.lists(LINE, min_size=1, max_size=4).map("\n".join), min_size=3, max_size=30)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
MARKS = st.sampled_from(["", "\ufeff"])


def through(
    name: str, content: bytes, column: str | None = None, unit: str = "auto", encoding: str = "auto"
) -> Read:
    """What is read of a file with this content."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / name).write_bytes(content)
        return read(folder / name, column, unit, encoding)
    finally:
        shutil.rmtree(folder)


@given(DOCUMENTS, ENDS, MARKS, st.sampled_from(["a.txt", "a.log", "a.rst", "README", "a.xyz"]), st.booleans())
@SETTINGS
def test_lines_of_text(documents, end, mark, name, packed) -> None:
    content = (mark + end.join(documents) + end).encode()
    found = through(name + ".gz" * packed, gzip.compress(content) if packed else content, unit="line")
    assert found.texts == documents


@given(LONG, ENDS, MARKS)
@SETTINGS
def test_paragraphs_of_text(documents, end, mark) -> None:
    content = mark + "\n\n".join(documents) + "\n"
    assert through("a.txt", content.replace("\n", end).encode(), unit="paragraph").texts == documents


TABLE = {
    "delimiter": st.sampled_from([",", ";", "\t", "|"]),
    "quoting": st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    "end": ENDS,
    "mark": MARKS,
    "suffix": st.sampled_from([".csv", ".tsv"]),
    "header": st.booleans(),
    "blank": st.integers(0, 2),
    "declared": st.booleans(),
    "escaped": st.booleans(),
}


def table_of(
    documents: list[str], delimiter: str, quoting: int, end: str, header: bool, escaped: bool
) -> str:
    buffer = io.StringIO()
    how = {"doublequote": False, "escapechar": "\\"} if escaped else {}
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end, **how)  # type: ignore[arg-type,call-overload]
    if header:
        writer.writerow(["id", "text", "date"])
    writer.writerows([number, text, "2024-01-02"] for number, text in enumerate(documents))
    return buffer.getvalue()


@given(st.fixed_dictionaries(TABLE), LONG)
@SETTINGS
def test_tables_with_quotes(how, documents) -> None:
    # tabs: quotes are text unless the table is quoted throughout
    quoting = csv.QUOTE_ALL if how["delimiter"] == "\t" else how["quoting"]
    if how["end"] != "\n":  # other line ends inside a field are kept, and asked elsewhere
        documents = [text.replace("\n", " ") for text in documents]
    escaped = how["escaped"] and quoting != csv.QUOTE_MINIMAL and any('"' in text for text in documents)
    content = table_of(documents, how["delimiter"], quoting, how["end"], how["header"], escaped)
    before = how["end"] * how["blank"] + (f"sep={how['delimiter']}{how['end']}" if how["declared"] else "")
    column = "text" if how["header"] else "column_2"
    found = through("a" + how["suffix"], (how["mark"] + before + content).encode(), column)
    assert found.texts == documents
    assert found.told(
        "header id, text, date" if how["header"] else "no header, columns named column_1, column_2"
    )


@given(DOCUMENTS, ENDS, MARKS)
@SETTINGS
def test_tables_by_tabs_without_quotes(documents, end, mark) -> None:
    rows = ["id\ttext", *(f"{number}\t{text}" for number, text in enumerate(documents))]
    assert through("a.tsv", (mark + end.join(rows)).encode(), "text").texts == documents


@given(LONG, st.integers(0, 5), st.data())
@SETTINGS
def test_json_in_any_print(documents, indent, data) -> None:
    rows = [{"id": number, "text": text, "meta": {"text": text}} for number, text in enumerate(documents)]
    prints: dict[str, Callable[[], str]] = {
        "lines": lambda: "\n".join(json.dumps(row, ensure_ascii=indent % 2 == 0) for row in rows),
        "array": lambda: json.dumps(rows, indent=indent or None),
        "values": lambda: "\n".join(json.dumps(row, indent=indent or None) for row in rows),
        "inside": lambda: json.dumps({"v": 1, "data": rows}, indent=indent or None),
        "strings": lambda: json.dumps(documents, indent=indent or None),
    }
    name = data.draw(st.sampled_from(sorted(prints)))
    column = data.draw(st.sampled_from(["text", "meta.text"])) if name != "strings" else "text"
    mark = data.draw(MARKS)
    assert through("a.json", (mark + prints[name]()).encode(), column).texts == documents


@given(LONG, st.sampled_from(["parquet", "arrow"]))
@SETTINGS
def test_columnar_files(documents, kind) -> None:
    table = pa.table({"id": range(len(documents)), "text": documents})
    sink = pa.BufferOutputStream()
    if kind == "parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    assert through(f"a.{kind}", sink.getvalue().to_pybytes(), "text").texts == documents


FULL = st.lists(
    st.lists(st.sampled_from(["the", "cat", "☃", "sat", "(on)", "it's", "mat."]), min_size=2, max_size=9).map(
        " ".join
    ),
    min_size=3,
    max_size=12,
)


@given(FULL)
@SETTINGS
def test_paragraphs_of_documents(documents) -> None:
    html = "".join(f"<p>{text}</p>\n" for text in documents)
    assert through("a.html", f"<html><body>{html}</body></html>".encode()).texts == documents
    xml = "".join(f"<p>{text}</p>\n" for text in documents)
    assert through("a.xml", f"<doc>{xml}</doc>".encode()).texts == documents
    assert through("a.md", "\n\n".join(documents).encode(), unit="paragraph").texts == documents
    cells = [{"cell_type": "markdown", "source": text} for text in documents]
    assert through("a.ipynb", json.dumps({"cells": cells}).encode()).texts == documents


def refused_at(line: int, name: str, content: str, column: str = "text") -> None:
    with pytest.raises(CorpusError) as caught:
        through(name, content.encode(), column)
    named = [int(number) for number in re.findall(r"line (\d+)", caught.value.message)]
    assert line in named, caught.value.message
    assert caught.value.hint


@given(DOCUMENTS, st.data())
@SETTINGS
def test_a_damaged_row_of_a_table_is_refused_at_its_line(documents, data) -> None:
    rows = table_of(documents, ",", csv.QUOTE_ALL, "\n", True, False).splitlines()
    place = data.draw(st.integers(1, len(rows) - 1))
    damages = {
        "more": lambda row: row + ',"more"',
        "fewer": lambda row: row.rpartition(",")[0],
        "open": lambda row: row[:-1],
        "behind": lambda row: row + " behind",
    }
    kind = data.draw(st.sampled_from(sorted(damages)))
    rows[place] = damages[kind](rows[place])
    refused_at(place + 1, "a.csv", "\n".join(rows) + "\n")


@given(DOCUMENTS, st.data())
@SETTINGS
def test_a_damaged_line_of_json_is_refused_at_its_number(documents, data) -> None:
    rows = [json.dumps({"text": text}) for text in documents]
    place = data.draw(st.integers(0, len(rows) - 1))
    cut = data.draw(st.integers(1, len(rows[place]) - 1))
    rows[place] = rows[place][:cut]
    refused_at(place + 1, "a.jsonl", "\n".join(rows) + "\n")


@given(DOCUMENTS, st.data())
@SETTINGS
def test_rows_that_hold_no_text_are_counted_and_the_first_is_named(documents, data) -> None:
    rows: list[dict[str, object]] = [{"text": text} for text in documents]
    places = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1, max_size=len(rows) - 2)))
    for place in places:
        rows[place] = data.draw(st.sampled_from([{}, {"text": None}, {"text": ""}, {"text": "  "}]))
    found = through("a.jsonl", "\n".join(map(json.dumps, rows)).encode(), "text")
    assert found.texts == [text for place, text in enumerate(documents) if place not in places]
    assert found.told(
        f"Rows without text in the column 'text': {len(places):,}. First", f"line {places[0] + 1}."
    )


WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030")
WRITTEN_IN = {
    "cp1252": "naïve Größe déjà £5",
    "cp1250": "Zażółć gęślą jaźń",
    "iso8859_2": "Žluťoučký kůň úpěl",
    "koi8_r": "Врач осмотрел сердце",
    "cp1251": "Врач осмотрел сердце",
    "cp1253": "Ο γιατρός εξέτασε",
    "shift_jis": "医者は 心臓を 検査した 表示",
    "euc_jp": "医者は 心臓を 検査した",
    "iso2022_jp": "医者は 心臓を 検査した",
    "big5": "醫生 檢查 許功蓋",
    "cp949": "의사가 심장을 검사했다",
    **dict.fromkeys(WIDE, "naïve 医生 Врач 😀 e\u0301"),
}


@given(st.sampled_from(sorted(WRITTEN_IN)), ENDS, st.booleans(), st.data())
@SETTINGS
def test_texts_and_tables_in_a_named_encoding(encoding, end, packed, data) -> None:
    words = st.sampled_from([*WRITTEN_IN[encoding].split(), "plain", "5", "(so)"])
    line = st.lists(words, min_size=1, max_size=8).map(" ".join).map(lambda text: f"Say {text} end")
    documents = data.draw(st.lists(line, min_size=3, max_size=20))
    kinds: dict[str, Callable[[], str]] = {
        "a.txt": lambda: end.join(documents) + end,
        "a.csv": lambda: table_of(
            documents, data.draw(st.sampled_from(",;|")), csv.QUOTE_ALL, end, True, False
        ),
        "a.tsv": lambda: end.join(["id\ttext", *(f"{n}\t{text}" for n, text in enumerate(documents))]),
        "a.jsonl": lambda: end.join(json.dumps({"text": text}, ensure_ascii=False) for text in documents),
    }
    name = data.draw(st.sampled_from(sorted(kinds)))
    content = kinds[name]().encode(encoding)
    column = None if name == "a.txt" else "text"
    found = through(
        name + ".gz" * packed, gzip.compress(content) if packed else content, column, "line", encoding
    )
    assert found.texts == documents


@given(st.lists(DOCUMENTS, min_size=1, max_size=5), st.sampled_from(["zip", "tar", "tar.gz"]), st.booleans())
@SETTINGS
def test_archives_of_texts(files, kind, one_name) -> None:
    buffer = io.BytesIO()
    members = [
        ("same.txt" if one_name else f"{number}.txt", "\n".join(documents).encode())
        for number, documents in enumerate(files)
    ]
    if kind == "zip":
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            warnings.simplefilter("ignore")  # equal names
            for name, content in members:
                packed.writestr(name, content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz" if kind == "tar.gz" else "w") as archive:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    found = through(f"a.{kind}", buffer.getvalue(), unit="line")
    assert found.texts == [text for documents in files for text in documents]
