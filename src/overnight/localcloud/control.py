"""Routes under /control: switches, strikes, journal, stop. They need the token of endpoint.json, new at each start."""

import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overnight.localcloud.errors import ApiError
from overnight.localcloud.journal import KINDS, Journal
from overnight.localcloud.requestparts import json_body
from overnight.localcloud.switches import SwitchError, Switches

TOKEN_HEADER = "X-Local-Cloud-Token"  # noqa: S105  the header's name
_PAGE = 10_000
Handler = Callable[[Request], Awaitable[Response]]


class ControlRoutes:
    """token and stop are given when the server knows its address."""

    def __init__(self, switches: Switches, journal: Journal) -> None:
        self._switches, self._journal = switches, journal
        self.token = ""
        self.stop: Callable[[], None] = lambda: None

    def routes(self) -> list[Route]:
        return [
            Route("/control", self._guarded(self._show), methods=["GET"]),
            Route("/control/switches", self._guarded(self._set), methods=["POST"]),
            Route("/control/journal", self._guarded(self._summary), methods=["GET"]),
            Route("/control/journal/{kind}", self._guarded(self._entries), methods=["GET"]),
            Route("/control/stop", self._guarded(self._stop), methods=["POST"]),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            given = request.headers.get(TOKEN_HEADER, "")
            if not self.token or not secrets.compare_digest(given.encode(), self.token.encode()):
                raise ApiError(403, f"Control routes need the header {TOKEN_HEADER} with the token of endpoint.json.")
            return await handler(request)

        return guarded

    async def _show(self, _: Request) -> Response:
        return JSONResponse({"switches": self._switches.describe(), "journal": self._journal.summary()["counts"]})

    async def _set(self, request: Request) -> Response:
        try:
            self._switches.set(await json_body(request))
        except SwitchError as error:
            raise ApiError(400, str(error)) from error
        return await self._show(request)

    async def _summary(self, _: Request) -> Response:
        return JSONResponse(self._journal.summary())

    async def _entries(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        after, limit = request.query_params.get("after", "0"), request.query_params.get("limit", str(_PAGE))
        if kind not in KINDS or not after.isdigit() or not limit.isdigit():
            raise ApiError(400, f"There are journals of {', '.join(KINDS)}; after and limit are numbers.")
        return JSONResponse({kind: self._journal.entries(kind, int(after), min(int(limit), _PAGE))})

    async def _stop(self, _: Request) -> Response:
        self.stop()
        return JSONResponse({})
