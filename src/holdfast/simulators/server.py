"""One uvicorn process for a simulator: uvloop, httptools, no access log.

Three things uvicorn does not do: cut a connection when a handler asks for it, refuse
new ones for a while, and stop at once when told to, although requests may be hanging
for ever.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from holdfast.simulators.web import RESET, App

_MAX_CONNECTIONS = 4096
"""Above it uvicorn answers 503, which bounds what hanging requests can hold."""
BACKLOG = 2048
_NO_LINGER = struct.pack("ii", 1, 0)


class Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        # The ASGI types want data here, and this is a way to act.
        self.scope["extensions"] = {RESET: self.reset}  # type: ignore[dict-item]

    def reset(self) -> None:
        """Send RST instead of FIN, as a crashed provider does."""
        # uvloop's transport hands out no real socket, so borrow one by its number.
        number = self.transport.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(number)) as borrowed:
            borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close; a request still unanswered is never going to be answered."""
        super().shutdown()
        if not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        *,
        app: App,
        listener: socket.socket,
        started: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._app = app
        self._listener = listener
        self._announce = started
        self._opening: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        del sockets
        # Only a duplicate is handed out: what is closed for a while keeps its port.
        await super().startup([self._listener.dup()])
        self._app.use_door(self._turn_door)
        self._app.start()
        # What is imported by now stays: the collector need not read it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM and exit with 0, not by the signal again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Do not wait for the requests that are cut off, nor report them as crashes.
        self.force_exit = True
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await self._app.stop()
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self.should_exit = True

    def _turn_door(self, *, is_open: bool) -> None:
        """Refuse new connections as a dead provider's machine does, or no longer."""
        if not is_open and self.servers:
            for server in self.servers:
                server.close()
            self.servers = []
            # Out of the listening state, and still bound: Linux answers with RST.
            self._listener.shutdown(socket.SHUT_RD)
        elif is_open and not self.servers:
            self._listener.listen(BACKLOG)
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        if not self.servers:
            await super().startup([self._listener.dup()])


def serve(app: App, listener: socket.socket, *, started: Callable[[], None]) -> None:
    """Answer on *listener* until SIGINT or SIGTERM; call *started* when ready."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=75,
    )
    Server(config, app=app, listener=listener, started=started).run()
