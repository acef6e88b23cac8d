"""Downloads the hub's files into its local cache, with progress; interruptible, with checksums verified."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Told = Callable[[int, int], None]
"""Called with the bytes fetched and the bytes in total. An exception that it raises ends the download."""

_LOOK_EVERY = 0.2  # seconds
_WEIGHTS = "model.safetensors"


class DamagedDownloadError(Exception):
    """A downloaded file differs from the hub's checksum."""


class Interrupted(Exception):
    """`told` raised `reason`. A class of its own, so that it is not mistaken for an error of the hub."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Cancelled(BaseException):
    """Ends the download thread; a BaseException, because the libraries catch every Exception."""


def cached_commit(repository: str, revision: str | None) -> str | None:
    """The commit under which the cache holds the model's configuration for a branch, tag or commit."""
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(repository, "config.json", revision=revision)
    return Path(cached).parent.name if isinstance(cached, str) else None


def fetch_weights(repository: str, commit: str, told: Told | None) -> None:
    """Fetch the safetensors that transformers would read: one file or shards; nothing if there are none."""
    from huggingface_hub import HfApi

    names = [file.rfilename for file in HfApi().model_info(repository, revision=commit).siblings or ()]
    parts = [name for name in names if name.startswith("model-") and name.endswith(".safetensors")]
    fetch(repository, [_WEIGHTS] if _WEIGHTS in names else parts, kind="model", commit=commit, told=told)


def fetch(repository: str, files: Sequence[str], *, kind: str, commit: str, told: Told | None) -> None:
    """Fetch the `files` of a "model" or "dataset" that the cache lacks.

    An interrupted transfer resumes where it stopped. Each file's checksum is compared with the hub's. Raises
    Interrupted, DamagedDownloadError, and what the hub's library raises.
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

    # in a thread, so that `told` is called, and can end the download, even while the hub does not answer
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
    """Counts the bytes received; `cancelled` ends the download."""

    def __init__(self) -> None:
        self.done = 0
        self.cancelled = False

    def bar(self) -> type:
        """A class that the hub's library accepts as its progress bar."""
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
                """Accept and ignore every other method of a progress bar."""
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
    raise DamagedDownloadError(f"{info.path} has a different checksum from the hub's")


def _is_whole(path: Path, info: Any) -> bool:
    """Whether the file's checksum is the hub's: SHA-256 for LFS files, git's SHA-1 for others."""
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
