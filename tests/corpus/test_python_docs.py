from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.corpus.documents import Documents
from workbench.corpus.notes import Notes
from workbench.corpus.python_docs import MIN_DOCUMENT_WORDS, PythonDocs
from workbench.errors import CorpusError

QUIET = Notes(lambda event: None)


def texts_of(documents: Documents) -> list[str]:
    return documents.texts(np.arange(len(documents)))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return texts_of(PythonDocs().read(Path(), QUIET))


def test_it_is_as_large_as_promised(texts, docs) -> None:
    assert 350 < len(texts) < 500
    assert 220_000 < sum(len(text.split()) for text in texts) < 300_000
    assert 2_500 < len(docs.train) + len(docs.test) < 3_400


def test_it_is_prose_of_modules_and_topics(texts) -> None:
    whole = "\n".join(texts)
    assert "Assert statements are a convenient way" in whole  # a topic
    assert "Abstract Base Classes" in whole  # a module
    assert ">>>" not in whole
    assert all(len(text.split()) >= MIN_DOCUMENT_WORDS for text in texts)


def test_no_paragraph_comes_twice(texts) -> None:
    paragraphs = [paragraph for text in texts for paragraph in text.split("\n\n")]
    assert len(paragraphs) == len(set(paragraphs))


def test_it_is_the_same_at_every_reading(texts) -> None:
    assert texts_of(PythonDocs().read(Path(), QUIET)) == texts


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A small standard library: one module worth reading, and much that is left out."""
    prose = "Every paragraph of prose is kept when it has enough words to be worth reading. "
    paragraphs = "\n\n    ".join(
        prose + f"This one is called {name} by us." for name in ("alpha", "beta", "gamma")
    )
    more = "\n\n        ".join(prose + f"That one is called {name} by us." for name in ("delta", "epsilon"))
    (tmp_path / "good.py").write_text(
        f'"""{paragraphs}\n\n    >>> code(1)  # a doctest of many words that must not be kept at all here\n\n'
        f'    x = f(1, 2); y = [3, 4]; z = (5, 6) + (7, 8) - 9 * 10\n"""\n'
        f'class A:\n    def f(self):\n        """{more}"""\n        raise SystemExit("imported")\n'
        'raise SystemExit("imported")\n'
    )
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "latin.py").write_bytes(b'"""caf\xe9"""\n')
    (tmp_path / "short.py").write_text('"""Too short."""\n')
    for folder in ("test", "site-packages"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "copy.py").write_text(
            (tmp_path / "good.py").read_text().replace("of prose", "apart")
        )
    return tmp_path


def test_docstrings_are_read_and_nothing_is_run(library) -> None:
    (text,) = texts_of(PythonDocs(library).read(Path(), QUIET))
    assert [paragraph.split()[-3] for paragraph in text.split("\n\n")] == [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
    ]


def test_a_python_without_its_library_is_told_what_to_do(tmp_path) -> None:
    with pytest.raises(CorpusError, match=r"its standard library.*\.txt"):
        PythonDocs(tmp_path).read(Path(), QUIET)
