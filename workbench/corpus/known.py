"""A text that was prepared before: found in the cache by its fingerprint, compared with its files today."""

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

_GOES_ON = "The text that was prepared before is used."


def entries_of(cache: Path, fingerprint: str, words_version: str | None) -> list[Path]:
    """The folders of the cache that hold the text of that fingerprint, with words of that version."""
    found = []
    for folder in cached.entries(cache):
        facts = cached.read_facts(folder) or {}
        other_words = facts.get("unspaced") and words_version not in (None, facts.get("words"))
        if facts.get("fingerprint") == fingerprint and not other_words:
            found.append(folder)
    return found


def tell_changes(recipe: Recipe, cache: Path, folders: Sequence[Path], notes: Notes) -> None:
    """Warn where the files of a text are no longer those that it was prepared from."""
    before = [facts["source"] for folder in folders if "source" in (facts := cached.read_facts(folder) or {})]
    if not any(isinstance(one, dict) and one.get("source") in ON_THIS_MACHINE for one in before):
        return
    try:
        identity = open_source(recipe, cache).identity(Notes(lambda event: None))
    except WorkbenchError as error:
        notes.warning(f"{error.message} {_GOES_ON}")
        return
    now = json.loads(json.dumps(identity))
    if now not in before and now.get("source") in ON_THIS_MACHINE:
        changed = _first_changed(before[0], now)
        notes.warning(f"{changed} has changed since the run's text was prepared. {_GOES_ON}")


def _first_changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    known = {str(name): facts for name, *facts in before.get("files", [])}
    there = {str(name): facts for name, *facts in now.get("files", [])}
    names = sorted(known.keys() | there.keys())
    return next((name for name in names if known.get(name) != there.get(name)), "The way that it is read")
