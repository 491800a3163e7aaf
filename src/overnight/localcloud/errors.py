"""Google's JSON error shape, from one place.

Cloud Storage writes {"error": {"code", "message", "errors": [{"message", "domain", "reason"}]}}, Vertex AI writes
{"error": {"code", "message", "status"}}. Which of the two is said by the path.
"""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from overnight.localcloud.values import JsonObject

# google.rpc.Code names, as facts 9.1 quotes them.
STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_REASON: Final = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    405: "notFound",
    408: "timeout",
    409: "conflict",
    412: "conditionNotMet",
    413: "uploadTooLarge",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    499: "cancelled",
    500: "internalError",
    502: "backendError",
    503: "backendError",
    504: "backendError",
}
_STORAGE_PATHS: Final = ("/storage/", "/upload/", "/download/")


class ApiError(Exception):
    """A refusal a client is to see. status: google.rpc.Code name, where it is not the usual one of the code."""

    def __init__(self, code: int, message: str, *, status: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status = status or STATUS[code]
        self.reason = reason or _REASON[code]

    def vertex_body(self) -> JsonObject:
        return {"error": {"code": self.code, "message": self.message, "status": self.status}}

    def storage_body(self) -> JsonObject:
        detail = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.code, "message": self.message, "errors": [detail]}}


def error_response(path: str, error: ApiError) -> Response:
    body = error.storage_body() if path.startswith(_STORAGE_PATHS) else error.vertex_body()
    return JSONResponse(body, status_code=error.code)


async def on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    if error.code == 304:  # a precondition of a read: no body (RFC 9110, 15.4.5)
        return Response(status_code=304)
    return error_response(request.url.path, error)


async def on_gone_client(_request: Request, _error: Exception) -> Response:
    """The client went in the middle of its request: nobody hears the answer, and nothing is wrong here."""
    return Response(status_code=499)


async def on_fault(request: Request, error: Exception) -> Response:
    """A fault of the local cloud itself. The traceback is on its standard error."""
    return error_response(request.url.path, ApiError(500, f"Internal error encountered. (local cloud: {error!r})"))


async def on_unknown_path(request: Request, error: Exception) -> Response:
    """Paths nobody serves get Google's shape too, and a hint that this is the local cloud."""
    assert isinstance(error, HTTPException)
    code = error.status_code if error.status_code in STATUS else 404
    text = f"{request.method} {request.url.path} is not served by the local cloud: see docs/reference/local-cloud.md"
    return error_response(request.url.path, ApiError(code, text))
