"""JSON in every shape that people have it: no row is lost, none is read from another column unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.reading import read
from workbench.errors import CorpusError

TEXTS = [f'Text {n}, "quoted" {{and}} [in brackets]\nover lines' for n in range(60)]
ROWS = [{"id": n, "text": text} for n, text in enumerate(TEXTS)]


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | list[Any], name: str = "a.jsonl") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else "\n".join(map(json.dumps, content)))
        return path

    return write


@pytest.mark.parametrize("column", ["text", None])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\n\n" + json.dumps(ROWS, indent="\t") + "\n",
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]",
        "\n".join(json.dumps(row, indent=4) for row in ROWS),
        ",\n".join(json.dumps(row, indent=1) for row in ROWS),
        "\n".join(map(json.dumps, ROWS)),
        "\r\n".join(map(json.dumps, ROWS)) + "\r\n",
        json.dumps({"version": 2, "data": ROWS}, indent=2),
        json.dumps({"version": 2, "data": ROWS}),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_rows_in_any_print(file, content, name, column) -> None:
    assert read(file(content, name), column).texts == TEXTS


@pytest.mark.parametrize(
    "content", [json.dumps(TEXTS), json.dumps(TEXTS, indent=2), "\n".join(map(json.dumps, TEXTS))]
)
def test_strings_alone_are_a_column(file, content) -> None:
    found = read(file(content, "a.json"))
    assert found.texts == TEXTS
    assert found.told("strings as rows, read as a column 'text'")


def test_a_long_array_is_read_a_value_at_a_time(file) -> None:
    rows = [{"text": f"{n} " + "word " * (40_000 if n == 5 else 20)} for n in range(5_000)]
    assert len(read(file(json.dumps(rows, indent=2), "a.json")).texts) == 5_000


@pytest.mark.parametrize(
    "empty", [{"id": 1, "title": "A title here"}, {"title": "A title here", "text": None}]
)
@pytest.mark.parametrize("column", ["text", None])
def test_a_column_that_begins_after_the_first_hundred_rows_is_found(file, empty, column) -> None:
    rows = [empty] * 150 + [{"title": "A", "text": text} for text in TEXTS]
    found = read(file(rows), column)
    assert found.texts == TEXTS
    assert found.told("Rows without text in the column 'text': 150. First", "line 1.")


def test_a_text_column_that_begins_very_late_is_not_passed_over(file) -> None:
    rows = [{"title": f"Title {n}"} for n in range(10_010)] + [{"title": "A", "text": "B"}]
    with pytest.raises(CorpusError, match=r"line 10011 has a column 'text'.*'title' was guessed") as caught:
        read(file(rows))
    assert "to text or title" in caught.value.hint
    assert len(read(file(rows), "title").texts) == 10_011
    assert read(file(rows), "text").texts == ["B"]


def test_other_columns_that_begin_very_late_are_counted(file) -> None:
    rows = [{"title": f"Title {n}"} for n in range(10_010)] + [{"title": "A", "note": "B"}] * 3
    assert read(file(rows)).told("Rows with a column 'note'", ": 3. First", "line 10011")


def test_a_parquet_column_that_begins_with_nulls_is_guessed(tmp_path) -> None:
    table = {"title": ["A title"] * 300, "text": [None] * 200 + ["The text itself"] * 100}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.texts == ["The text itself"] * 100
    assert found.told("Rows without text in the column 'text': 200. First", "row 1.")


def test_a_column_that_no_row_has_names_those_there_are(file) -> None:
    with pytest.raises(CorpusError, match=r"no column 'words' .*Columns: id, text"):
        read(file(ROWS), "words")


@pytest.mark.parametrize("column", ["meta.text", None])
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_text_inside_an_object(file, tmp_path, column, kind) -> None:
    rows = [{"id": n, "meta": {"lang": "en", "text": text}} for n, text in enumerate(TEXTS)]
    path = file(rows)
    if kind == "parquet":
        path = tmp_path / "a.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path)
    assert read(path, column).texts == TEXTS
    with pytest.raises(CorpusError, match="holds objects") as caught:
        read(path, "meta")
    assert "meta.text" in caught.value.hint


@pytest.mark.parametrize("column", ["lines", None])
def test_lists_of_strings_are_joined_and_told(file, column) -> None:
    rows = [{"id": n, "lines": ["First line.", f"Line two of {n}."]} for n in range(20)]
    found = read(file(rows), column)
    assert found.texts == [f"First line.\nLine two of {n}." for n in range(20)]
    assert found.told("Lists of texts, each joined to one text", ": 20. First", "line 1.")


CHATS = [
    {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi there"}]},
    {"conversations": [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi there"}]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "a", "content": "Hi there"},
        ]
    },
]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("chat", CHATS)
def test_chats_are_joined_and_told(file, chat, named) -> None:
    rows = [{"id": "an id", **chat}] * 20
    found = read(file(rows), next(iter(chat)) if named else None)
    assert found.texts == ["Hello\nHi there"] * 20
    assert found.told("Chats, each joined to one text without roles", ": 20.")


@pytest.mark.parametrize("column", ["text", None])
def test_numbers_among_texts_are_read_and_counted(file, column) -> None:
    rows = [{"text": value} for value in ["one", 2, 3.5, True, "five"]]
    found = read(file(rows), column)
    assert found.texts == ["one", "2", "3.5", "true", "five"]
    assert found.told("Numbers among texts, written as Python writes them (1.50 as 1.5): 3. First", "line 2.")


def test_an_object_among_texts_is_refused_at_its_line(file) -> None:
    with pytest.raises(CorpusError, match="line 2 holds objects"):
        read(file([{"text": "one"}, {"text": {"a": "b"}}, {"text": "three"}]), "text")


@pytest.mark.parametrize("broken", ['{"text": "cut', '{"text": "a" "b"}', "oops", '{"text": nothing}'])
@pytest.mark.parametrize("place", [0, 40, 59])
def test_one_broken_line_is_refused_with_its_number(file, broken, place) -> None:
    lines = [json.dumps(row) for row in ROWS]
    lines[place] = broken
    with pytest.raises(CorpusError, match=rf"line {place + 1}\b.*is not valid JSON") as caught:
        read(file("\n".join(lines) + "\n"), "text")
    assert "Expecting" not in caught.value.message and "Extra data" not in caught.value.message


@pytest.mark.parametrize(("cut", "said"), [(1, "inside its array"), (30, "ends too early")])
def test_an_array_cut_short_is_refused(file, cut, said) -> None:
    whole = json.dumps(ROWS, indent=2)
    with pytest.raises(CorpusError, match=said):
        read(file(whole[:-cut].rstrip("\n"), "a.json"), "text")


def test_a_broken_item_of_a_large_array_is_found_without_reading_all(file) -> None:
    rows = json.dumps([{"text": "some words " * 9}] * 30_000, indent=1)
    broken = rows.replace('"text": ', '"text" ', 1)
    with pytest.raises(CorpusError, match=r"line 2 is not valid JSON: .*line 3"):
        read(file(broken, "a.json"), "text")


def test_half_a_character_is_counted(file) -> None:
    found = read(file('{"text": "one"}\n{"text": "lone \\ud800 half"}\n'))
    assert found.texts == ["one", "lone ? half"]
    assert found.told("half a character", ": 1. First", "line 2.")


def test_blank_lines_are_counted(file) -> None:
    found = read(file('{"text": "one"}\n\n  \n{"text": "two"}\n'))
    assert found.texts == ["one", "two"]
    assert found.told("Blank lines in tables, left out: 2. First", "line 2.")


def test_a_name_twice_in_an_object_is_counted(file) -> None:
    path = file([{"text": "first row"}])
    path.write_text(
        '{"text": "a b"}\n{"text": "lost", "text": "kept"}\n{"n": {"x": 1, "x": 2}, "text": "c"}\n'
    )
    found = read(path)
    assert found.texts == ["a b", "kept", "c"]
    assert found.told("Objects with a repeated name 'text', whose last value is read: 1. First", "line 2.")
    assert found.told("Objects with a repeated name 'x'", "line 3.")


@pytest.mark.parametrize("name", ["Text", "TEXT", "Sentence"])
def test_usual_names_are_usual_in_capitals(file, name) -> None:
    found = read(file([{name: "a b", "Id": "a long identification with many letters"}] * 3))
    assert found.texts == ["a b"] * 3


def test_parts_of_chats_without_text_are_left_out_and_counted(file) -> None:
    picture = {"type": "image_url", "image_url": {"url": "http://localhost/x.png"}}
    chat = [
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "assistant", "content": "A cat."},
    ]
    found = read(file([{"messages": chat}] * 3))
    assert found.texts == ["What is it?\nA cat."] * 3
    assert found.told("Parts of chats without text", "left out: 6. First", "line 1.")


def test_a_list_of_words_may_have_numbers_in_it(file) -> None:
    assert read(file([{"tokens": ["in", 1984, None, "again"]}] * 2)).texts == ["in\n1984\nagain"] * 2
