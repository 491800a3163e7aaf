"""The service's batch jobs: create (once), get, find by label, cancel, delete.

A thin client of our own: Google's SDK hides labels, partial failures and counts, and rewrites a job's location
(facts 1.5). Resource and field names: facts 1.1, 1.2, [D].
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from overnight.core.states import JobStatus
from overnight.errors import NotFoundError, UnavailableError, UsageError
from overnight.google.endpoints import Endpoints
from overnight.google.http import Http, Json

API: Final = "v1"
JOB_LABEL: Final = "overnight-job"
"""The label whose value `JobStatus.label` holds: known before the job is made, it finds the job after a lost reply."""
PAGE_SIZE: Final = 100

_NAME = re.compile(r"projects/[^/?#]+/locations/([^/?#]+)/batchPredictionJobs/[^/?#:]+")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{1,63}")


@dataclass(frozen=True, slots=True)
class JobFiles:
    """A job, what it asks and where its files are.

    inputs: gs:// addresses, which may hold wildcards (facts 1.2, [D]).
    """

    status: JobStatus
    model: str
    inputs: tuple[str, ...]
    output_prefix: str


class BatchJobs:
    """Jobs of one project and location. Raises as Http does, and UnavailableError for a reply that is no job."""

    def __init__(self, endpoints: Endpoints, http: Http, project: str, location: str) -> None:
        self._endpoints, self._http = endpoints, http
        parent = f"projects/{project}/locations/{location}"
        self._collection = f"{endpoints.vertex(location)}/{API}/{parent}/batchPredictionJobs"

    def create(
        self, display_name: str, model: str, input_uri: str, output_prefix: str, labels: Mapping[str, str]
    ) -> JobStatus:
        """One POST, never repeated; what its errors prove is said at Http.post_once.

        model: an id such as gemini-3.8-flash, or a resource name with a slash. input_uri, output_prefix: gs://….
        A reply that is no job is doubtful too: UnavailableError.
        """
        for key, value in labels.items():
            _check_label(key, value)
        body: Json = {
            "displayName": display_name,
            "model": model_resource(model),
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [input_uri]}},
            "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": output_prefix}},
            "labels": dict(labels),
        }
        return parse_job(self._http.post_once(self._collection, body))

    def get(self, name: str) -> JobStatus:
        """name: the full one. It is read where it was made, whatever this study's location is now."""
        return parse_job(self._http.get(self._url(name)))

    def files(self, name: str) -> JobFiles:
        """name: the full one. Empty where the job is not of Cloud Storage."""
        found = self._http.get(self._url(name))
        source = _mapping(_mapping(found.get("inputConfig")).get("gcsSource")).get("uris")
        output = _mapping(_mapping(found.get("outputConfig")).get("gcsDestination"))
        inputs = tuple(_text(uri) for uri in source) if isinstance(source, list) else ()
        return JobFiles(parse_job(found), _text(found.get("model")), inputs, _text(output.get("outputUriPrefix")))

    def list_by_label(self, key: str, value: str) -> list[JobStatus]:
        """Every job with the label, of all pages, in the service's order."""
        _check_label(key, value)
        return [parse_job(item) for item in self._pages(f'labels.{key}="{value}"')]

    def cancel(self, name: str) -> None:
        """Asks for it: the job goes on to CANCELLING and may still end otherwise (facts 1.3, [D]).

        Raises RefusedError (400 FAILED_PRECONDITION) where the job has failed before [L].
        """
        self._http.post_again(f"{self._url(name)}:cancel", b"")

    def delete(self, name: str) -> None:
        """Removes an ended job from the list; its files stay. A job that is not there is deleted already."""
        try:
            self._http.delete(self._url(name))
        except NotFoundError:
            return  # also the second answer to a delete whose first answer was lost

    def probe(self) -> None:
        """The cheapest call that shows that the API is on and the account may list jobs."""
        self._http.get(self._collection, {"pageSize": "1"})

    def _url(self, name: str) -> str:
        match = _NAME.fullmatch(name)
        if not match:
            raise UsageError(f"{name!r} is no job's full name", hint="projects/…/locations/…/batchPredictionJobs/…")
        return f"{self._endpoints.vertex(match[1])}/{API}/{name}"

    def _pages(self, search: str) -> Iterator[Json]:
        token = ""
        seen: set[str] = set()
        while True:
            params = {"filter": search, "pageSize": str(PAGE_SIZE)} | ({"pageToken": token} if token else {})
            page = self._http.get(self._collection, params)
            items = page.get("batchPredictionJobs")
            yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
            token = str(page.get("nextPageToken") or "")
            if not token:
                return
            if token in seen:
                raise UnavailableError("the list of jobs does not end: a page names itself as the next", where=token)
            seen.add(token)


def model_resource(model: str) -> str:
    return model if "/" in model else f"publishers/google/models/{model}"


def parse_job(data: Mapping[str, object]) -> JobStatus:
    """The resource as the service writes it, tolerant of everything but a missing name.

    Counts come as texts, -1 where unknown, null or absent (facts 1.2, [D] and [L]): all those are None.
    """
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise UnavailableError(f"the reply is no job: {str(dict(data))[:200]}")
    stats, output, labels = (_mapping(data.get(key)) for key in ("completionStats", "outputInfo", "labels"))
    failures = data.get("partialFailures")
    return JobStatus(
        name=name,
        state=_text(data.get("state")) or "JOB_STATE_UNSPECIFIED",
        label=_text(labels.get(JOB_LABEL)),
        error=_error(data.get("error")),
        partial_failures=tuple(_failure_text(item) for item in failures) if isinstance(failures, list) else (),
        succeeded=_count(stats.get("successfulCount")),
        failed=_count(stats.get("failedCount")),
        incomplete=_count(stats.get("incompleteCount")),
        output_directory=_text(output.get("gcsOutputDirectory")),
        create_time=_text(data.get("createTime")),
        start_time=_text(data.get("startTime")),
        end_time=_text(data.get("endTime")),
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if number >= 0 else None


def _error(value: object) -> tuple[int, str] | None:
    error = _mapping(value)
    if not error:
        return None
    code = _count(error.get("code"))
    return (2 if code is None else code, _text(error.get("message")))  # 2 is UNKNOWN in google.rpc.Code


def _failure_text(value: object) -> str:
    failure = _error(value)
    return f"{failure[1] or 'no message'} (code {failure[0]})" if failure else _text(value)


def _check_label(key: str, value: str) -> None:
    """Labels: at most 64 characters of a-z, 0-9, _ and - (facts 1.2, [D]); 63 is safe everywhere."""
    if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
        raise UsageError(f"{key}={value!r} is no label", hint="Lowercase letters, digits, _ and -, at most 63.")
