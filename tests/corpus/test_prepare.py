"""A corpus from end to end: what comes out, what is cached, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.conftest import Heard, recipe_for
from workbench.corpus import ChunkTable, Corpus, prepare_corpus
from workbench.corpus.cache import FACTS
from workbench.errors import CorpusError
from workbench.events import CorpusReady, Phase, PhaseChanged, Progress
from workbench.recipe import PRESETS, Recipe

LINES = [f"Document {n} tells of the {n}th thing, in about a dozen words of its own." for n in range(60)]


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def prepare(tokenizer, cache):
    """prepare_corpus with the starter's tokenizer."""

    def run(recipe: Recipe, listen=lambda event: None, max_chunk: int | None = 512) -> Corpus:
        return prepare_corpus(recipe, tokenizer, max_chunk=max_chunk, cache=cache, listen=listen)

    return run


def entries(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def test_chunks_are_the_documents_end_to_end(prepare, tokenizer, text_file) -> None:
    corpus = prepare(recipe_for(text_file))
    rows = np.random.default_rng(42).permutation(len(LINES))
    for table, part in ((corpus.test, rows[:12]), (corpus.train, rows[12:])):
        stream = [i for row in part for i in tokenizer(LINES[row])["input_ids"]]
        kept = len(stream) // 16 * 16
        assert table.ids.reshape(-1).tolist() == stream[:kept]
        assert table.tokens == len(stream)
        assert table.documents == len(part)
        first_words = [len(tokenizer(LINES[row])["input_ids"]) for row in part]
        assert np.diff(table.offsets).tolist() == first_words


def test_no_document_is_on_both_sides(prepare, tokenizer, text_file) -> None:
    corpus = prepare(recipe_for(text_file))

    def numbers(table: ChunkTable) -> set[str]:
        text = tokenizer.decode(table.ids.reshape(-1))
        return set(text.replace("[CLS]", "").split("document ")[1:]) and {
            part.split()[0] for part in text.split("document ")[1:]
        }

    assert len(numbers(corpus.train)) > 40
    assert not numbers(corpus.train) & numbers(corpus.test)


def test_every_chunk_size_is_cut_from_one_stream(prepare, text_file, cache) -> None:
    small, large = prepare(recipe_for(text_file, chunk_size=8)), prepare(recipe_for(text_file, chunk_size=32))
    assert (small.from_cache, large.from_cache) == (False, True)
    assert len(entries(cache)) == 1
    assert np.array_equal(small.train.ids.reshape(-1)[:320], large.train.ids.reshape(-1)[:320])
    assert small.train.word_starts.shape == small.train.ids.shape == (small.train.tokens // 8, 8)
    assert large.train.chunk_size == 32
    assert small.fingerprint == large.fingerprint


def test_chunks_are_mapped_from_disk_and_cannot_be_written(docs) -> None:
    for array in (docs.train.ids, docs.train.word_starts, docs.test.ids):
        assert isinstance(array.base, np.memmap) or isinstance(array, np.memmap)
        assert not array.flags.writeable
    assert docs.train.ids.dtype == np.uint16


def test_the_document_of_a_chunk_is_where_it_begins(docs) -> None:
    owners = docs.test.document_of_chunk()
    starts = np.arange(len(docs.test)) * docs.test.chunk_size
    assert (docs.test.offsets[owners] <= starts).all()
    assert (starts < docs.test.offsets[owners + 1]).all()


def test_it_tells_what_it_does(prepare, text_file) -> None:
    heard = Heard()
    corpus = prepare(recipe_for(text_file), heard)
    assert [e.phase for e in heard if isinstance(e, PhaseChanged)] == [Phase.LOADING_DATA, Phase.TOKENIZING]
    progress = [e for e in heard if isinstance(e, Progress) and e.unit == "documents"]
    assert progress[-1] == Progress(60, 60, "documents")
    assert [e.done for e in progress] == sorted(e.done for e in progress)
    assert heard[-1] == corpus.ready()
    ready = heard[-1]
    assert isinstance(ready, CorpusReady)
    assert (ready.train_documents, ready.test_documents) == (48, 12)
    assert ready.train_chunks == ready.train_tokens // 16


def test_the_second_time_comes_from_the_cache_with_the_same_notes(prepare, text_file) -> None:
    text_file.write_text("\n\n".join(LINES))
    first, second = Heard(), Heard()
    one, two = prepare(recipe_for(text_file), first), prepare(recipe_for(text_file), second)
    assert (one.from_cache, two.from_cache) == (False, True)
    assert first.texts == second.texts
    assert "rows without text were left out." in first.texts[-1]
    assert one.fingerprint == two.fingerprint
    assert np.array_equal(one.train.ids, two.train.ids)


def test_a_changed_file_is_read_again(prepare, text_file) -> None:
    before = prepare(recipe_for(text_file))
    text_file.write_text("\n".join([*LINES, "One more document that was not there before."]))
    after = prepare(recipe_for(text_file))
    assert not after.from_cache
    assert after.fingerprint != before.fingerprint


def test_the_fingerprint_is_of_the_text_not_of_where_it_lies(prepare, text_file, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere" / "other-name.txt"
    elsewhere.parent.mkdir()
    shutil.copy(text_file, elsewhere)
    assert prepare(recipe_for(elsewhere)).fingerprint == prepare(recipe_for(text_file)).fingerprint


@pytest.mark.parametrize("change", [{"seed": 1}, {"test_size": 20}, {"train_size": 30}])
def test_another_split_is_another_corpus(prepare, text_file, change) -> None:
    base, other = prepare(recipe_for(text_file)), prepare(recipe_for(text_file, **change))
    assert not other.from_cache
    assert other.fingerprint != base.fingerprint


def test_what_does_not_concern_the_text_shares_it(prepare, text_file) -> None:
    prepare(recipe_for(text_file))
    other = prepare(recipe_for(text_file, mask_prob=0.4, masking="span", epochs=9, batch_size=2))
    assert other.from_cache


@pytest.mark.parametrize("damage", ["train.ids", "test.documents", FACTS])
def test_a_damaged_entry_is_made_again(prepare, text_file, cache, damage) -> None:
    good = prepare(recipe_for(text_file)).fingerprint
    path = entries(cache)[0] / damage
    path.write_bytes(path.read_bytes()[:-3])
    again = prepare(recipe_for(text_file))
    assert (again.from_cache, again.fingerprint) == (False, good)
    assert prepare(recipe_for(text_file)).from_cache


def test_an_interrupted_preparation_leaves_nothing(prepare, text_file, cache) -> None:
    def interrupt(event: object) -> None:
        if isinstance(event, Progress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(recipe_for(text_file), interrupt)
    assert entries(cache) == []
    assert not prepare(recipe_for(text_file)).from_cache


def test_old_leftovers_are_swept_and_fresh_ones_left_alone(prepare, text_file, cache) -> None:
    for name in (".part-old", ".part-new"):
        (cache / name).mkdir(parents=True)
    os.utime(cache / ".part-old", (0, 0))
    prepare(recipe_for(text_file))
    assert not (cache / ".part-old").exists()
    assert (cache / ".part-new").exists()


RACER = """
import sys
from pathlib import Path
from workbench.corpus import prepare_corpus
from workbench.pretrained.tokenizer import load_tokenizer
from workbench.recipe import Recipe
recipe = Recipe.load(Path(sys.argv[1]))
tokenizer = load_tokenizer("starter")
input()
corpus = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=Path(sys.argv[2]), listen=lambda event: None)
print(corpus.fingerprint, len(corpus.train))
"""


def test_two_processes_may_prepare_the_same_text_at_once(text_file, cache, tmp_path) -> None:
    (tmp_path / "recipe.toml").write_text(recipe_for(text_file).to_toml())
    command = [sys.executable, "-c", RACER, str(tmp_path / "recipe.toml"), str(cache)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate()[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert answers[0] == answers[1] != []
    assert [path.name[0] != "." for path in entries(cache)] == [True]


@pytest.mark.parametrize("chunk_size", [513, 4096])
def test_a_chunk_larger_than_the_model_reads_is_refused(prepare, text_file, cache, chunk_size) -> None:
    with pytest.raises(CorpusError, match=f"chunk_size is {chunk_size}, .* at most 512 tokens"):
        prepare(recipe_for(text_file, chunk_size=chunk_size))
    with pytest.raises(CorpusError, match="the tokenizer allows at most 512"):
        prepare(recipe_for(text_file, chunk_size=chunk_size), max_chunk=None)
    with pytest.raises(CorpusError, match="the model can read at most 30"):
        prepare(recipe_for(text_file, chunk_size=31), max_chunk=30)
    assert entries(cache) == []


def test_too_little_text_says_how_much_there_was(prepare, tmp_path) -> None:
    path = tmp_path / "tiny.txt"
    path.write_text("\n".join(["just a few words"] * 10))
    # 8 documents to train on of 4 words and two special tokens each, 2 to test
    with pytest.raises(
        CorpusError, match="train text has 48 tokens in 8 documents, less than one chunk of 64"
    ):
        prepare(recipe_for(path, chunk_size=64))
    with pytest.raises(CorpusError, match=r"test text has 12 tokens in 2 documents.*test_size.*12 or less"):
        prepare(recipe_for(path, chunk_size=16))
    assert len(prepare(recipe_for(path, chunk_size=12)).test) == 1


def test_a_text_of_blanks_is_too_little(prepare, tmp_path) -> None:
    (tmp_path / "blank.txt").write_text(" \n\t\n\n  \n")
    with pytest.raises(CorpusError, match="0 tokens in 0 documents"):
        prepare(recipe_for(tmp_path / "blank.txt"))


def test_one_document_cannot_be_split(prepare, tmp_path) -> None:
    (tmp_path / "one.txt").write_text("one line only, however long " * 50)
    with pytest.raises(CorpusError, match="1 document; at least two are needed"):
        prepare(recipe_for(tmp_path / "one.txt"))


def test_a_cache_that_cannot_be_written_is_said(tokenizer, text_file, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match=r"cannot be written to .*file"):
        prepare_corpus(
            recipe_for(text_file),
            tokenizer,
            max_chunk=512,
            cache=tmp_path / "file" / "cache",
            listen=lambda event: None,
        )


def test_text_that_looks_like_special_tokens_is_counted_as_they_are(prepare, tmp_path) -> None:
    path = tmp_path / "marked.txt"
    path.write_text("\n".join(["[MASK] [red]bold[/red] \x1b[31mred words here to fill a line"] * 40))
    corpus = prepare(recipe_for(path))
    assert corpus.largest_id == int(max(corpus.train.ids.max(), corpus.test.ids.max()))


def test_the_starter_is_ready_from_the_cache_with_its_counts(docs, tokenizer, docs_cache) -> None:
    again = prepare_corpus(
        PRESETS["starter"], tokenizer, max_chunk=512, cache=docs_cache, listen=lambda event: None
    )
    assert again.from_cache
    assert again.fingerprint == docs.fingerprint
    facts = json.loads((entries(docs_cache)[0] / FACTS).read_text())
    assert facts["fingerprint"] == docs.fingerprint
    assert docs.test.documents == pytest.approx(0.2 * (docs.train.documents + docs.test.documents), abs=1)


def test_a_split_seed_keeps_the_held_out_rows_whatever_the_seed(
    tokenizer, docs: Corpus, docs_cache: Path
) -> None:
    recipe = PRESETS["starter"].with_changes(seed=43, split_seed=42)
    other = prepare_corpus(recipe, tokenizer, max_chunk=512, cache=docs_cache, listen=lambda event: None)
    assert other.fingerprint == docs.fingerprint and other.from_cache
    assert PRESETS["starter"].with_changes(seed=43).seed_of_split == 43
