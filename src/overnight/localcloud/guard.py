"""Who may talk to the local cloud: programs on this machine, never a page in a browser.

The server binds the loopback address only. A page on any site could still send requests to it, by name (DNS
rebinding: the Host header then names that site) or across origins (browsers then send Origin). Both are refused, and
no CORS header is ever sent.
"""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from overnight.localcloud.errors import ApiError, error_response

_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


def refusal(headers: dict[bytes, bytes]) -> str:
    """Why these request headers are refused, or nothing."""
    host = headers.get(b"host", b"").decode("latin-1")
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    if name.lower() not in _LOOPBACK_NAMES or not (port.isdigit() or not port):
        return f"Host {host!r} is not this machine's loopback address: the local cloud answers to 127.0.0.1 only."
    if b"origin" in headers:
        return "Requests with an Origin header come from a web page: the local cloud answers to programs only."
    return ""


class Guard:
    """ASGI middleware: refuses what `refusal` names, and routes on the raw path.

    In Cloud Storage's JSON API an object's name is one path segment with `%2F` in it; decoded before routing,
    `/o/a/compose` and the object `a/compose` would be the same. Handlers unquote their own segments.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path") or scope["path"].encode()
        scope["path"] = raw_path.split(b"?", 1)[0].decode("latin-1")
        why = refusal(dict(scope["headers"]))
        if why:
            await error_response(scope["path"], ApiError(403, why))(scope, receive, send)
            return
        await self._app(scope, receive, send)
