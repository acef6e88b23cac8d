"""Files of text and of recipes that hold anything at all: read, or refused with a message."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError, UsageError, WorkbenchError
from workbench.recipe import Recipe
from workbench.text import printable

from .conftest import FULL
from .hostile import content, obeyed, often, text

numbers = count()
KINDS = (".txt", ".jsonl", ".csv", ".tsv", ".json", ".parquet")


def readable(error: WorkbenchError) -> None:
    """It says something, in a form that a terminal may show."""
    assert error.message.strip()
    assert not obeyed(printable(f"{error.message} {error.hint}", keep_newlines=True))


def read(file: Path, column: str | None = None) -> None:
    """Every document of a file, or a refusal in words."""
    scratch = file.parent / f"scratch-{next(numbers)}"
    scratch.mkdir()
    try:
        documents = LocalFiles(str(file), column).read(scratch, Notes(lambda event: None))
        for number in range(len(documents)):
            documents.texts(np.array([number]))
    except CorpusError as error:
        readable(error)


@pytest.mark.parametrize("kind", KINDS)
@often
@given(held=content)
def test_files_that_hold_anything(kind: str, held: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"{next(numbers)}{kind}"
    file.write_bytes(held)
    read(file)
    read(file, "text")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=6,
)


@often
@given(rows=st.lists(json_values, max_size=6), column=st.one_of(st.none(), text))
def test_json_lines_of_any_shape(rows: list[Any], column: str | None, tmp_path: Path) -> None:
    file = tmp_path / f"{next(numbers)}.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read(file, column)


@often
@given(rows=st.lists(st.lists(text, min_size=1, max_size=3), max_size=5), column=st.one_of(st.none(), text))
def test_tables_with_columns_of_any_name(rows: list[list[str]], column: str | None, tmp_path: Path) -> None:
    file = tmp_path / f"{next(numbers)}.parquet"
    width = min((len(row) for row in rows), default=0)
    try:
        table = pa.table(
            {(rows[0][at] if rows else "") + str(at): [row[at] for row in rows] for at in range(width)}
        )
    except (UnicodeEncodeError, pa.ArrowException):
        return
    pq.write_table(table, file)
    read(file, column)


@often
@given(held=content)
def test_parquet_with_bytes_exchanged(held: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"{next(numbers)}.parquet"
    pq.write_table(pa.table({"text": ["a few words"] * 50, "number": list(range(50))}), file)
    whole = bytearray(file.read_bytes())
    for at, byte in enumerate(held):
        whole[(at * 7919 + byte) % len(whole)] ^= byte
    file.write_bytes(whole)
    read(file)


def test_deep_json_and_endless_numbers(tmp_path: Path) -> None:
    for name, line in {"deep": "[" * 200_000, "number": "1" * 100_000, "object": '{"a":' * 100_000}.items():
        file = tmp_path / f"{name}.jsonl"
        file.write_text(line)
        with pytest.raises(CorpusError) as refused:
            LocalFiles(str(file), None).read(tmp_path, Notes(lambda event: None))
        readable(refused.value)


LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, ({limit}, {limit}))
from workbench.corpus.files import LocalFiles
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError
scratch = Path(sys.argv[2]); scratch.mkdir()
try:
    documents = LocalFiles(sys.argv[1], None).read(scratch, Notes(lambda event: None))
    print("read", len(documents))
except CorpusError as error:
    print("refused", error)
"""


def read_with_little_memory(file: Path, limit: int) -> str:
    """What became of reading a file where memory is limited to so many bytes."""
    script = LIMITED.format(limit=limit)
    command = [sys.executable, "-c", script, str(file), str(file.with_suffix(".scratch"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_parquet_file_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    """Kilobytes of file, one text of many megabytes said a thousand times over."""
    file = tmp_path / "bomb.parquet"
    rows, size = (1000, 4 << 20) if FULL else (300, 2 << 20)
    values = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a " * (size // 2)]))
    pq.write_table(pa.table({"text": values}), file, compression="zstd")
    assert file.stat().st_size < 100_000
    assert read_with_little_memory(file, 600 << 20) == f"read {rows}\n"


@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".csv"])
def test_a_line_of_a_hundred_megabytes(kind: str, tmp_path: Path) -> None:
    size = (100 if FULL else 10) << 20
    file = tmp_path / f"long{kind}"
    words = "word " * (size // 5)
    lines = {".txt": words, ".jsonl": json.dumps({"text": words}), ".csv": f"text\n{words}"}
    file.write_text(lines[kind] + "\n")
    assert read_with_little_memory(file, 3 << 30) == "read 1\n"


@often
@given(held=content)
def test_recipe_files_that_hold_anything(held: bytes, tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_bytes(held)
    try:
        Recipe.load(file)
    except UsageError as error:
        readable(error)


toml_values = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=4,
)


@often
@given(
    values=st.dictionaries(
        st.one_of(st.sampled_from(list(Recipe.model_fields)), text), toml_values, max_size=4
    )
)
def test_recipes_with_any_values(values: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    try:
        file.write_text(tomli_w.dumps(values), encoding="utf-8")
    except UnicodeEncodeError:
        return
    try:
        Recipe.load(file)
    except UsageError as error:
        readable(error)


@pytest.mark.parametrize("name", ["/dev/zero", "folder", "gone", "/proc/self/mem", "x" * 300, "a\0b"])
def test_a_recipe_that_is_no_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    if name == "folder":
        file.mkdir()
    with pytest.raises(UsageError) as refused:
        Recipe.load(file)
    readable(refused.value)
