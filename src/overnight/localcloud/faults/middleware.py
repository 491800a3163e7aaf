"""Where faults strike calls: around the whole app, inside the guard."""

from starlette.types import ASGIApp, Receive, Scope, Send

from overnight.localcloud.connections import Refusals
from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.call import Serving
from overnight.localcloud.faults.recognise import Directory, look_into, recognise


class FaultyCalls:
    """ASGI middleware: a call that a plan strikes is served by its fault."""

    def __init__(self, app: ASGIApp, faults: Faults, directory: Directory, refusals: Refusals) -> None:
        self._app, self._faults, self._directory, self._refusals = app, faults, directory, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = recognise(scope, self._directory) if scope["type"] == "http" and self._faults.strike_calls() else None
        if call is None:
            await self._app(scope, receive, send)
            return
        if self._faults.look_into_bodies():
            call, receive = await look_into(call, receive)
        fault = self._faults.of_call(call)
        if fault is None:
            await self._app(scope, receive, send)
            return
        await fault.serve(Serving(self._app, call.name, scope, receive, send, self._refusals))
