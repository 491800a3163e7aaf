"""Just enough of the Cloud Storage JSON API to lose answers on purpose. The whole of it is the local cloud's job."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

from tests.support.http_server import Answer, Asked, Cut, Reply, Server


class TinyStorage:
    """objects: name → (bytes, generation). spoil: sees a request that was carried out, may replace its answer."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.sessions: dict[str, tuple[str, bytearray, dict[str, str]]] = {}
        self.spoil: Callable[[Asked, Reply], Answer] = lambda asked, reply: reply
        self.corrupt = False
        server.otherwise = lambda asked: self.spoil(asked, self._answer(asked))

    def _answer(self, asked: Asked) -> Reply:
        url = urlsplit(asked.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        if "upload_id" in query:
            return self._chunk(query["upload_id"], asked)
        if url.path.startswith("/upload/"):
            return self._begin(query, asked)
        if match := re.search(r"/o/(.+)$", url.path):
            return self._object(unquote(match[1]), query, asked.method)
        return Reply(404, {"error": {"code": 404, "message": "no such route"}})

    def _begin(self, query: dict[str, str], asked: Asked) -> Reply:
        if query["uploadType"] == "multipart":
            head, body = asked.body.split(b"\r\n\r\n", 2)[1:]
            name = json.loads(head.split(b"\r\n--")[0])["name"]
            return self._store(name, body[: body.rindex(b"\r\n--")], query)
        name = asked.json["name"]
        if query.get("ifGenerationMatch") == "0" and name in self.objects:
            return _precondition()
        key = str(len(self.sessions))
        self.sessions[key] = (name, bytearray(), query)
        return Reply(200, {}, {"Location": f"{self.server.url}/upload/x?upload_id={key}"})

    def _chunk(self, key: str, asked: Asked) -> Reply:
        name, data, query = self.sessions[key]
        total = asked.headers["content-range"].rpartition("/")[2]
        start = re.match(r"bytes (\d+)-", asked.headers["content-range"])
        if start:
            data[int(start[1]) :] = asked.body
        if total == "*":
            return Reply(308, b"", {"Range": f"bytes=0-{len(data) - 1}"})
        return self._store(name, bytes(data), query)

    def _store(self, name: str, data: bytes, query: dict[str, str]) -> Reply:
        if query.get("ifGenerationMatch") == "0" and name in self.objects:
            return _precondition()
        self.objects[name] = (data, 1000 + len(self.objects))
        return Reply(200, self._resource(name))

    def _object(self, name: str, query: dict[str, str], method: str) -> Reply:
        if name not in self.objects:
            return Reply(404, {"error": {"code": 404, "message": f"No such object: b/{name}"}})
        if method == "DELETE":
            del self.objects[name]
            return Reply(204, b"")
        if query.get("alt") != "media":
            return Reply(200, self._resource(name))
        data = self.objects[name][0]
        headers = {"X-Goog-Hash": f"crc32c={_crc32c(data)}", "X-Goog-Generation": str(self.objects[name][1])}
        return Reply(200, data[:-1] + b"?" if self.corrupt else data, headers)

    def _resource(self, name: str) -> dict[str, str]:
        data, generation = self.objects[name]
        return {"name": name, "size": str(len(data)), "crc32c": _crc32c(data), "generation": str(generation)}


def _crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def _precondition() -> Reply:
    return Reply(412, {"error": {"code": 412, "message": "At least one of the pre-conditions did not hold."}})


def lose_first(wanted: Callable[[Asked, Reply], bool]) -> Callable[[Asked, Reply], Answer]:
    """Carries the first wanted request out, and cuts the connection in place of its answer."""
    lost: list[Asked] = []

    def spoil(asked: Asked, reply: Reply) -> Answer:
        if not lost and wanted(asked, reply):
            lost.append(asked)
            return Cut()
        return reply

    return spoil
