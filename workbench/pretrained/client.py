"""The hub's client, kept from trying for minutes: it gives up soon, and says why.

The libraries repeat a request five times with growing pauses, as long as the hub asks for, and for each file
anew. Here a hub that is silent, or has enough of us, ends the work within seconds, with an error of ours that
none of them takes for a reason to try again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

_PATIENCE = 1.2
"""Of nothing but failures, after which it is over: in times of what one request may take, which is 10 seconds
unless HF_HUB_ETAG_TIMEOUT and HF_HUB_DOWNLOAD_TIMEOUT say otherwise.
"""

_TOO_MANY, _FAILING = 429, frozenset({500, 502, 503, 504})
_installed = threading.Lock()


class HubUnwillingError(Exception):
    """The hub answers, but will not serve us now. `wait`: the seconds that it asks for, if it does."""

    def __init__(self, status: int, wait: float | None) -> None:
        super().__init__(f"the hub answered {status}")
        self.status, self.wait = status, wait


class HubSilentError(Exception):
    """The hub takes connections, or used to, and does not answer."""


class _Patience:
    """How long it has been going wrong. A download of many files may hit a bad moment and go on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def went_well(self) -> None:
        self._since = None

    def is_over(self, began: float, more: float = 0.0) -> bool:
        """Whether the failures have gone on too long: a request that `began` then, and `more` to wait."""
        self._since = self._since or began
        return time.monotonic() + more - self._since > self._seconds


def install() -> None:
    """Make the hub's library use such a client in this process. To be called again does nothing."""
    if not _installed.acquire(blocking=False):
        return
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    set_client_factory(lambda: _impatient(_http.default_client_factory()))


def _impatient(client: Any) -> Any:
    """The client, whose `send` raises HubUnwillingError or HubSilentError rather than be tried for ever."""
    send: Callable[..., Any] = client.send
    from huggingface_hub import constants

    limit = float(max(constants.HF_HUB_ETAG_TIMEOUT, constants.HF_HUB_DOWNLOAD_TIMEOUT))
    patience = _Patience(_PATIENCE * limit)

    def impatient_send(request: Any, **how: Any) -> Any:
        asked = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {
            name: min(asked.get(name) or limit, limit) for name in ("connect", "read", "write", "pool")
        }
        began = time.monotonic()
        try:
            response = send(request, **how)
        except Exception as error:  # of httpx, by whichever name it is installed
            is_timeout = "Timeout" in type(error).__name__
            if is_timeout and patience.is_over(began, limit):
                raise HubSilentError(f"no answer within {limit:g} seconds") from error
            raise
        if response.status_code == _TOO_MANY or response.status_code in _FAILING:
            wait = _seconds(response.headers.get("retry-after"))
            if patience.is_over(began, wait or 0.0):
                raise HubUnwillingError(response.status_code, wait)
        else:
            patience.went_well()
        return response

    client.send = impatient_send
    return client


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
