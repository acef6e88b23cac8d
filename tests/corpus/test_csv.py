"""CSV and TSV: delimiter, quotes and header are found and told; what is ragged is refused at its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.corpus.reading import read
from workbench.errors import CorpusError

ROWS = [f"Text number {n} of the table" for n in range(60)]


def refused(path: Path, column: str | None = "text") -> str:
    with pytest.raises(CorpusError) as caught:
        read(path, column)
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def file(tmp_path: Path):
    """A file of that name with that content."""

    def write(content: str | bytes, name: str = "a.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize("text", ["Hello, world", "one, two, three"])
def test_a_row_with_more_fields_than_the_header_is_refused_at_its_line(file, text) -> None:
    content = "id,text\n" + "".join(f"{n},{text}\n" for n in range(60))
    assert "a.csv, line 2 has" in refused(file(content))
    late = "id,text\n" + "".join(f"{n},{text if n == 40 else 'plain'}\n" for n in range(60))
    assert "a.csv, line 42 has" in refused(file(late))


def test_a_row_with_fewer_fields_is_refused_at_its_line(file) -> None:
    assert "line 4 has 1 field, but the header has 2 (id, text)" in refused(
        file("id,text\n1,a\n2,b\nTotal\n4,d\n")
    )


@pytest.mark.parametrize("late", [10, 5_000])
def test_a_quote_that_is_not_closed_is_refused_where_it_opens(file, late) -> None:
    def table(broken: int, text: str) -> str:
        return "id,text\n" + "".join(
            f"{n},{text if n == broken else f'Text {n}'}\n" for n in range(late + 50)
        )

    message = refused(file(table(late, '"An inch" is one')))
    assert f"line {late + 2}" in message
    assert f"line {late + 2}: a quote opens" in refused(file(table(late, '"He said')))


def test_rows_that_two_open_quotes_have_between_them_are_found(file) -> None:
    rows = [f"{n},Text {n}" for n in range(60)]
    rows[30], rows[40] = '30,"He said', '40,she said"'
    assert (
        "line 32: a quote opens in this row and is not closed: it contains whole rows from line 33"
        in refused(file("id,text\n" + "\n".join(rows)))
    )


def test_fields_over_several_lines_are_read_and_counted(file) -> None:
    buffer = io.StringIO()
    texts = [f'Text {n}, "quoted"\nover two lines\r\nand 3, a third' for n in range(60)]
    csv.writer(buffer).writerows([["id", "text"], *enumerate(texts)])
    found = read(file(buffer.getvalue()), "text")
    assert found.texts == texts
    assert found.told("Rows over several lines: 60. First", "line 2")


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_quote_in_a_table_divided_by_tabs_is_text(file, name) -> None:
    texts = [f'"Text {n} begins with a quote' if n % 2 else f'"{n} inches" is text {n}' for n in range(30)]
    content = "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(texts))
    found = read(file(content, name), "text")
    assert found.texts == texts
    assert found.told("separated by tabs", "quotes are part of the text")


def test_a_tsv_that_is_quoted_throughout_is_read_without_its_quotes(file) -> None:
    texts = [f'He said "{n}", then\tleft' for n in range(30)]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", quoting=csv.QUOTE_ALL).writerows([["id", "text"], *enumerate(texts)])
    found = read(file(buffer.getvalue(), "a.tsv"), "text")
    assert found.texts == texts
    assert not found.told("quotes are part of the text")


def test_quotes_that_are_kept_as_text_are_counted(file) -> None:
    rows = ["plain text"] * 10 + ['"All of it in quotes."'] * 3
    content = "id\ttext\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(rows))
    found = read(file(content, "a.tsv"), "text")
    assert found.texts == rows
    assert found.told("Fields whose quotes are kept as text: 3. First", "line 12")


@pytest.mark.parametrize("late", [0, 3_000])
def test_quotes_may_be_escaped_by_backslashes(file, late) -> None:
    texts = [f"Plain {n}" for n in range(late)]
    texts += [rf'He said "hi, {n}", in C:\new, and left' for n in range(60)]
    content = "id,text\n" + "".join('{},"{}"\n'.format(n, t.replace('"', '\\"')) for n, t in enumerate(texts))
    found = read(file(content), "text")
    assert found.texts == texts
    assert found.told('written \\"')


def test_a_backslash_at_the_end_of_a_field_is_one(file) -> None:
    assert read(file('id,text\n1,"C:\\dir\\"\n2,"D:\\"\n'), "text").texts == ["C:\\dir\\", "D:\\"]


@pytest.mark.parametrize(("sign", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_other_delimiters_are_found_and_told(file, sign, word) -> None:
    rows = [f"{n}{sign}2024-01-{n % 28 + 1:02}{sign}Text {n}, and more, {'yes' * (n % 3)}" for n in range(60)]
    found = read(file(f"id{sign}date{sign}text\n" + "\n".join(rows)), None)
    assert found.texts == [row.split(sign)[2] for row in rows]
    assert found.told(f"separated by {word}", "header id, date, text")


def test_commas_in_a_tsv_are_found(file) -> None:
    assert read(file("id,text\n1,one two\n2,three\n", "a.tsv"), "text").texts == ["one two", "three"]


def test_decimal_commas_are_no_delimiters(file) -> None:
    rows = [f"{n},5;Text {n}" for n in range(20)]
    assert read(file("price;text\n" + "\n".join(rows)), "text").texts == [f"Text {n}" for n in range(20)]


@pytest.mark.parametrize(
    ("sign", "body"), [(";", "1;a, b\n2;c\n"), (",", '1,"a, b"\n2,c\n'), ("^", "1^a, b\n2^c\n")]
)
def test_a_line_that_declares_the_delimiter_is_no_row(file, sign, body) -> None:
    found = read(file(f"sep={sign}\r\nid{sign}text\n{body}"), "text")
    assert found.texts == ["a, b", "c"]


@pytest.mark.parametrize("blank", ["\n", "\r\n \r\n", "\ufeff\n"])
def test_blank_first_lines_are_skipped(file, blank) -> None:
    found = read(file(blank + "id,text\n1,one\n\n2,two\n"), "text")
    assert found.texts == ["one", "two"]
    assert found.told("Blank lines in tables, left out: 1. First")


def test_blank_first_lines_do_not_shift_the_line_that_is_told(file) -> None:
    assert "line 5 has 3" in refused(file("\n\nid,text\n1,one\n2,two,three\n"))


@pytest.mark.parametrize("column", [None, "column_2"])
def test_a_table_without_a_header_loses_no_row(file, column) -> None:
    rows = [f'{n},"Text {n}, the first of them all, with no header before it."' for n in range(20)]
    found = read(file("\n".join(rows)), column)
    assert found.texts == [row.split('"')[1] for row in rows]
    assert found.told("no header, columns named column_1, column_2")


def test_a_label_that_comes_again_is_no_header(file) -> None:
    rows = ["pos,A good film", "neg,A bad film", "pos,Great fun", "neg,Too long"]
    assert read(file("\n".join(rows)), None).texts == ["A good film", "A bad film", "Great fun", "Too long"]


def test_a_missing_column_of_a_table_without_header_names_those_it_has(file) -> None:
    message = refused(file("1,Some words here.\n2,More words here.\n"))
    assert "no column 'text'" in message and "column_1, column_2" in message


def test_equal_column_names_are_told_apart(file) -> None:
    path = file("id,text,text\n1,one,a longer one\n2,two,a longer two\n")
    assert "Columns: id, text (1), text (2)" in refused(path)
    assert read(path, "text (1)").texts == ["one", "two"]
    assert read(path, "text (2)").texts == ["a longer one", "a longer two"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
def test_any_line_ends(file, end, quoted) -> None:
    texts = [f"Text {n}" + (f',{end}with "more"' if quoted else "") for n in range(60)]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end).writerows([["id", "text"], *enumerate(texts)])
    found = read(file(buffer.getvalue()), "text")
    assert [text.replace("\r\n", "\n").replace("\r", "\n") for text in found.texts] == [
        text.replace("\r\n", "\n").replace("\r", "\n") for text in texts
    ]
    assert found.told("end with carriage returns") == (end == "\r")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_at_the_beginning_is_no_part_of_a_name(file, encoding) -> None:
    assert read(file('"text",id\nnaïve,1\n'.encode(encoding)), "text").texts == ["naïve"]


def test_blanks_behind_delimiters_do_no_harm(file) -> None:
    assert read(file('id, text\n1, "one, two"\n2, "three"\n'), "text").texts == ["one, two", "three"]


def test_empty_fields_at_the_end_of_rows_are_counted(file) -> None:
    found = read(file("id,text\n1,one,\n2,two,,\n3,three\n"), "text")
    assert found.texts == ["one", "two", "three"]
    assert found.told("extra empty fields at the end: 2. First", "line 2")


def test_a_header_that_comes_again_is_left_out_and_counted(file) -> None:
    found = read(file("id,text\n1,one\nid,text\n2,two\n"), "text")
    assert found.texts == ["one", "two"]
    assert found.told("Repeated header rows, left out: 1. First", "line 3")


def test_text_behind_a_closing_quote_is_refused(file) -> None:
    assert "line 3: text follows the closing quote" in refused(file('id,text\n1,one\n2,"Two" she said\n'))


def test_one_column_of_texts_with_commas_is_refused_and_told_what_to_do(file) -> None:
    with pytest.raises(CorpusError, match=r"line 3 has 2 fields") as caught:
        read(file("text\nHello\nHello, world\n"), "text")
    assert ".txt" in caught.value.hint


def test_a_column_that_is_empty_in_the_first_rows_is_found(file) -> None:
    content = "title,text\n" + "A title,\n" * 300 + "A title,The text itself\n" * 50
    found = read(file(content), None)
    assert found.texts == ["The text itself"] * 50
    assert found.told("Rows without text in the column 'text': 300. First", "line 2")


def test_a_later_shard_without_header_is_refused(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,Some words.\n2,More words.\n")
    (tmp_path / "b.csv").write_text("3,Further words.\n4,The last words.\n")
    with pytest.raises(CorpusError, match=r"no column 'text' in .*b\.csv"):
        read(tmp_path, None)


@pytest.mark.parametrize("sign", ["^", "~", "\x01", "\x1f"])
def test_rarer_delimiters_are_found(file, sign) -> None:
    rows = [["id", "text"], ["1", "one, two; three"], ["2", "a b"], ["3", "c"]]
    found = read(file("\n".join(sign.join(row) for row in rows)))
    assert found.texts == ["one, two; three", "a b", "c"]


@pytest.mark.parametrize("sign", ["::", "#", "¦"])
def test_a_sign_that_looks_like_a_delimiter_and_is_none_is_told(file, sign) -> None:
    found = read(file("\n".join([f"id{sign}text", f"1{sign}one two", f"2{sign}three", ""])))
    assert found.told("Tables read as one column, although every line contains", repr(sign))


def test_columns_without_a_name_have_one(file) -> None:
    assert read(file(",text,\n1,a b,c d\n2,e f,g h\n"), "column_3").texts == ["c d", "g h"]


def test_zero_width_characters_around_names_do_no_harm(file) -> None:
    assert read(file("id,\xa0text\u200b\n1,a b\n2,c d\n"), "text").texts == ["a b", "c d"]


@pytest.mark.parametrize("code", ["k{}x", "2024-01-{:02}", "doc_{}", "2024-01-01T10:{:02}:00"])
def test_rows_inside_a_field_are_known_by_the_look_of_their_codes(file, code) -> None:
    rows = [f"{code.format(number)},text {number} is here" for number in range(1, 31)]
    rows[10] = rows[10].replace(",", ',"')
    rows[12] += '"'
    with pytest.raises(CorpusError, match="line 12: a quote opens in this row and is not closed"):
        read(file("\n".join(["id,text", *rows])))


def test_lines_of_a_letter_are_no_rows(file) -> None:
    rows = [f'2024-01-{number:02},"Dear John,\nI am well, thanks\nYours, Ann"' for number in range(1, 20)]
    assert len(read(file("\n".join(["date,text", "2023-12-31,none", "2023-12-30,none", *rows]))).texts) == 21
