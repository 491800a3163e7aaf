"""Faults of single calls: what a network and a front end do."""

import asyncio
import base64
import contextlib
import json
from dataclasses import dataclass
from typing import ClassVar, Final

from starlette.requests import ClientDisconnect
from starlette.types import Message

from overnight.localcloud.errors import ApiError, error_response
from overnight.localcloud.faults.call import DISCONNECT, CallFault, Serving, discard_body, unheard
from overnight.localcloud.faults.kind import param
from overnight.localcloud.faults.scope import ALL_CALLS

_CODES: Final = (401, 403, 404, 408, 409, 429, 500, 502, 503, 504)
_WORDS: Final = {
    401: (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid"
        " authentication credential."
    ),
    403: "Permission denied on the resource (or it may not exist).",
    404: "The requested entity was not found.",
    408: "The request timed out while it was read.",
    409: "The operation was aborted: there is a concurrent change of this resource.",
    429: "Resource exhausted. Please try again later.",
    500: "Internal error encountered.",
    502: "Bad gateway.",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}


@dataclass(frozen=True)
class Status(CallFault):
    """An error reply in Google's shape; the call has no effect unless it is said to take one."""

    kind: ClassVar[str] = "status"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "facts 9.1 [D] [U]; texts of 408, 409, 502 ours"

    code: int = param(503, "the HTTP status", choices=_CODES)
    retry_after_s: int = param(0, "the Retry-After header; 0 = none", high=86_400)
    message: str = param("", "the error's text; empty = Google's words for the code")
    took_effect: bool = param(False, "the call is served, and only its reply is replaced")

    async def serve(self, call: Serving) -> None:
        if self.took_effect:
            await call.take_effect_only()
        else:
            await discard_body(call.receive)
        error = ApiError(self.code, self.message or _WORDS[self.code])
        reply = error_response(call.path, error)
        if self.retry_after_s:
            reply.headers["Retry-After"] = str(self.retry_after_s)
        if self.code == 401:
            reply.headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        await reply(call.scope, call.receive, call.send)


@dataclass(frozen=True)
class ResetBefore(CallFault):
    """The connection is reset before the call takes effect."""

    kind: ClassVar[str] = "reset_before"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network"

    async def serve(self, call: Serving) -> None:
        await call.reset()


@dataclass(frozen=True)
class ResetAfter(CallFault):
    """The call takes effect, then the connection is reset: the reply is lost."""

    kind: ClassVar[str] = "reset_after"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network; what Google's clients then do was run [S]"

    async def serve(self, call: Serving) -> None:
        await call.take_effect_only()
        await call.reset()


@dataclass(frozen=True)
class Refused(CallFault):
    """The call's connection is reset, and nobody listens for a while: further connections are refused."""

    kind: ClassVar[str] = "refused"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network"

    for_s: float = param(0.5, "how long nobody listens (a real refusal); 0 = not at all", high=600)
    connections: int = param(0, "then so many connections are reset as soon as they are made", high=10_000)

    async def serve(self, call: Serving) -> None:
        await call.refusals.begin(self.for_s, self.connections)
        await call.reset()


@dataclass(frozen=True)
class Stalled(CallFault):
    """The call takes effect, then the reply does not come for a while: not a byte."""

    kind: ClassVar[str] = "stalled"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network; google-genai 3.4.0 has no timeout [S]"

    for_s: float = param(30.0, "how long", high=86_400)
    share: float = param(0.0, "so much of the body comes before; 0 = not even the head", high=0.99)

    async def serve(self, call: Serving) -> None:
        passed, due = 0, -1

        async def send(message: Message) -> None:
            nonlocal passed, due
            if message["type"] == "http.response.start" and due < 0:
                due = round(_length(message) * self.share)
                if not due:
                    await asyncio.sleep(self.for_s)
                await call.send(message)
                return
            body: bytes = message.get("body", b"")
            if passed < due <= passed + len(body):
                await call.send({**message, "body": body[: due - passed], "more_body": True})
                await asyncio.sleep(self.for_s)
                message = {**message, "body": body[due - passed :]}
            passed += len(body)
            await call.send(message)

        await call.go_on(send=send)


@dataclass(frozen=True)
class Slow(CallFault):
    """The bodies of request and reply pass at a bounded rate."""

    kind: ClassVar[str] = "slow"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network"

    bytes_per_s: int = param(100_000, "the rate", low=1)

    async def serve(self, call: Serving) -> None:
        piece = max(1, self.bytes_per_s // 10)

        async def receive() -> Message:
            message = await call.receive()
            await asyncio.sleep(len(message.get("body", b"")) / self.bytes_per_s)
            return message

        async def send(message: Message) -> None:
            body: bytes = message.get("body", b"")
            while len(body) > piece:
                await asyncio.sleep(piece / self.bytes_per_s)
                await call.send({**message, "body": body[:piece], "more_body": True})
                body = body[piece:]
            if body:
                await asyncio.sleep(len(body) / self.bytes_per_s)
                message = {**message, "body": body}
            await call.send(message)

        await call.go_on(receive, send)


@dataclass(frozen=True)
class Cut(CallFault):
    """The connection ends in the middle of a body: of the request in an upload, of the reply in any other call."""

    kind: ClassVar[str] = "cut"
    calls: ClassVar[tuple[str, ...]] = ALL_CALLS
    source: ClassVar[str] = "ours: the network; google-cloud-storage 3.17 resumes [S]"

    share: float = param(0.5, "how much of the body passes", high=0.99)

    async def serve(self, call: Serving) -> None:
        await (self._cut_request(call) if call.name == "upload" else self._cut_reply(call))

    async def _cut_request(self, call: Serving) -> None:
        left = int(int(call.header("content-length") or 0) * self.share)

        async def receive() -> Message:
            nonlocal left
            if not left:
                return DISCONNECT
            message = await call.receive()
            body: bytes = message.get("body", b"")[:left]
            left -= len(body)
            return {**message, "body": body, "more_body": True} if message["type"] == "http.request" else message

        with contextlib.suppress(ClientDisconnect):  # of handlers that do not expect it
            await call.go_on(receive, unheard)
        await call.reset()

    async def _cut_reply(self, call: Serving) -> None:
        left = -1

        async def send(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                left = int(_length(message) * self.share)
                await call.send(message)
            elif left:
                body: bytes = message.get("body", b"")[:left]
                left -= len(body)
                await call.send({**message, "body": body, "more_body": True})

        await call.go_on(send=send)
        await call.end()


@dataclass(frozen=True)
class WrongChecksum(CallFault):
    """The hashes that come with an object are those of other bytes: in X-Goog-Hash, crc32c and md5Hash."""

    kind: ClassVar[str] = "wrong_checksum"
    calls: ClassVar[tuple[str, ...]] = ("upload", "download", "get_object")
    source: ClassVar[str] = "ours: what checksums are for"

    async def serve(self, call: Serving) -> None:
        head: Message = {}
        parts: list[bytes] = []

        async def send(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = {**message, "headers": [_spoilt(pair) for pair in message["headers"]]}
                if call.name == "download":
                    await call.send(head)
            elif call.name == "download":
                await call.send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await self._reply(call, head, b"".join(parts))

        await call.go_on(send=send)

    async def _reply(self, call: Serving, head: Message, body: bytes) -> None:
        """The object's resource, with other hashes of the same length."""
        if body.startswith(b"{"):
            found = json.loads(body)
            for name in found.keys() & {"crc32c", "md5Hash"}:
                found[name] = _other_hash(found[name])
            body = json.dumps(found).encode()
        names = [pair for pair in head["headers"] if pair[0] != b"content-length"]
        await call.send({**head, "headers": [*names, (b"content-length", str(len(body)).encode())]})
        await call.send({"type": "http.response.body", "body": body})


def _length(start: Message) -> int:
    """Content-Length of a reply; every reply here has one."""
    found = next((value for name, value in start["headers"] if name == b"content-length"), b"0")
    return int(found)


def _other_hash(value: str) -> str:
    raw = base64.b64decode(value)
    return base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()


def _spoilt(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = pair
    if name != b"x-goog-hash":
        return pair
    hashes = (part.split("=", 1) for part in value.decode().split(","))
    return name, ",".join(f"{kind}={_other_hash(text)}" for kind, text in hashes).encode()
