"""A way through a service that is a dictionary: the seam `backends.backend.Backend`, without a network.

It keeps its own journal (`created`, `served`), shuffles nothing and answers at once unless told otherwise.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from overnight.backends.backend import HandMade, OutputFile, OwnerNote, Patience, Staged, StoredObject
from overnight.core.states import JobStatus
from overnight.errors import Finding, NotFoundError, RefusedError
from overnight.ledger.shards import Place
from overnight.pricing.catalogue import Model
from overnight.requests.shards import ShardLimits

Line = dict[str, Any]
Answer = Callable[[Line], Line | None]
"""One input line (`key`, `request`) → the fields of its output line, or None for no line."""


def answers(value: Callable[[str], Mapping[str, Any]], *, model: str = "gemini-test") -> Answer:
    """A model that answers `value(prompt text)` as JSON, within its limit."""

    def answer(line: Line) -> Line:
        text = json.dumps(value(prompt_of(line)))
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
        usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "thoughtsTokenCount": 5}
        return {"status": "", "response": {"candidates": [candidate], "modelVersion": model, "usageMetadata": usage}}

    return answer


def prompt_of(line: Line) -> str:
    return "".join(part["text"] for part in line["request"]["contents"][-1]["parts"])


_PATIENCE = Patience((), then_create=True, poll_s=(1, 60), unusual_s=3600)


@dataclass(slots=True)
class MemoryJob:
    """looks: how often it is still to be seen waiting and running before it ends."""

    status: JobStatus
    labels: Mapping[str, str]
    place: Place
    looks: int
    model: str = ""
    cancel_asked: bool = False


@dataclass
class MemoryBackend:
    """answer: who answers; may be exchanged between runs. looks: polls before a job ends. end: the state it ends in."""

    answer: Answer
    looks: int = 2
    end: str = "JOB_STATE_SUCCEEDED"
    limits: ShardLimits = field(default_factory=ShardLimits)
    patience: Patience = _PATIENCE
    name: str = "memory"
    inputs: dict[str, list[bytes]] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    outputs_: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, MemoryJob] = field(default_factory=dict)
    notes: dict[str, OwnerNote] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def place(self, uid: str, label: str) -> Place:
        return Place(self.name, "", "global", "memory", f"{uid}/{label}/in", f"{uid}/{label}/out")

    def preflight(self, model: Model, tell: Callable[[str], None]) -> Sequence[Finding]:
        return self.findings

    def generate(self, model: str, request: bytes) -> Mapping[str, object]:
        self.asked.append(request)
        answered = self.answer({"key": "", "request": json.loads(request)})
        assert answered is not None
        found: dict[str, object] = answered["response"]
        return found

    def stage(self, place: Place, lines: Iterable[bytes], manifest: Mapping[str, object]) -> None:
        self.inputs[place.input] = list(lines)
        self.manifests[place.input] = json.dumps(manifest).encode()

    def unstage(self, place: Place) -> None:
        self.inputs.pop(place.input, None)
        self.manifests.pop(place.input, None)

    def submit(self, place: Place, model: str, labels: Mapping[str, str]) -> JobStatus:
        name = f"memory/jobs/{next(self._numbers)}"
        status = JobStatus(
            name,
            "JOB_STATE_PENDING",
            label=labels["overnight-job"],
            create_time=f"2026-11-22T00:00:{len(self.jobs):02d}Z",
        )
        self.jobs[name] = MemoryJob(status, dict(labels), place, self.looks, model)
        self.created.append(labels["overnight-job"])
        return status

    def find(self, place: Place, key: str, value: str) -> Sequence[JobStatus]:
        return [job.status for job in self.jobs.values() if job.labels.get(key) == value]

    def poll(self, place: Place, job: str) -> JobStatus:
        found = self._job(job)
        if found.status.state in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"}:
            found.looks -= 1
            if found.cancel_asked:
                found.status = replace(found.status, state="JOB_STATE_CANCELLED")
            elif found.looks > 0:
                found.status = replace(found.status, state="JOB_STATE_RUNNING")
            else:
                self._finish(found)
        return found.status

    def cancel(self, place: Place, job: str) -> None:
        self._job(job).cancel_asked = True

    def outputs(self, place: Place, status: JobStatus) -> Sequence[OutputFile]:
        data = self.outputs_.get(place.output)
        return [] if data is None else [OutputFile(f"{place.output}/predictions.jsonl", len(data))]

    def fetch(self, place: Place, file: OutputFile, target: BinaryIO) -> None:
        target.write(self.outputs_[place.output][: file.size_bytes])

    def fetch_input(self, place: Place, target: BinaryIO) -> None:
        target.writelines(self.inputs[place.input])

    def staged(self, uid: str = "") -> Sequence[Staged]:
        places = [name.split("/")[:2] for name in sorted(self.manifests)]
        return [Staged(owner, label, self.place(owner, label)) for owner, label in places if uid in {"", owner}]

    def manifest(self, place: Place) -> bytes:
        return self.manifests[place.input]

    def hand_made(self, job: str) -> HandMade:
        found = self._job(job)
        return HandMade(found.status, found.model, found.place)

    def objects(self, place: Place) -> Sequence[StoredObject]:
        there = {place.input: b"".join(self.inputs.get(place.input, ())), place.output: self.outputs_.get(place.output)}
        return [StoredObject(name, len(data)) for name, data in there.items() if data]

    def remove(self, place: Place, name: str) -> None:
        self.inputs.pop(name, None)
        self.outputs_.pop(name, None)

    def is_ours(self, place: Place, name: str) -> bool:
        return name in {place.input, place.output}

    def delete_job(self, place: Place, job: str) -> None:
        self.jobs.pop(job, None)

    def owner_place(self, uid: str) -> str:
        return f"memory://{uid}/owner.json"

    def owner(self, place: str) -> OwnerNote | None:
        return self.notes.get(place)

    def claim(self, place: str, text: str, generation: int) -> int:
        there = self.notes.get(place)
        if generation != (there.generation if there else 0):
            raise RefusedError("the note was written by somebody else", code=412, where=place)
        self.notes[place] = OwnerNote(text, next(self._numbers))
        return self.notes[place].generation

    def close(self) -> None:
        """Nothing is open."""

    def _job(self, name: str) -> MemoryJob:
        if name not in self.jobs:
            raise NotFoundError(f"no job {name}", code=404)
        return self.jobs[name]

    def _finish(self, job: MemoryJob) -> None:
        lines = []
        for raw in self.inputs[job.place.input]:
            line = json.loads(raw)
            self.served[line["key"]] += 1
            answered = self.answer(line)
            if answered is not None:
                given = {"processed_time": "2026-11-22T01:00:00Z", "request": line["request"], "key": line["key"]}
                lines.append(json.dumps({**given, **answered}).encode() + b"\n")
        self.outputs_[job.place.output] = b"".join(lines)
        job.status = replace(job.status, state=self.end)
