"""Finds a text that was prepared before by its fingerprint, and compares it with its present files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.corpus import cache as cached
from workbench.corpus.build import ON_THIS_MACHINE
from workbench.corpus.notes import Notes
from workbench.corpus.sources import open_source
from workbench.errors import WorkbenchError
from workbench.recipe import Recipe

_REUSED = "The text prepared before is used."


def entries_of(cache: Path, fingerprint: str, words_version: str | None) -> list[Path]:
    """The cache's folders with the text of this fingerprint and this version of the word segmentation."""
    folders = []
    for folder in cached.entries(cache):
        facts = cached.read_facts(folder) or {}
        other_words = facts.get("unspaced") and words_version not in (None, facts.get("words"))
        if facts.get("fingerprint") == fingerprint and not other_words:
            folders.append(folder)
    return folders


def tell_changes(recipe: Recipe, cache: Path, folders: Sequence[Path], notes: Notes) -> None:
    """Warn if a text's files have changed since it was prepared."""
    before = [facts["source"] for folder in folders if "source" in (facts := cached.read_facts(folder) or {})]
    if not any(isinstance(source, dict) and source.get("source") in ON_THIS_MACHINE for source in before):
        return
    try:
        identity = open_source(recipe, cache).identity(Notes(lambda event: None))
    except WorkbenchError as error:
        notes.warning(f"{error.message} {_REUSED}")
        return
    now = json.loads(json.dumps(identity))
    if now not in before and now.get("source") in ON_THIS_MACHINE:
        changed = _first_changed(before[0], now)
        notes.warning(f"{changed} has changed since the run's text was prepared. {_REUSED}")


def _first_changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    old = {str(name): facts for name, *facts in before.get("files", [])}
    new = {str(name): facts for name, *facts in now.get("files", [])}
    names = sorted(old.keys() | new.keys())
    return next((name for name in names if old.get(name) != new.get(name)), "The way to read it")
