"""Removes what must not leave this machine: absolute paths, names of users and hosts, secrets."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path
from typing import Any

from workbench.private import without_secrets
from workbench.recipe import Recipe
from workbench.store import Run

_PATH = re.compile(r"(?<![\w/:.~<])(?:~[\w.-]*)?/(?:[^\s/\"'`<>|]+/)+([^\s/\"'`<>|]*)")
"""An absolute path of at least two parts, but not the rest of a URL."""
_NAMES_OF_PLACES = (
    "_name_or_path",
    "name_or_path",
    "vocab_file",
    "tokenizer_file",
    "special_tokens_map_file",
)
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)


def shareable_text(text: str, run: Run) -> str:
    """`text` with its paths cut to their last parts, and without this machine's name."""
    text = _PATH.sub(lambda match: f"…/{match.group(1)}", without_secrets(text))
    for host in {run.host or "", str(run.environment.get("host") or ""), platform.node()}:
        if len(host) > 2:
            text = re.sub(rf"(?<!\w){re.escape(host)}(?!\w)", "…", text)
    return text


def shareable_recipe(run: Run) -> Recipe:
    """The run's recipe, with local paths cut to file names."""
    recipe = run.recipe.complete()
    model, dataset = (_without_folders(without_secrets(name)) for name in (recipe.model, recipe.dataset))
    return recipe.with_changes(model=model, dataset=dataset)


def is_hub_id(name: str, revision: str | None) -> bool:
    """Whether a model or data set came from the hub; its revision is then known."""
    return revision is not None and _HUB_ID.fullmatch(name) is not None


def clean_json(file: Path) -> None:
    """Remove the paths that libraries write into a configuration."""
    values = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(values, dict) and any(name in values for name in _NAMES_OF_PLACES):
        kept: dict[str, Any] = {key: value for key, value in values.items() if key not in _NAMES_OF_PLACES}
        file.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _without_folders(name: str) -> str:
    """The file name alone if `name` leads out of the current folder; otherwise `name`."""
    parts = re.split(r"[/\\]", name.rstrip("/\\"))
    outside = name.startswith(("/", "~", "\\")) or ".." in parts or re.match(r"[A-Za-z]:[/\\]", name)
    return (parts[-1] or "text") if outside else name
