"""An HTTP client for the hub that gives up within seconds and says why.

The libraries retry each file's request five times with growing pauses, for as long as the hub asks. With this
client a hub that does not answer, or limits our requests, ends the work within seconds: it raises exceptions
that the libraries do not retry.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

_PATIENCE = 1.2
"""How long requests may fail in a row before the client gives up, as a multiple of one request's timeout.
That is 10 seconds unless HF_HUB_ETAG_TIMEOUT or HF_HUB_DOWNLOAD_TIMEOUT is set.
"""

_TOO_MANY, _FAILING = 429, frozenset({500, 502, 503, 504})
_installed = threading.Lock()


class HubUnwillingError(Exception):
    """The hub answers but refuses the request for now. `wait`: seconds to wait, if the hub names them."""

    def __init__(self, status: int, wait: float | None) -> None:
        super().__init__(f"the hub answered {status}")
        self.status, self.wait = status, wait


class HubSilentError(Exception):
    """The hub accepts connections, or did before, but does not answer."""


class _Patience:
    """Measures how long requests have failed in a row; one success resets it, so that a short outage during a
    download of many files does not end it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def went_well(self) -> None:
        self._since = None

    def is_over(self, began: float, more: float = 0.0) -> bool:
        """Whether requests have failed for too long, counting a request that started at `began` and `more`
        seconds of waiting.
        """
        self._since = self._since or began
        return time.monotonic() + more - self._since > self._seconds


def install() -> None:
    """Make the hub's library use this client in this process. Later calls do nothing."""
    if not _installed.acquire(blocking=False):
        return
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    set_client_factory(lambda: _impatient(_http.default_client_factory()))


def _impatient(client: Any) -> Any:
    """The client, whose `send` raises HubUnwillingError or HubSilentError once its patience is over."""
    send: Callable[..., Any] = client.send
    from huggingface_hub import constants

    limit = float(max(constants.HF_HUB_ETAG_TIMEOUT, constants.HF_HUB_DOWNLOAD_TIMEOUT))
    patience = _Patience(_PATIENCE * limit)

    def impatient_send(request: Any, **options: Any) -> Any:
        timeouts = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {
            name: min(timeouts.get(name) or limit, limit) for name in ("connect", "read", "write", "pool")
        }
        began = time.monotonic()
        try:
            response = send(request, **options)
        except Exception as error:  # httpx's own classes; their module depends on how it is installed
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
