"""A preparation that was cut off goes on where it was, to the same tokens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import Corpus, journal, prepare_corpus
from workbench.errors import CorpusError
from workbench.events import Event, Message, Phase, PhaseChanged, Progress
from workbench.recipe import Recipe

LINES = [
    f"Document {n} tells of the {n % 700}th thing, in about a dozen words of its own." for n in range(9000)
]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return recipe_for(path)


@pytest.fixture
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is written down twenty times."""
    monkeypatch.setattr(journal, "WRITE_EVERY", 32_000)


def stop_at(documents: int):
    def listen(event: Event) -> None:
        if isinstance(event, Progress) and event.unit == "documents" and event.done >= documents:
            raise KeyboardInterrupt

    return listen


@pytest.mark.parametrize("stops", [[1200], [3000], [1200, 2500, 8000], [6500]])
def test_it_goes_on_where_it_was_stopped(recipe, tokenizer, tmp_path, frequent, stops) -> None:
    whole = prepare_corpus(
        recipe, tokenizer, max_chunk=512, cache=tmp_path / "whole", listen=lambda event: None
    )
    cache = tmp_path / "cache"
    for documents in stops:
        with pytest.raises(KeyboardInterrupt):
            prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=stop_at(documents))
        assert [path.name[:6] for path in cache.iterdir()] == [".part-"]
    heard = Heard()
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=heard)
    told = [event.done for event in heard if isinstance(event, Progress) and event.unit == "documents"]
    assert told[0] > stops[-1] - 1500
    assert told[-1] == 9000
    assert corpus.fingerprint == whole.fingerprint
    assert (corpus.train.ids == whole.train.ids).all()
    assert (corpus.train.word_starts == whole.train.word_starts).all()
    assert (corpus.test.offsets == whole.test.offsets).all()
    assert corpus.repeated == whole.repeated == 0
    assert heard.texts == ["lines.txt: each line is a document; lines: 9,000."]
    assert [path.name[0] for path in cache.iterdir()] != ["."]
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "damaged", ["train.ids", "test.documents", "scratch/documents.txt", "scratch/journal.json"]
)
def test_what_is_damaged_is_done_again(recipe, tokenizer, tmp_path, frequent, damaged) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=stop_at(5000))
    (part,) = cache.iterdir()
    (part / damaged).write_bytes((part / damaged).read_bytes()[:100])
    corpus = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=lambda event: None)
    whole = prepare_corpus(
        recipe, tokenizer, max_chunk=512, cache=tmp_path / "whole", listen=lambda event: None
    )
    assert corpus.fingerprint == whole.fingerprint
    assert (corpus.train.ids == whole.train.ids).all()


KILLED = """
import sys, time
from pathlib import Path
from workbench.corpus import journal, prepare_corpus
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
journal.WRITE_EVERY = 32_000
def listen(event):
    if getattr(event, "done", 0) > 5000 and event.unit == "documents":
        print("far enough", flush=True)
        time.sleep(60)
recipe = Recipe.load(Path(sys.argv[1]))
prepare_corpus(recipe, load_tokenizer("starter"), max_chunk=512, cache=Path(sys.argv[2]), listen=listen)
"""


def test_it_goes_on_after_a_kill(recipe, tokenizer, tmp_path) -> None:
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    cache = tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "recipe.toml"), str(cache)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"far enough\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    heard = Heard()
    prepare_corpus(recipe, tokenizer, max_chunk=512, cache=cache, listen=heard)
    told = [event.done for event in heard if isinstance(event, Progress) and event.unit == "documents"]
    assert told[0] > 4000
    assert PhaseChanged(Phase.TOKENIZING) in heard
    assert len(list(cache.iterdir())) == 1


def prepared(recipe, tokenizer, cache, known=None) -> Corpus:
    return prepare_corpus(
        recipe, tokenizer, max_chunk=512, cache=cache, listen=lambda event: None, known=known
    )


@pytest.mark.parametrize("change", ["edited", "gone", "none", "moved back"])
def test_a_text_that_is_known_is_the_same_whatever_became_of_its_file(tmp_path, tokenizer, change) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"This is line {number} of a text.\n" for number in range(200)))
    recipe = recipe_for(path)
    before = prepared(recipe, tokenizer, tmp_path / "c")
    if change == "edited":
        path.write_text(path.read_text() + "one more line\n")
    elif change == "gone":
        path.unlink()
    elif change == "moved back":
        path.rename(tmp_path / "b.txt").rename(path)
    after = prepared(recipe, tokenizer, tmp_path / "c", known=before.fingerprint)
    assert (after.fingerprint, after.from_cache) == (before.fingerprint, True)
    news = [note for note in after.notes if note not in before.notes]
    expected = {
        "edited": [f"{path} has changed since the run's text was prepared. "],
        "gone": [f"There is no file or folder {path}. "],
    }.get(change, [])
    assert news == [text + "The text prepared before is used." for text in expected]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, tokenizer) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"This is line {number} of a text.\n" for number in range(200)))

    def write(event: Event) -> None:
        if isinstance(event, Message) and "each line is a document" in event.text:
            path.write_text(path.read_text() + "one more line\n")

    with pytest.raises(CorpusError, match="changed while it was read"):
        prepare_corpus(recipe_for(path), tokenizer, max_chunk=512, cache=tmp_path / "c", listen=write)
