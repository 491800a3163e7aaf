"""The seam of faults that strike calls: each serves the call itself, with the whole app at hand."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overnight.localcloud.connections import Refusals, end_connection, reset_connection
from overnight.localcloud.faults.kind import Family, Kind

DISCONNECT: Message = {"type": "http.disconnect"}


@dataclass(frozen=True, slots=True)
class Serving:
    """A call under way: what ASGI gives, and the ends of its connection."""

    app: ASGIApp
    name: str
    scope: Scope
    receive: Receive
    send: Send
    refusals: Refusals

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    def header(self, name: str) -> str:
        """Of the request; empty when it is not there."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted), "")

    async def go_on(self, receive: Receive | None = None, send: Send | None = None) -> None:
        """Lets the app serve the call, through other ends where they are given."""
        await self.app(self.scope, receive or self.receive, send or self.send)

    async def take_effect_only(self) -> None:
        """The app serves the call; the client does not hear of it."""
        await self.go_on(send=unheard)

    async def reset(self) -> None:
        """The client sees "connection reset by peer"."""
        await reset_connection(self.scope.get("client"))

    async def end(self) -> None:
        """What was sent arrives, then the connection ends."""
        await end_connection(self.scope.get("client"))


class CallFault(Kind):
    """A kind that strikes calls."""

    family: ClassVar[Family] = "call"

    async def serve(self, call: Serving) -> None:
        """Does to the call what the kind is for."""
        raise NotImplementedError


async def unheard(_: Message) -> None:
    """A `send` that reaches nobody."""


async def discard_body(receive: Receive) -> None:
    """Reads a request to its end: a reply in the middle of it would be lost in the reset that follows."""
    while (await receive()).get("more_body"):
        continue


async def read_body(receive: Receive) -> list[Message]:
    """The messages of a request's body, to its end."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


class Replay:
    """A `receive` that gives messages again that were read before, then what follows."""

    def __init__(self, messages: Sequence[Message], then: Receive) -> None:
        self._left, self._then = deque(messages), then

    async def __call__(self) -> Message:
        return self._left.popleft() if self._left else await self._then()
