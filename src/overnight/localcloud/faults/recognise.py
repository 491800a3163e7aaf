"""Which call a request is, and what it is about, before the app has seen it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote

from starlette.types import Message, Receive, Scope

from overnight.localcloud.faults.call import Replay
from overnight.localcloud.faults.scope import Call, JobFacts

_UPLOAD: Final = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o")
_OBJECT: Final = re.compile(r"(?P<media>/download)?/storage/v1/b/(?P<bucket>[^/]+)/o/(?P<object>[^/]+)")
_OBJECTS: Final = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/o")
_BUCKET: Final = re.compile(r"/storage/v1/b(?:/(?P<bucket>[^/]+).*)?")
_PLACE: Final = r"/v1(?:beta1)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
_JOBS: Final = re.compile(_PLACE + r"/batchPredictionJobs")
_JOB: Final = re.compile(_PLACE + r"/batchPredictionJobs/(?P<job>[^/:]+)(?P<cancel>:cancel)?")
_MODEL: Final = re.compile(_PLACE + r"/publishers/google/models/[^/:]+:(?P<what>generateContent|countTokens)")
_PEEK_BYTES: Final = 1 << 16


class Directory(Protocol):
    """What only the stores know."""

    def job_facts(self, job_id: str) -> JobFacts | None: ...

    def next_ordinal(self) -> int: ...

    def upload_place(self, upload_id: str) -> tuple[str, str]:
        """(bucket, name) of a resumable session; empty when there is none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    path: str
    query: Mapping[str, Sequence[str]]

    def of(self, name: str) -> str:
        return self.query.get(name, [""])[0]


def recognise(scope: Scope, directory: Directory) -> Call | None:
    """None: no call that a fault can strike, such as those of /control."""
    asked = _Asked(scope["method"], scope["path"], parse_qs(scope["query_string"].decode("latin-1")))
    return _of_storage(asked, directory) or _of_vertex(asked, directory)


def _of_storage(asked: _Asked, directory: Directory) -> Call | None:
    if found := _UPLOAD.fullmatch(asked.path):
        session = directory.upload_place(asked.of("upload_id")) if asked.of("upload_id") else ("", "")
        return Call("upload", unquote(found["bucket"]), asked.of("name") or session[1])
    if found := _OBJECT.fullmatch(asked.path):
        is_media = bool(found["media"]) or asked.of("alt") == "media"
        names = {"GET": "download" if is_media else "get_object", "DELETE": "delete_object", "PATCH": "get_object"}
        name = names.get(asked.method, "")
        return Call(name, unquote(found["bucket"]), unquote(found["object"])) if name else None
    if found := _OBJECTS.fullmatch(asked.path):
        return Call("list_objects", unquote(found["bucket"]))
    if found := _BUCKET.fullmatch(asked.path):
        return Call("bucket", unquote(found["bucket"] or ""))
    return None


def _of_vertex(asked: _Asked, directory: Directory) -> Call | None:
    if _JOBS.fullmatch(asked.path):
        if asked.method == "POST":
            return Call("create", job=JobFacts(ordinal=directory.next_ordinal()))
        return Call("list")
    if found := _JOB.fullmatch(asked.path):
        name = "cancel" if found["cancel"] else {"GET": "get", "DELETE": "delete"}.get(asked.method, "")
        return Call(name, job=directory.job_facts(unquote(found["job"]))) if name else None
    if found := _MODEL.fullmatch(asked.path):
        return Call("generate" if found["what"] == "generateContent" else "count")
    return None


async def look_into(call: Call, receive: Receive) -> tuple[Call, Receive]:
    """The call with what its body says (a new object's name; a new job's labels), and the body to be read again."""
    if call.name not in {"create", "upload"} or (call.name == "upload" and call.object):
        return call, receive
    messages = await _beginning(receive)
    raw = b"".join(message.get("body", b"") for message in messages)
    said = _first_object(raw)
    again = Replay(messages, receive)
    if call.name == "upload":
        return Call("upload", call.bucket, str(said.get("name") or "")), again
    labels = said.get("labels")
    ordinal = call.job.ordinal if call.job else 0
    facts = JobFacts("", ordinal, str(said.get("displayName") or ""), labels if isinstance(labels, dict) else {})
    return Call("create", job=facts), again


async def _beginning(receive: Receive) -> list[Message]:
    messages = [await receive()]
    size = len(messages[0].get("body", b""))
    while messages[-1].get("more_body") and size < _PEEK_BYTES:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
    return messages


def _first_object(raw: bytes) -> dict[str, object]:
    """The JSON object a body is, or that its first part is; empty when there is none: the app will say so."""
    start = raw.find(b"{")
    text = raw[max(start, 0) :].decode("utf-8", "replace")
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
