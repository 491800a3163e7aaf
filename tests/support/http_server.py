"""A real HTTP server in a thread that answers from a list, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int = 0
    """Of the client's end: one for each connection."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """body: bytes as they are, anything else as JSON. cut_after: send only so many bytes of it, then close."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Cut:
    """Takes the request and closes the connection without a word."""


class Silence:
    """Takes the request and says nothing until the server is closed."""


Answer = Reply | Cut | Silence
Answerer = Callable[[Asked], Answer]


class Server:
    """`replies` are used up in order; then `otherwise` answers. `asked` holds every request that arrived whole."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Answer] = []
        self.otherwise: Answerer = lambda asked: Reply(599, {"error": {"code": 599, "message": "not in the script"}})
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self.url = ""

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            return self.replies.pop(0) if self.replies else self.otherwise(asked)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body, self.client_address[1])
            answer = server.answer(asked)
            if isinstance(answer, Reply):
                self._send(answer)
                return
            if isinstance(answer, Silence):
                server.closing.wait(30)
            self.close_connection = True

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.data)))
            self.end_headers()
            self.wfile.write(reply.data[: reply.cut_after])
            self.close_connection = self.close_connection or reply.cut_after is not None

        def log_message(self, *args: Any) -> None:
            """Silent."""

    return Handler


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    httpd.daemon_threads = True
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()
