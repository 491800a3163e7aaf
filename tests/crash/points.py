"""Where a run can be killed, found by instruments: every commit, every HTTP call, every backend call, every file.

Each point has a name of what and when, as in `before COMMIT`, `unread POST batchPredictionJobs`, `after replace`:

    before COMMIT, after COMMIT    whichever way SQLite is told: the word, a script, `commit()`, a statement on its own
    before …, unread …, after …    of an HTTP call: not a byte has left; it took effect and its reply is there, unread;
                                   its reply was read (the head of it, of a download)
    before submit, after submit    of a backend's calls, after: what it returned is known, and nothing was done with it
    before replace, after replace  of a file put in place

`instrument` is for a process of its own: it never goes back.
"""

import os
import re
import select
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REPLY_TIMEOUT_S = 60
_BACKEND_CALLS = ("stage", "unstage", "submit", "find", "poll", "cancel", "outputs", "fetch", "fetch_input")
_COMMITS = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|VACUUM|WITH|PRAGMA\s+\w+\s*=)", re.IGNORECASE)
_NAMES_FOLLOW = frozenset({"b", "o", "projects", "locations", "batchPredictionJobs"})
"""In addresses of Google's services the segment after one of these is a name of somebody's."""


class Points:
    """Counts the points it passes, by name, and kills this process at one of them. All of them go into `log`.

    at: (name, which time), or ("", n) for the n-th point of any name; None never kills.
    """

    def __init__(self, log: Path, at: tuple[str, int] | None) -> None:
        self._log = log.open("a", encoding="utf-8")
        self._name, self._left = at or ("", 0)

    def is_next(self, name: str) -> bool:
        return self._left == 1 and self._name in {"", name}

    def passing(self, name: str) -> None:
        self._log.write(name + "\n")
        self._log.flush()
        if self._name in {"", name}:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.passing(f"before {name}")
            result = call(*arguments, **named)
            self.passing(f"after {name}")
            return result

        return counted


def instrument(points: Points) -> None:
    _commits(points)
    _http(points)
    os.replace = points.around("replace", os.replace)


def counted_backend(points: Points, backend: Any) -> Any:
    """The same backend, each call of it that leaves this process a point."""
    for name in _BACKEND_CALLS:
        setattr(backend, name, points.around(name, getattr(backend, name)))
    return backend


def _commits(points: Points) -> None:
    """SQLite itself says each statement before it runs; when the call that led to it is over, so is the commit."""

    class CountedConnection(sqlite3.Connection):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._committing = False
            self.set_trace_callback(self._stated)

        def _stated(self, sql: str) -> None:
            if _COMMITS.match(sql) or (not self.in_transaction and _WRITES.match(sql)):
                self._over()
                self._committing = True
                points.passing("before COMMIT")

        def _over(self) -> None:
            if self._committing:
                self._committing = False
                points.passing("after COMMIT")

    def watched(name: str) -> Callable[..., Any]:
        real = getattr(sqlite3.Connection, name)

        def call(self: CountedConnection, *arguments: Any) -> Any:
            result = real(self, *arguments)
            self._over()
            return result

        return call

    for name in ("execute", "executemany", "executescript", "commit", "__exit__"):
        setattr(CountedConnection, name, watched(name))
    connect = sqlite3.connect

    def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:
        return connect(*arguments, **{"factory": CountedConnection, **named})

    sqlite3.connect = connected


def _http(points: Points) -> None:
    """At the socket for before and unread, at the session for after: all of our clients and of Google's pass both."""
    import requests
    from urllib3.connection import HTTPConnection

    request, getresponse, send = HTTPConnection.request, HTTPConnection.getresponse, requests.Session.send

    def counted_request(self: Any, method: str, url: str, *rest: Any, **named: Any) -> Any:
        self.point_name = call_name(method, url)
        points.passing(f"before {self.point_name}")
        return request(self, method, url, *rest, **named)

    def counted_getresponse(self: Any) -> Any:
        unread = f"unread {self.point_name}"
        if points.is_next(unread):  # so that it has taken effect when the kill falls
            select.select([self.sock], [], [], REPLY_TIMEOUT_S)
        points.passing(unread)
        return getresponse(self)

    def counted_send(self: Any, prepared: Any, **named: Any) -> Any:
        reply = send(self, prepared, **named)
        points.passing(f"after {call_name(prepared.method, prepared.url)}")
        return reply

    HTTPConnection.request = counted_request  # type: ignore[method-assign]
    HTTPConnection.getresponse = counted_getresponse  # type: ignore[method-assign]
    requests.Session.send = counted_send  # type: ignore[method-assign]


def call_name(method: str, url: str) -> str:
    """What kind of call this is: the method, the address without anybody's names, and what of its query tells kinds.

    Of an object, the last part of its name: input, manifest and output are different calls.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    words, skip = [], False
    segments = [segment for segment in parts.path.split("/") if segment]
    for place, segment in enumerate(segments):
        if skip:
            if words[-1] == "o":
                words.append(unquote(segment).rsplit("/", 1)[-1])
            elif ":" in segment:  # a verb, as in JOB:cancel
                words[-1] += segment[segment.index(":") :]
            skip = False
            continue
        words.append(segment)
        skip = segment in _NAMES_FOLLOW and place + 1 < len(segments)
    told = [f"{name}={query[name][0]}" for name in ("alt", "uploadType") if name in query]
    if "upload_id" in query:
        told.append("upload_id")
    if name := query.get("name", [""])[0]:
        told.append(name.rsplit("/", 1)[-1])
    return " ".join([method, "/".join(words), *told])
