"""Cutting a connection without a reply: what a client sees when the network fails after the effect."""

import asyncio
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol


class CuttableProtocol(H11Protocol):
    """Keeps the connections by client address, so that one can be cut without a reply."""

    open_by_client: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if self.client:
            self.open_by_client[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            self.open_by_client.pop(self.client, None)
        super().connection_lost(exc)


async def cut_connection(request: Request, _: Exception) -> Response:
    """Handles errors.DropConnectionError. The response returned reaches nobody."""
    client = request.client
    transport = CuttableProtocol.open_by_client.get((client.host, client.port)) if client else None
    if transport:
        transport.abort()
    await asyncio.sleep(0)  # the loop now calls connection_lost, and uvicorn expects no reply any more
    return Response()
