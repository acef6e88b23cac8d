"""Files of the hub into its local cache: with progress, to be stopped at any moment, and checked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Told = Callable[[int, int], None]
"""Hears how many bytes are fetched, and of how many. What it raises ends the download."""

_LOOK_EVERY = 0.2  # seconds
_WEIGHTS = "model.safetensors"


class DamagedDownloadError(Exception):
    """What came is not what the hub says that it has."""


class Interrupted(Exception):
    """`told` raised: `reason`. Of its own kind, so that it is not taken for a fault of the hub."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Cancelled(BaseException):
    """Ends the downloading thread, past every `except Exception` of the libraries."""


def cached_commit(repository: str, revision: str | None) -> str | None:
    """The commit of the model whose configuration the cache holds under a branch, tag or commit."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, "config.json", revision=revision)
    return Path(found).parent.name if isinstance(found, str) else None


def fetch_weights(repository: str, commit: str, told: Told | None) -> None:
    """Fetch the safetensors that transformers would read, whole or in parts; none if there are none."""
    from huggingface_hub import HfApi

    names = [file.rfilename for file in HfApi().model_info(repository, revision=commit).siblings or ()]
    parts = [name for name in names if name.startswith("model-") and name.endswith(".safetensors")]
    fetch(repository, [_WEIGHTS] if _WEIGHTS in names else parts, kind="model", commit=commit, told=told)


def fetch(repository: str, files: Sequence[str], *, kind: str, commit: str, told: Told | None) -> None:
    """Bring `files` of a "model" or "dataset" into the cache; what is there already is not asked for again.

    A connection that breaks is taken up where it broke. Each file's checksum is compared with the hub's.
    Raises Interrupted, DamagedDownloadError, and what the hub's library raises.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    missing = [
        file
        for file in files
        if not isinstance(try_to_load_from_cache(repository, file, revision=commit, repo_type=kind), str)
    ]
    if not missing:
        return
    infos = HfApi().get_paths_info(repository, missing, revision=commit, repo_type=kind)
    wanted = [info for info in infos if hasattr(info, "size")]
    total = sum(info.size for info in wanted)
    counter = _Counter()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for info in wanted:
                _fetch_one(repository, kind, commit, info, counter)
        except BaseException as error:
            failure.append(error)

    # a thread of its own: `told` is called, and may end it all, even while the hub is silent
    thread = threading.Thread(target=work, name="download", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK_EVERY)
            if told is not None:
                told(min(counter.done, total), total)
    except BaseException as reason:
        counter.cancelled = True
        raise Interrupted(reason) from reason
    if failure:
        raise failure[0]


class _Counter:
    """Bytes that came, and whether more are wanted."""

    def __init__(self) -> None:
        self.done = 0
        self.cancelled = False

    def bar(self) -> type:
        """A class that the hub's library takes for its progress bar."""
        counter = self

        class Bar:
            def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
                counter.done += initial

            def __enter__(self) -> Bar:
                return self

            def __exit__(self, *_: object) -> None:
                return None

            def update(self, amount: float | None = 1) -> None:
                counter.done += int(amount or 0)
                if counter.cancelled:
                    raise _Cancelled

            def __getattr__(self, name: str) -> Callable[..., None]:
                """Whatever else a bar can do."""
                if name.startswith("__"):
                    raise AttributeError(name)
                return lambda *_, **__: None

        return Bar


def _fetch_one(repository: str, kind: str, commit: str, info: Any, counter: _Counter) -> None:
    from huggingface_hub import hf_hub_download

    path = Path(
        hf_hub_download(
            repository,
            info.path,
            repo_type=kind,
            revision=commit,
            tqdm_class=counter.bar(),
        )
    )
    if _is_whole(path, info):
        return
    blob = path.resolve()
    for damaged in {path, blob}:
        damaged.unlink(missing_ok=True)
    raise DamagedDownloadError(f"{info.path} has another checksum than the hub says")


def _is_whole(path: Path, info: Any) -> bool:
    """Whether the file is what the hub says: by SHA-256 for large files, by git's SHA-1 for the others."""
    with path.open("rb") as file:
        if info.lfs is not None:
            return str(info.lfs.sha256) == hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        for block in _blocks(file):
            digest.update(block)
    return str(info.blob_id) == digest.hexdigest()


def _blocks(file: Any) -> Iterable[bytes]:
    while block := file.read(1 << 20):
        yield block
