"""The ends of connections: what a client sees when the network fails."""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

# l_onoff = 1, l_linger = 0: closing sends RST at once.
_RESET_ON_CLOSE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
Client = tuple[str, int] | None


class CuttableProtocol(H11Protocol):
    """Keeps the connections by client address, so that one can be cut. to_refuse: so many new ones are reset."""

    open_by_client: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}
    to_refuse: ClassVar[int] = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if CuttableProtocol.to_refuse > 0:
            CuttableProtocol.to_refuse -= 1
            _reset(transport)
        elif self.client:
            self.open_by_client[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            self.open_by_client.pop(self.client, None)
        super().connection_lost(exc)


def _reset(transport: asyncio.Transport) -> None:
    handle = transport.get_extra_info("socket")
    if handle is not None:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


async def reset_connection(client: Client) -> None:
    """The client reads "connection reset by peer"; what was not yet sent is lost."""
    transport = _transport(client)
    if transport:
        _reset(transport)
    await asyncio.sleep(0)  # the loop now calls connection_lost, and uvicorn expects no reply any more


async def end_connection(client: Client) -> None:
    """What was written so far arrives, then the connection ends, before the reply does."""
    transport = _transport(client)
    if transport:
        transport.close()
    while _transport(client) is not None:  # until the rest is sent: connection_lost takes it away
        await asyncio.sleep(0.01)


def _transport(client: Client) -> asyncio.Transport | None:
    return CuttableProtocol.open_by_client.get((client[0], client[1])) if client else None


class Refusals:
    """Nobody listens for a while. stop_listening is given when the server knows its socket."""

    def __init__(self) -> None:
        self.stop_listening: Callable[[float], Awaitable[None]] | None = None

    async def begin(self, for_s: float, connections: int) -> None:
        """for_s: the socket is closed and every connection reset; then `connections` new ones are reset."""
        CuttableProtocol.to_refuse = connections
        if for_s and self.stop_listening:
            await self.stop_listening(for_s)
            for transport in list(CuttableProtocol.open_by_client.values()):
                _reset(transport)
