"""Controls access to the server, because the workbench acts with its user's rights.

- Other users of the machine can reach 127.0.0.1 too, so every URL begins with a random token.
- A foreign page can point its own host name at 127.0.0.1 (DNS rebinding), so `Host` must be a loopback name.
- Any page can open a websocket to this machine, so `Origin` must be that of the server's own page.
"""

from __future__ import annotations

import hmac
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_TOKEN_BYTES = 24
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def new_token() -> str:
    """A random token for the beginning of every URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_loopback(host: str) -> bool:
    """Whether a `Host` header is a loopback name; its port is ignored, because an SSH tunnel changes it."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        name = host
    return name.lower() in _LOOPBACK


def guard(token: str) -> Middleware:
    """A middleware that accepts only requests from the server's own page, and sets security headers."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = _refusal(request, token)
        response = web.Response(status=403, text=refusal) if refusal else await handler(request)
        if not response.prepared:  # a websocket has sent its headers already
            response.headers.update(_headers(request.host))
        return response

    return guarded


def _refusal(request: web.Request, token: str) -> str:
    """Why a request is refused; "" if it is accepted."""
    if not is_loopback(request.host):
        return "This server only accepts requests to localhost and 127.0.0.1.\n"
    first_part = request.path.split("/", 2)[1]
    if not hmac.compare_digest(first_part.encode("utf-8", "replace"), token.encode()):
        return "The URL lacks its token. Open the whole URL that `mlm-workbench web` prints.\n"
    origin = request.headers.get("Origin")
    opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if (origin is not None or opens_socket) and origin != f"http://{request.host}":
        return "This request comes from another site's page.\n"
    return ""


def _headers(host: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        f"img-src 'self' data:; connect-src 'self' ws://{host}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",  # the URL contains the token
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
