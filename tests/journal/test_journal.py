"""A journal's files: each record is read once and in order, whatever happens to writer, reader and disk."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from workbench.journal.lines import Cursor, Kind, file_of
from workbench.journal.reader import JournalError, first_head, newest_head, read_on, skip_to_next
from workbench.journal.writer import Writer

RUN = {"id": 7, "name": "cats", "created_at": 1.5}


def all_of(folder: Path, cursor: Cursor | None = None, most: int = 1 << 20) -> tuple[list[int], Cursor]:
    """The `value`s of the messages that can be read, and the cursor behind them."""
    cursor, values = cursor or Cursor(), []
    while (batch := read_on(folder, cursor, most)).records:
        values += [record["value"] for record in batch.records if record["kind"] == Kind.MESSAGE]
        cursor = batch.cursor
    return values, batch.cursor


def write(writer: Writer, *values: int) -> None:
    for value in values:
        writer.add(Kind.MESSAGE, value=value)
    writer.flush()


def test_records_are_read_once_and_in_order_in_parts_of_any_size(tmp_path: Path) -> None:
    writer = Writer(tmp_path, RUN, 0)
    write(writer, *range(50))
    for most in (1, 7, 100, 1 << 20):
        assert all_of(tmp_path, most=most)[0] == list(range(50))
    _, cursor = all_of(tmp_path)
    assert cursor == writer.cursor
    write(writer, 50, 51)
    assert all_of(tmp_path, cursor)[0] == [50, 51]
    head = first_head(tmp_path)
    assert head is not None and head["run"] == RUN and head["format"] == 1
    assert file_of(tmp_path, 0).stat().st_mode & 0o777 == 0o600


def test_the_next_worker_writes_a_file_of_its_own_and_readers_follow(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1, 2)
    _, cursor = all_of(tmp_path)
    with file_of(tmp_path, 0).open("ab") as file:
        file.write(b'{"n":3,"kind":"mess')  # killed in the middle of a line
    second = Writer(tmp_path, RUN, 1)
    write(second, 3)
    assert second.number == 1
    assert all_of(tmp_path)[0] == [1, 2, 3]
    assert all_of(tmp_path, cursor)[0] == [3]
    # a worker that was taken for dead goes on in its own file: that does not count any more
    assert all_of(tmp_path, all_of(tmp_path)[1])[0] == []


def test_a_file_without_a_whole_head_is_passed_over(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1)
    file_of(tmp_path, 1).write_bytes(b'{"n":0,"kind":"he')
    third = Writer(tmp_path, RUN, 1)
    write(third, 2)
    assert third.number == 2 and all_of(tmp_path)[0] == [1, 2]


def test_a_torn_line_waits_for_its_rest(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1, 2)
    whole = file_of(tmp_path, 0).read_bytes()
    for length in range(len(whole)):
        file_of(tmp_path, 0).write_bytes(whole[:length])
        before, cursor = all_of(tmp_path)
        file_of(tmp_path, 0).write_bytes(whole)
        assert before + all_of(tmp_path, cursor)[0] == [1, 2]


def test_a_truncated_journal_is_reported_and_nothing_is_read_twice(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1, 2, 3)
    whole = file_of(tmp_path, 0).read_bytes()
    _, cursor = all_of(tmp_path)
    file_of(tmp_path, 0).write_bytes(whole[:-20])
    with pytest.raises(JournalError, match="shorter than what was read") as short:
        read_on(tmp_path, cursor)
    assert short.value.late
    # grown again, to something else
    file_of(tmp_path, 0).write_bytes(whole[:-20] + b"x" * 60 + b"\n")
    with pytest.raises(JournalError, match="damaged"):
        read_on(tmp_path, cursor)
    file_of(tmp_path, 0).write_bytes(whole)
    assert read_on(tmp_path, cursor).records == []


def test_a_replaced_journal_is_reported_and_not_read(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1, 2)
    _, cursor = all_of(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    write(Writer(other, RUN, 0), 1, 2, 3, 4)
    shutil.copy(file_of(other, 0), file_of(tmp_path, 0))
    with pytest.raises(JournalError, match="was replaced"):
        read_on(tmp_path, cursor)
    file_of(tmp_path, 0).unlink()
    with pytest.raises(JournalError, match="gone"):
        read_on(tmp_path, cursor)


@pytest.mark.parametrize(
    "line", [b"\0" * 40, b"[1]", b'{"n":3}', b'{"n":9,"kind":"beat","at":1}', b"[" * 9999]
)
def test_a_damaged_line_is_reported_with_its_place(tmp_path: Path, line: bytes) -> None:
    write(Writer(tmp_path, RUN, 0), 1, 2)
    with file_of(tmp_path, 0).open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(JournalError, match=r"Line 4 of journal-0000.jsonl is damaged"):
        all_of(tmp_path)


def test_records_that_the_next_worker_saw_are_waited_for(tmp_path: Path) -> None:
    """The reader's view of a network file system is behind the worker's."""
    write(Writer(tmp_path, RUN, 0), 1, 2, 3)
    whole = file_of(tmp_path, 0).read_bytes()
    write(Writer(tmp_path, RUN, 1), 4)
    lines = whole.splitlines(keepends=True)
    file_of(tmp_path, 0).write_bytes(b"".join(lines[:2]))
    values, cursor = [], Cursor()
    with pytest.raises(JournalError, match="2 records of") as missing:
        while True:
            batch = read_on(tmp_path, cursor)
            values += batch.records
            cursor = batch.cursor
    assert missing.value.late and len(values) == 2
    file_of(tmp_path, 0).write_bytes(whole)
    assert all_of(tmp_path, cursor)[0] == [2, 3, 4]
    # or they never come
    skipped = skip_to_next(tmp_path, cursor)
    assert skipped is not None and all_of(tmp_path, skipped)[0] == [4]


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    write(Writer(tmp_path, RUN, 0), 1)
    path = file_of(tmp_path, 0)
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    with pytest.raises(JournalError, match="newer version"):
        all_of(tmp_path)
    assert newest_head(tmp_path) is None


def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(tmp_path, RUN, 0)
    write(writer, 1)
    _, cursor = all_of(tmp_path)
    room, real = [30], os.write

    def write_what_fits(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(file, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr("workbench.journal.writer.os.write", write_what_fits)
    for value in (2, 3):
        writer.add(Kind.MESSAGE, value=value)
        with pytest.raises(OSError, match="No space"):
            writer.flush()
    assert all_of(tmp_path, cursor)[0] == []
    assert writer.cursor.records == 4 and writer.cursor.position == cursor.position
    room[0] = 1000
    writer.flush()
    assert all_of(tmp_path, cursor)[0] == [2, 3]


def test_what_a_worker_applied_before_it_could_write_it_is_not_read_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path, RUN, 0)
    write(writer, 1)
    for value in (2, 3):
        writer.add(Kind.MESSAGE, value=value)
    applied = writer.cursor  # none of it is on the disk
    assert all_of(tmp_path, applied)[0] == []
    write(writer, 4)
    assert all_of(tmp_path, applied) == ([4], writer.cursor)


@pytest.mark.parametrize("how", ["deleted", "truncated", "replaced"])
def test_a_journal_lost_under_its_worker_goes_on_in_a_new_file(tmp_path: Path, how: str) -> None:
    writer = Writer(tmp_path, RUN, 0)
    write(writer, 1, 2)
    _, cursor = all_of(tmp_path)
    path = file_of(tmp_path, 0)
    if how == "truncated":
        os.truncate(path, 40)
    else:
        path.unlink()
        if how == "replaced":
            path.write_text("mine now\n")
    write(writer, 3)
    assert writer.number == 1
    assert all_of(tmp_path, cursor) == ([3], writer.cursor)
    if how == "replaced":
        assert path.read_text() == "mine now\n"


def test_a_worker_learns_that_another_one_goes_on(tmp_path: Path) -> None:
    first = Writer(tmp_path, RUN, 0)
    assert not first.superseded()
    Writer(tmp_path, RUN, 1)
    assert first.superseded()
