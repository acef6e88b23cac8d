"""Models and datasets to choose from: runs' checkpoints, the Hugging Face cache, local files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.display import numbers
from workbench.file_kinds import kind_of
from workbench.preview import hub_cache
from workbench.store import Store

Kind = Literal["model", "dataset"]
_MOST = 500


@dataclass(frozen=True, slots=True)
class Source:
    """Something to choose. `value`: what the recipe's field gets; `opens`: a folder to look into first."""

    value: str
    note: str
    opens: bool = False


def known(kind: Kind, store: Store) -> list[Source]:
    """What can be chosen without naming a path. Reads folders and the store, so call it on a thread."""
    if kind == "dataset":
        return [
            Source("python-docs", "the documentation inside this Python; no download"),
            *(
                Source(repository.name, f"in the Hugging Face cache, {repository.note}")
                for repository in hub_cache.datasets()
            ),
        ]
    runs = [
        Source(f"run:{run.id}", f"{run.name}, test {numbers.perplexity(run.eval_perplexity)}, on {run.model}")
        for run in store.past.models()
    ]
    cached = [
        Source(repository.name, f"in the Hugging Face cache, {repository.note}")
        for repository in hub_cache.models()
    ]
    return [Source("starter", "BERT-tiny, 4.4 million parameters; no download"), *cached, *runs]


def is_path(text: str) -> bool:
    """Whether the typed text is a path."""
    return text.startswith(("/", ".", "~"))


def inside(kind: Kind, typed: str) -> list[Source]:
    """Completions of a path being typed: the folder itself, if it can be chosen, then those of its entries
    that begin with the last part of the path.
    """
    folder, _, begin = typed.rpartition("/")
    if not folder and not typed.startswith("/"):
        folder, begin = typed, ""
    shown = folder or "/"
    try:
        here = Path(shown).expanduser()
        entries = sorted(here.iterdir(), key=lambda path: (not path.is_dir(), path.name.lower()))
    except (OSError, RuntimeError):
        return []
    sources = [Source(shown, note)] if (note := _fits(kind, here)) and not begin else []
    for entry in entries:
        if not entry.name.lower().startswith(begin.lower()) or (entry.name[0] == "." and not begin):
            continue
        sources.extend(_entry(kind, f"{shown.rstrip('/')}/{entry.name}", entry))
        if len(sources) >= _MOST:
            break
    return sources


def _entry(kind: Kind, value: str, path: Path) -> Iterator[Source]:
    try:
        if path.is_dir():
            fits = _fits(kind, path)
            yield Source(value, fits or "folder", opens=kind == "dataset" or not fits)
        elif kind == "dataset" and kind_of(path) is not None:
            yield Source(value, f"{path.stat().st_size / 1e6:,.1f} MB")
    except OSError:
        return


def _fits(kind: Kind, folder: Path) -> str:
    """Why a folder can be chosen itself; "" when it cannot."""
    try:
        if kind == "model":
            has_weights = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
            return "a model" if has_weights else ""
        shown = (path for path in folder.iterdir() if not path.name.startswith("."))
        files = sum(kind_of(path) is not None and not path.is_dir() for path in shown)
    except OSError:
        return ""
    return f"all {files} files in it" if files else ""
