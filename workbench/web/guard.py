"""Who may talk to the server. The workbench has its user's rights, so an open port would hand them to others.

- Other users of the machine reach 127.0.0.1 too: every address begins with a random token.
- A page from elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding): `Host` must be loopback.
- Any page may open a websocket to this machine, whatever its origin: `Origin` must be the page's own.
"""

from __future__ import annotations

import hmac
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_TOKEN_BYTES = 24
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def new_token() -> str:
    """A word that cannot be guessed, for the beginning of every address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_loopback(host: str) -> bool:
    """Whether a `Host` header names this machine by itself; the port is another behind an SSH tunnel."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        name = host
    return name.lower() in _LOOPBACK


def guard(token: str) -> Middleware:
    """A middleware that lets through what comes from the page itself, and tells browsers what it may load."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = _refusal(request, token)
        response = web.Response(status=403, text=refusal) if refusal else await handler(request)
        if not response.prepared:  # a websocket has sent its headers
            response.headers.update(_headers(request.host))
        return response

    return guarded


def _refusal(request: web.Request, token: str) -> str:
    """Why a request is not answered; "" when it is."""
    if not is_loopback(request.host):
        return "This server answers to localhost and 127.0.0.1 alone.\n"
    given = request.path.split("/", 2)[1]
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return "The address lacks its token: `mlm-workbench web` prints the whole of it.\n"
    origin = request.headers.get("Origin")
    asks_for_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if (origin is not None or asks_for_socket) and origin != f"http://{request.host}":
        return "This was asked for by a page from elsewhere.\n"
    return ""


def _headers(host: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        f"img-src 'self' data:; connect-src 'self' ws://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",  # the address holds the token
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
