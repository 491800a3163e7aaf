"""The local cloud, put together: one Starlette app over one data folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overnight.localcloud import switches as switches_room
from overnight.localcloud.connections import Refusals
from overnight.localcloud.control import ControlRoutes
from overnight.localcloud.database import Database
from overnight.localcloud.directory import StoreDirectory
from overnight.localcloud.errors import ApiError, on_api_error, on_fault, on_gone_client, on_unknown_path
from overnight.localcloud.faults import book as faults_room
from overnight.localcloud.faults.middleware import FaultyCalls
from overnight.localcloud.guard import Guard
from overnight.localcloud.home import Home
from overnight.localcloud.journal import Journal
from overnight.localcloud.standin.responder import StandIn
from overnight.localcloud.storage import store as store_room
from overnight.localcloud.storage import uploads as uploads_room
from overnight.localcloud.storage.routes import StorageRoutes
from overnight.localcloud.vertex import jobs as jobs_room
from overnight.localcloud.vertex.respond import Answerer
from overnight.localcloud.vertex.routes import VertexRoutes
from overnight.localcloud.vertex.runner import Runner

NOTICE = "LOCAL STAND-IN: nothing here is Google's, and no model answers."
_SCHEMA = switches_room.SCHEMA + faults_room.SCHEMA + store_room.SCHEMA + uploads_room.SCHEMA + jobs_room.SCHEMA


class Cloud:
    """Everything over one open Home."""

    def __init__(self, home: Home) -> None:
        self._database = Database(home.state, _SCHEMA, durable=False)
        self._journal = Journal(home.journal)
        self.faults = faults_room.Faults(self._database)
        self.switches = switches_room.Switches(self._database, self.faults)
        self.refusals = Refusals()
        self._store = store_room.ObjectStore(home, self._database, self._journal)
        self._uploads = uploads_room.Uploads(self._store, self._database)
        self._jobs = jobs_room.JobStore(self._database, self._journal)
        answerer = Answerer(StandIn(), self.switches)
        self._runner = Runner(self._jobs, self._store, self._journal, self.switches, self.faults, answerer)
        self.control = ControlRoutes(self.switches, self.faults, self._journal)
        directory = StoreDirectory(self._jobs, self._uploads, self._journal)
        self.app = Starlette(
            routes=[
                Route("/", _notice, methods=["GET"]),
                *self.control.routes(),
                *StorageRoutes(self._store, self._uploads).routes(),
                *VertexRoutes(self._jobs, self._runner, answerer, self.switches, self.faults).routes(),
            ],
            middleware=[Middleware(Guard), Middleware(FaultyCalls, self.faults, directory, self.refusals)],
            exception_handlers={
                ApiError: on_api_error,
                HTTPException: on_unknown_path,
                ClientDisconnect: on_gone_client,
                Exception: on_fault,
            },
            lifespan=self._lifespan,
        )
        self.app.router.redirect_slashes = False

    def _recover(self) -> None:
        """What a crash left: half writes are swept, the journal is completed."""
        self._store.sweep()
        self._uploads.sweep()
        self._store.reconcile()
        self._jobs.reconcile()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._recover()
        self._runner.start()
        yield
        await self._runner.stop()
        self._uploads.close()
        self._journal.close()
        self._database.close()


async def _notice(_: Request) -> Response:
    return JSONResponse({"notice": NOTICE, "coverage": "docs/reference/local-cloud.md"})
