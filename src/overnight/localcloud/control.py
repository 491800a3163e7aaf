"""Routes under /control: switches, fault plans, journal, stop. They need endpoint.json's token, new at each start."""

import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overnight.localcloud.errors import ApiError
from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.kind import PlanError
from overnight.localcloud.faults.plan import read_plans
from overnight.localcloud.journal import KINDS, Journal
from overnight.localcloud.requestparts import any_json_body, json_body, path_part
from overnight.localcloud.switches import SwitchError, Switches

TOKEN_HEADER = "X-Local-Cloud-Token"  # noqa: S105  the header's name
_PAGE = 10_000
Handler = Callable[[Request], Awaitable[Response]]


class ControlRoutes:
    """token and stop are given when the server knows its address."""

    def __init__(self, switches: Switches, faults: Faults, journal: Journal) -> None:
        self._switches, self._faults, self._journal = switches, faults, journal
        self.token = ""
        self.stop: Callable[[], None] = lambda: None

    def routes(self) -> list[Route]:
        return [
            Route("/control", self._guarded(self._show), methods=["GET"]),
            Route("/control/switches", self._guarded(self._set), methods=["POST"]),
            Route("/control/faults", self._guarded(self._faults_shown), methods=["GET"]),
            Route("/control/faults", self._guarded(self._plan), methods=["POST"]),
            Route("/control/faults", self._guarded(self._remove_all), methods=["DELETE"]),
            Route("/control/faults/{name}", self._guarded(self._fault), methods=["GET"]),
            Route("/control/faults/{name}", self._guarded(self._remove), methods=["DELETE"]),
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

    async def _faults_shown(self, _: Request) -> Response:
        return JSONResponse({"faults": [self._faults.describe(name) for name in self._faults.names()]})

    async def _plan(self, request: Request) -> Response:
        """One plan or a list, all or none; answers with them, as they are now."""
        try:
            plans = read_plans(await any_json_body(request))
        except PlanError as error:
            raise ApiError(400, str(error)) from error
        self._faults.put(plans)
        return JSONResponse({"faults": [self._faults.describe(plan.name) for plan in plans]})

    async def _fault(self, request: Request) -> Response:
        return JSONResponse(self._faults.describe(self._known(request)))

    async def _remove(self, request: Request) -> Response:
        """Answers with what it was and how often it struck."""
        name = self._known(request)
        last = self._faults.describe(name)
        self._faults.remove(name)
        return JSONResponse(last)

    async def _remove_all(self, _: Request) -> Response:
        last = [self._faults.describe(name) for name in self._faults.names()]
        for fault in last:
            self._faults.remove(fault["name"])
        return JSONResponse({"faults": last})

    def _known(self, request: Request) -> str:
        name = path_part(request, "name")
        if name not in self._faults.names():
            raise ApiError(404, f"There is no fault plan {name!r}.")
        return name

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
