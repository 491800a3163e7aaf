"""Routes of Vertex AI, v1 and v1beta1 alike."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overnight.localcloud.errors import ApiError
from overnight.localcloud.faults.book import Faults
from overnight.localcloud.faults.create import ListedLate
from overnight.localcloud.requestparts import json_body, path_part
from overnight.localcloud.switches import Switches
from overnight.localcloud.values import now_us
from overnight.localcloud.vertex import models
from overnight.localcloud.vertex.create import check_create
from overnight.localcloud.vertex.filters import parse_filter
from overnight.localcloud.vertex.jobs import Job, JobStore
from overnight.localcloud.vertex.refusal import RowRefusedError
from overnight.localcloud.vertex.respond import Answerer
from overnight.localcloud.vertex.runner import Runner

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1_000


class VertexRoutes:
    def __init__(self, jobs: JobStore, runner: Runner, answerer: Answerer, switches: Switches, faults: Faults) -> None:
        self._jobs, self._runner, self._answerer = jobs, runner, answerer
        self._switches, self._faults = switches, faults

    def routes(self) -> list[Route]:
        return [route for version in ("v1", "v1beta1") for route in self._of_version(version)]

    def _of_version(self, version: str) -> list[Route]:
        place = f"/{version}/projects/{{project}}/locations/{{location}}"
        jobs, model = f"{place}/batchPredictionJobs", f"{place}/publishers/google/models/{{model}}"
        return [
            Route(jobs, self._create, methods=["POST"]),
            Route(jobs, self._list, methods=["GET"]),
            Route(jobs + "/{job}:cancel", self._cancel, methods=["POST"]),
            Route(jobs + "/{job}", self._get, methods=["GET"]),
            Route(jobs + "/{job}", self._delete, methods=["DELETE"]),
            Route(model + ":generateContent", self._generate, methods=["POST"]),
            Route(model + ":countTokens", self._count, methods=["POST"]),
        ]

    # Jobs

    async def _create(self, request: Request) -> Response:
        accepted = check_create(await json_body(request), path_part(request, "location"), self._switches)
        job = self._jobs.create(path_part(request, "project"), path_part(request, "location"), accepted)
        self._runner.launch(job)
        return JSONResponse(job.resource)

    def _named(self, request: Request) -> Job:
        names = (path_part(request, name) for name in ("project", "location", "job"))
        return self._jobs.find(*names)

    async def _get(self, request: Request) -> Response:
        return JSONResponse(self._named(request).resource)

    async def _list(self, request: Request) -> Response:
        asked = request.query_params
        test = parse_filter(asked.get("filter", ""))
        size, token = asked.get("pageSize") or str(_DEFAULT_PAGE), asked.get("pageToken") or "0"
        if not size.isdigit() or not token.isdigit():
            raise ApiError(400, f"Invalid pageSize {size!r} or pageToken {token!r}.")
        found = self._jobs.newest_first(path_part(request, "project"), path_part(request, "location"))
        matching = [job for job in found if not self._is_hidden(job) and test(job)]
        first, count = int(token), min(int(size) or _DEFAULT_PAGE, _LARGEST_PAGE)
        body: dict[str, object] = {"batchPredictionJobs": [job.resource for job in matching[first : first + count]]}
        if first + count < len(matching):
            body["nextPageToken"] = str(first + count)
        return JSONResponse(body)

    def _is_hidden(self, job: Job) -> bool:
        """A job that is listed late: looked at while it is young enough to be hidden by some plan."""
        facts, age_s = self._jobs.facts(job), (now_us() - job.created_us) / 1_000_000
        late = [fault for fault in self._faults.ahead_of_job(facts, ListedLate) if age_s < fault.delay_s]
        return any(self._faults.strike_job(facts, fault) for fault in late)

    async def _cancel(self, request: Request) -> Response:
        job = self._named(request)
        self._jobs.ask_cancel(job)
        self._runner.poke(job.id)
        return JSONResponse({})

    async def _delete(self, request: Request) -> Response:
        job = self._named(request)
        self._jobs.delete(job)
        operation = f"projects/{job.project}/locations/{job.location}/operations/{job.id}"
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        return JSONResponse({"name": operation, "done": True, "response": empty})

    # Models

    def _model(self, request: Request) -> tuple[str, models.Model]:
        location, name = path_part(request, "location"), path_part(request, "model").split("@", 1)[0]
        models.check_location(location)
        return name, models.find_model(name, location, old_project=self._switches.text("project_age") == "old")

    async def _generate(self, request: Request) -> Response:
        name, model = self._model(request)
        try:
            return JSONResponse(self._answerer.answer(name, model, await json_body(request)))
        except RowRefusedError as refused:
            raise refused.api_error() from refused

    async def _count(self, request: Request) -> Response:
        self._model(request)
        return JSONResponse(self._answerer.count(await json_body(request)))
