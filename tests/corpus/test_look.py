"""Frequent lines, documents of another script and short ones are listed with examples."""

from __future__ import annotations

import json

from tests.corpus.conftest import Heard
from workbench.cli import main
from workbench.corpus import look
from workbench.corpus.documents import ListedDocuments
from workbench.corpus.look import Example, FrequentLine, look_at, script_of
from workbench.corpus.notes import Notes

TEXTS = [f"This is article {n}.\nIt has text of its own: {n * n}.\nAll rights reserved." for n in range(40)]
ODD = ["Это предложение написано по-русски.", "Just two", "海边的老房子。", "  ", "12 34"]


def test_what_is_odd_is_listed() -> None:
    found = look_at(ListedDocuments([*TEXTS[:20], *ODD, *TEXTS[20:]]), Notes(Heard()))
    assert found.frequent_lines == (FrequentLine("All rights reserved.", 40),)
    assert found.near_empty_examples[:2] == (Example(21, ODD[0]), Example(22, "Just two"))
    assert found.script == "LATIN"
    assert found.other_scripts == {"CYRILLIC": 1, "CJK": 1}
    assert found.other_script_examples == (Example(21, ODD[0]), Example(23, ODD[2]))


def test_the_script_is_that_of_most_letters() -> None:
    assert script_of("Привет, world, как дела сегодня") == "CYRILLIC"
    assert script_of("naïve café") == "LATIN"
    assert script_of("彼はテレビを見た") == "CJK"
    assert script_of("1234 — !") == ""


DUTCH = "Dit is een zin over de hartklep van de patiënt, die gisteren werd onderzocht."
ENGLISH = [f"The doctor examined the patient in room {n} and wrote a report about it." for n in range(30)]


def test_documents_in_another_language_of_the_same_script_are_listed() -> None:
    odd = [DUTCH, "Der Arzt hat den Patienten gestern untersucht und einen Bericht geschrieben.", "x = f(y)"]
    found = look_at(ListedDocuments([*ENGLISH, *odd, "ACGTTGCAACGT"]), Notes(Heard()))
    assert found.language == "en"
    assert found.other_languages == {"nl": 1, "de": 1}
    assert found.other_language_examples[0] == Example(31, DUTCH, language="nl")
    assert found.other_scripts == {}


def test_of_many_documents_some_are_judged(monkeypatch) -> None:
    monkeypatch.setattr(look, "_MOST_JUDGED", 10)
    found = look_at(ListedDocuments(ENGLISH), Notes(Heard()))
    assert (found.language, found.judged_languages) == ("en", 10)


def test_lines_are_counted_in_bounded_memory(monkeypatch) -> None:
    monkeypatch.setattr(look, "_MOST_LINES", 100)
    texts = [f"only once {n}\nevery time" for n in range(2000)]
    found = look_at(ListedDocuments(texts), Notes(Heard()))
    assert found.frequent_lines[0].text == "every time"
    assert found.frequent_lines[0].times == 2000


def test_inspect_lists_them(tmp_path, capsys) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in [*TEXTS, *ODD, DUTCH]))
    assert main(["inspect", str(path), "--chunk-size", "16", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["frequent_lines"] == [{"text": "All rights reserved.", "times": 40}]
    assert printed["other_scripts"] == {"CYRILLIC": 1, "CJK": 1}
    assert main(["inspect", str(path), "--chunk-size", "16"]) == 0
    out = capsys.readouterr().out
    assert f"document 46 (a.jsonl, line 46), nl: {DUTCH}" in out
    assert "40 × All rights reserved." in out
    assert "document 41" in out and "CYRILLIC" in out
