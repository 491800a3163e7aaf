"""uvicorn, on the loopback address only, ending cleanly on signals and with its parent."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from overnight.localcloud.connections import CuttableProtocol

ADDRESS = "127.0.0.1"


class Server(uvicorn.Server):
    """announce is called with the endpoint once requests are served."""

    def __init__(self, app: ASGIApp, announce: Callable[[str], None]) -> None:
        config = uvicorn.Config(
            app,
            http=CuttableProtocol,
            log_level="error",
            access_log=False,
            lifespan="on",
            ws="none",
            timeout_keep_alive=65,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        super().__init__(config)
        self._announce = announce
        self._reopening: asyncio.Task[None] | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        gc.freeze()  # rows of a job are trees without cycles: scanning them for cycles took a third of the time
        gc.set_threshold(100_000, 50, 100)
        super().run(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            self._announce(f"http://{ADDRESS}:{sockets[0].getsockname()[1]}")

    async def stop_listening(self, for_s: float) -> None:
        """Connections are refused for so long (fault `refused`); asked again meanwhile, it is as it was."""
        if self._reopening is not None and not self._reopening.done():
            return
        listener = self.servers.pop()
        port = int(listener.sockets[0].getsockname()[1])
        listener.close()
        self._reopening = asyncio.get_running_loop().create_task(self._listen_again(port, for_s))

    async def _listen_again(self, port: int, after_s: float) -> None:
        """On the same port; should another program have taken it meanwhile, as soon as that one lets go."""
        await asyncio.sleep(after_s)
        while not self.should_exit:
            try:
                listener = bind(port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            self.servers.append(await asyncio.get_running_loop().create_server(self._protocol, sock=listener))
            return

    def _protocol(self) -> asyncio.Protocol:
        return CuttableProtocol(self.config, self.server_state, self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server, not the process: endpoint.json is then removed and the lock given back."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        yield

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True


def bind(port: int) -> socket.socket:
    """Port 0: any free one. Raises OSError."""
    # With the protocol named asyncio turns Nagle's algorithm off; without it every reply waited 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
    except OSError:
        listener.close()
        raise
    return listener


def end_with_parent(server: Server) -> None:
    """Ends the server when standard input ends: the parent holds the other end, also when it is killed."""

    def watch() -> None:
        while os.read(0, 4096):
            continue
        server.should_exit = True

    threading.Thread(target=watch, name="parent", daemon=True).start()
