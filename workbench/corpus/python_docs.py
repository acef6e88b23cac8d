"""`python-docs`: the documentation inside the user's own interpreter. No download, no licence question.

The documents are the standard library's modules (their docstrings, read with `ast`; nothing is imported) and
the help topics of `pydoc_data`. Only prose paragraphs are kept, each once, so that no test paragraph is in
the training text.
"""

from __future__ import annotations

import ast
import gc
import inspect
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.corpus.documents import Documents, ListedDocuments
from workbench.corpus.notes import Notes
from workbench.errors import CorpusError

NAME = "python-docs"
_RULES = 1  # increased when the selection below changes, so that no stale text is read from a cache

MIN_PARAGRAPH_WORDS = 8
MIN_LETTERS = 0.85  # share of a paragraph's characters: keeps out code, tables and signatures
MIN_DOCUMENT_WORDS = 64
_LEFT_OUT = {
    "test",
    "tests",
    "idle_test",
    "site-packages",
    "dist-packages",
    "_bundled",
    "__pycache__",
    "pydoc_data",
}


class PythonDocs:
    """The source `python-docs`."""

    def __init__(self, library: Path | None = None) -> None:
        self.library = library or Path(sysconfig.get_paths()["stdlib"])

    def identity(self, notes: Notes) -> Mapping[str, Any]:
        return {"source": NAME, "python": sys.version, "library": str(self.library), "rules": _RULES}

    def read(self, folder: Path, notes: Notes) -> Documents:
        texts = _all_documents(self.library)
        if not texts:
            raise CorpusError(
                f"This Python has no python-docs: its standard library in {self.library} cannot be read.",
                "Use your own text: a .txt, .jsonl, .csv or .parquet file.",
            )
        return ListedDocuments(texts)


@lru_cache(maxsize=1)
def _all_documents(library: Path) -> list[str]:
    """All texts (about 2 MB), cached for processes that split them repeatedly."""
    with _no_garbage_collection():
        return list(_documents(library))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Parsing creates many objects without cycles, and collecting garbage would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _documents(library: Path) -> Iterator[str]:
    """One text for each module and topic with enough prose, in a fixed order."""
    seen: set[str] = set()
    for paragraphs in (*_modules(library), *_topics(library)):
        prose = []
        for paragraph in paragraphs:
            text = " ".join(paragraph.split())
            if text not in seen and _is_prose(text):
                seen.add(text)
                prose.append(text)
        if sum(len(text.split()) for text in prose) >= MIN_DOCUMENT_WORDS:
            yield "\n\n".join(prose)


def _modules(library: Path) -> Iterator[list[str]]:
    """The paragraphs of all docstrings of each module."""
    for path in _sources(library):
        tree = _parse(path)
        if tree is not None:
            docstrings = (docstring for node in _described(tree) if (docstring := _docstring(node)))
            yield [paragraph for text in docstrings for paragraph in _paragraphs(text)]


def _sources(folder: Path) -> Iterator[Path]:
    """The Python files of a folder and its subfolders, in order, except for the folders in _LEFT_OUT."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.suffix == ".py":
            yield path
        elif path.name not in _LEFT_OUT and path.is_dir():
            yield from _sources(path)


def _topics(library: Path) -> Iterator[list[str]]:
    """The paragraphs of each help topic."""
    tree = _parse(library / "pydoc_data" / "topics.py")
    for node in tree.body if tree else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            topics = ast.literal_eval(node.value)
            yield from (_paragraphs(topics[name]) for name in sorted(topics))


def _parse(path: Path) -> ast.Module | None:
    """The module's syntax tree; None for a file that this interpreter cannot parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _described(tree: ast.Module) -> Iterator[ast.AST]:
    """The module, its classes and functions in order; faster than `ast.walk`, which enters expressions."""
    yield tree
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        for name in ("finalbody", "orelse", "handlers", "body"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                waiting.extend(reversed(statements))


def _docstring(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    text = ast.get_docstring(node, clean=False)
    return inspect.cleandoc(text) if text else None


def _paragraphs(text: str) -> list[str]:
    return re.split(r"\n[ \t]*\n", text)


def _is_prose(paragraph: str) -> bool:
    """Whether a paragraph (with single spaces) is prose and not code, a table or a signature."""
    if ">>>" in paragraph or paragraph.count(" ") + 1 < MIN_PARAGRAPH_WORDS:
        return False
    letters = sum(character.isalpha() or character == " " for character in paragraph)
    return letters >= MIN_LETTERS * len(paragraph)
