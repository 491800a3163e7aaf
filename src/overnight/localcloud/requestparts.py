"""What the handlers read from a request: path segments still quoted, JSON bodies, this request's own address."""

from urllib.parse import unquote

import orjson
from starlette.requests import Request

from overnight.localcloud.errors import ApiError
from overnight.localcloud.values import JsonObject


def path_part(request: Request, name: str) -> str:
    """One segment, unquoted here and only here (guard.Guard routes on the raw path)."""
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError as error:
        raise ApiError(400, f"{request.path_params[name][:100]!r} is not UTF-8 when unquoted.") from error


def base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}"


async def any_json_body(request: Request) -> object:
    """The body's value; an empty body is an empty object. Raises ApiError 400."""
    raw = await request.body()
    try:
        found: object = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"Invalid JSON payload received. {error}") from error
    return found


async def json_body(request: Request) -> JsonObject:
    """The body as an object; an empty body is an empty object. Raises ApiError 400."""
    body = await any_json_body(request)
    if not isinstance(body, dict):
        raise ApiError(400, "Invalid JSON payload received. Root element must be a message.")
    return body
