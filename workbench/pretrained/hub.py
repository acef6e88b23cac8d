"""Reaches the Hugging Face hub without a long wait when there is no network, and explains its errors."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from workbench.errors import CorpusError, ModelError, WorkbenchError
from workbench.pretrained import client

PROBE_SECONDS = 3.0
_PROBE_IS_GOOD_FOR = 60.0  # seconds, so that a long-lived process notices when the network comes back
_last_probe: dict[str, tuple[float, bool]] = {}

_WORKS_OFFLINE = {
    "model": "The model `starter` works offline.",
    "data set": "The data set `python-docs` and local files work offline.",
}


def hub_is_reachable() -> bool:
    """Whether the hub's host accepts a connection; probed at most once a minute, False in offline mode."""
    if _told_to_stay_offline():
        return False
    host, port = _first_hop(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    name = f"{host}:{port}"
    at, reachable = _last_probe.get(name, (-_PROBE_IS_GOOD_FOR, False))
    if time.monotonic() - at >= _PROBE_IS_GOOD_FOR:
        reachable = _connects(host, port)
        _last_probe[name] = (time.monotonic(), reachable)
    return reachable


def require_hub(what: str, kind: str = "model") -> None:
    """Prepare to load the id `what`, a "model" or "data set", from the hub or its local cache.

    If the hub cannot be reached, the libraries are switched to their cache at once, because they retry each
    file for 23 to 46 seconds otherwise. Raises ModelError or CorpusError if the cache does not hold `what`.
    """
    import huggingface_hub.constants

    client.install()
    offline = not hub_is_reachable()
    vars(huggingface_hub.constants)["HF_HUB_OFFLINE"] = offline
    if "datasets.config" in sys.modules:  # it keeps its own copy; importing it takes a second
        vars(sys.modules["datasets.config"])["HF_HUB_OFFLINE"] = offline
    if offline and not _in_cache(what, kind):
        raise not_found(what, kind)


def explain_hub_error(error: BaseException, what: str, kind: str = "model") -> WorkbenchError:
    """An error with a clear message for what the hub's libraries raised about the id `what`."""
    names = {type(link).__name__ for link in _chain(error)}
    texts = " ".join(str(link) for link in _chain(error)).lower()
    kind_of_error = ModelError if kind == "model" else CorpusError
    if "GatedRepoError" in names or "is a gated" in texts:
        return kind_of_error(
            f"The {kind} {what} is gated: its owners must grant access first.",
            f"Request access on its hub page, then log in with `hf auth login`. {_WORKS_OFFLINE[kind]}",
        )
    for link in _chain(error):
        if isinstance(link, client.HubUnwillingError):
            return _unwilling(link, what, kind)
        if isinstance(link, client.HubSilentError):
            return kind_of_error(
                f"The hub did not answer the request for the {kind} {what}: {link}.",
                f"Try again later; what was fetched is kept. {_WORKS_OFFLINE[kind]}",
            )
        if getattr(getattr(link, "response", None), "status_code", None) == 401 and _has_token():
            return kind_of_error(
                f"The hub rejected your access token for the {kind} {what}.",
                "Log in again with `hf auth login`, or correct HF_TOKEN.",
            )
    if "Consistency check failed" in " ".join(map(str, _chain(error))) or "DamagedDownloadError" in names:
        return kind_of_error(
            f"A file of the {kind} {what} was damaged in transfer: its checksum differs from the hub's.",
            "Try again; if it happens again, the cause is a proxy or the hub itself.",
        )
    if "RevisionNotFoundError" in names:
        return kind_of_error(
            f"The {kind} {what} does not have this revision.", "Look up its branches and tags on the hub."
        )
    if names & {"RepositoryNotFoundError", "DatasetNotFoundError", "HFValidationError"}:
        return not_found(what, kind) if not hub_is_reachable() else _absent(what, kind)
    if names & {
        "LocalEntryNotFoundError",
        "OfflineModeIsEnabled",
        "ConnectionError",
        "ConnectError",
        "ConnectTimeout",
        "TimeoutError",
        "FileNotFoundError",
    }:
        return not_found(what, kind)
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return kind_of_error(f"The {kind} {what} cannot be loaded: {first_line}", _WORKS_OFFLINE[kind])


def _unwilling(error: client.HubUnwillingError, what: str, kind: str) -> WorkbenchError:
    kind_of_error = ModelError if kind == "model" else CorpusError
    if error.status == 429:
        wait = f" It asks to wait {error.wait:g} seconds." if error.wait else ""
        return kind_of_error(
            f"The hub refuses the {kind} {what} for now: too many requests from this machine.{wait}",
            "Wait, or log in with `hf auth login` for a higher limit.",
        )
    return kind_of_error(
        f"The {kind} {what} cannot be fetched: the hub has an internal error (status {error.status}).",
        f"Try again later; what was fetched is kept. {_WORKS_OFFLINE[kind]}",
    )


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def not_found(what: str, kind: str) -> WorkbenchError:
    """The error for an id that is not in the local cache while the hub cannot be reached."""
    kind_of_error = ModelError if kind == "model" else CorpusError
    why = "there is no network"
    if _told_to_stay_offline():
        why = "offline mode is on (HF_HUB_OFFLINE)"
    elif hub_is_reachable():
        why = "the connection broke"
    return kind_of_error(
        f"The {kind} {what} was not found on this machine, and the hub cannot be reached: "
        f"{why}, or the id does not exist.",
        f"Check the id and the connection. {_WORKS_OFFLINE[kind]}",
    )


def _absent(what: str, kind: str) -> WorkbenchError:
    kind_of_error = ModelError if kind == "model" else CorpusError
    return kind_of_error(
        f"The hub has no {kind} {what}, or it is private.",
        f"Check the id; if it is private, log in with `hf auth login`. {_WORKS_OFFLINE[kind]}",
    )


def _in_cache(what: str, kind: str) -> bool:
    """Whether the local cache holds files of this id."""
    from huggingface_hub.constants import HF_HOME, HF_HUB_CACHE

    if kind == "model":
        return (Path(HF_HUB_CACHE) / f"models--{what.replace('/', '--')}").is_dir()
    built = Path(os.environ.get("HF_DATASETS_CACHE") or Path(HF_HOME) / "datasets")
    return (Path(HF_HUB_CACHE) / f"datasets--{what.replace('/', '--')}").is_dir() or (
        built / what.replace("/", "___")
    ).is_dir()


def _told_to_stay_offline() -> bool:
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
    return any(os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE") for name in names)


def _first_hop(endpoint: str) -> tuple[str, int]:
    """The host and port to connect to: the proxy's if one is set, else the hub's."""
    target = urlsplit(endpoint)
    proxies = getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return target.hostname or "", target.port or (80 if target.scheme == "http" else 443)


def _connects(host: str, port: int) -> bool:
    """Whether host:port accepts a connection within PROBE_SECONDS, including the name lookup."""
    answer: list[bool] = []

    def attempt() -> None:
        try:
            socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
            answer.append(True)
        except (OSError, UnicodeError):
            answer.append(False)

    # a name lookup has no timeout, so it runs in a thread that is abandoned when it takes too long
    thread = threading.Thread(target=attempt, daemon=True, name="hub-probe")
    thread.start()
    thread.join(PROBE_SECONDS)
    return bool(answer and answer[0])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
