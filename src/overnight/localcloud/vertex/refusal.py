"""A row the service refuses, in its words."""

import json
from http import HTTPStatus

from overnight.localcloud.errors import STATUS, ApiError


class RowRefusedError(Exception):
    """A 4xx or 5xx of one request. lead: what stands before the JSON in a row's `status`."""

    def __init__(self, code: int, message: str, *, status: str = "", lead: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.status = status or STATUS[code]
        self.lead = lead or _phrase(code)

    def row_status(self) -> str:
        """`Bad Request: {"error":{"code":400,"message":"…","status":"…"}}` (facts 3.2 [D])."""
        error = {"error": {"code": self.code, "message": self.message, "status": self.status}}
        return f"{self.lead}: {json.dumps(error, ensure_ascii=False, separators=(',', ':'))}"

    def api_error(self) -> ApiError:
        return ApiError(self.code, self.message, status=self.status)


def _phrase(code: int) -> str:
    return "Client Closed Request" if code == 499 else HTTPStatus(code).phrase
