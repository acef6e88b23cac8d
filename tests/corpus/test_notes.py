"""What was done to a text is counted, told once with the first place, and reaches whoever asks later."""

from __future__ import annotations

import json

from tests.corpus.conftest import Heard, recipe_for
from workbench.cli import main
from workbench.corpus import prepare_corpus
from workbench.corpus.documents import ListedDocuments
from workbench.corpus.notes import Notes
from workbench.corpus.statistics import statistics


def test_what_is_counted_is_told_once_with_the_first_place() -> None:
    heard = Heard()
    notes = Notes(heard)
    for line in (3, 5, 8):
        notes.count("numbers read as their digits", f"a.jsonl, line {line}")
    notes.count("lines without text", "a.jsonl, line 9", 1_200, level="info")
    assert heard.texts == []
    notes.tell_counts()
    notes.tell_counts()
    assert notes.kept == [
        ("warning", "Numbers read as their digits: 3. First: a.jsonl, line 3."),
        ("info", "Lines without text: 1,200. First: a.jsonl, line 9."),
    ]
    notes.count("numbers read as their digits", "b.jsonl, line 1")
    notes.tell_counts()
    assert heard.texts[-1] == "Numbers read as their digits: 4. First: a.jsonl, line 3."


class Counted:
    """A source that counts something while it is read."""

    def identity(self, notes: Notes) -> dict[str, str]:
        return {"source": "counted"}

    def read(self, folder, notes: Notes) -> ListedDocuments:
        notes.count("characters replaced", "x.txt, line 2", 7)
        return ListedDocuments([f"Document {n} has a few words of its own." for n in range(60)])


def test_counts_reach_the_statistics_and_come_again_from_the_cache(tokenizer, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("workbench.corpus.prepare.open_source", lambda recipe, cache: Counted())
    for from_cache in (False, True):
        heard = Heard()
        corpus = prepare_corpus(
            recipe_for("x.txt"), tokenizer, max_chunk=512, cache=tmp_path / "cache", listen=heard
        )
        assert corpus.from_cache == from_cache
        assert "Characters replaced: 7. First: x.txt, line 2." in heard.texts
        assert corpus.ready().notes == corpus.notes == tuple(heard.texts)
        assert statistics(corpus, tokenizer).as_json()["notes"] == tuple(heard.texts)


def test_inspect_prints_the_notes_as_json_too(tmp_path, capsys) -> None:
    (tmp_path / "a.txt").write_text("\n".join(f"Line {n} of a text." for n in range(60)))
    assert main(["inspect", str(tmp_path / "a.txt"), "--chunk-size", "16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["a.txt: each line is a document; lines: 60."]
