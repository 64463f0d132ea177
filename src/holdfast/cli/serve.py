"""``holdfast serve``: the API, in one process or in several that share a socket.

One process is an event loop of uvicorn. With ``--workers N`` a parent opens the
socket and keeps N such processes running; it serves nothing itself. A process
that is told to stop finishes the requests it has, within the grace of the
settings, and a worker whose parent has died stops by itself.
"""

import asyncio
import errno
import os
import signal
import socket
from types import FrameType
from typing import Any

import uvicorn

from holdfast.api.app import access_log, build
from holdfast.api.connection import Connection
from holdfast.api.doorstep import DOORSTEP, Doorstep
from holdfast.api.protection.gate import MOST_CPU
from holdfast.cli.accepting import Accepting, pause_for
from holdfast.cli.running import settings_of_running_shop
from holdfast.cli.workers import Workers
from holdfast.platform import garbage, telemetry
from holdfast.platform.settings import BadSettings, Settings
from holdfast.platform.slices import take_short_slices

# Longer than the minute after which common proxies drop their side, so that they,
# and not we, choose when: a request sent into a closing connection is lost.
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048
_SWEEP_EVERY_TICKS = 10  # of a tenth of a second each


def run(*, host: str, port: int, workers: int) -> None:
    """Serve until told to stop, in one process or as the parent of several."""
    settings = _prepare()
    with _listen(host, port) as listener:
        if workers == 1:
            _serve(settings, listener, parent=None)
            return
        telemetry.logger().info("serving", url=_url(listener), workers=workers)
        Workers(settings, listener, workers).run()


def run_worker(inherited: int, *, parent: int) -> None:
    """Serve the socket that the process *parent* has opened, as long as it lives.

    The parent says who it is: asked for later, it may have died already, and then
    whoever has adopted this process would be taken for it.
    """
    settings = _prepare()
    with _adopted(inherited) as listener:
        _serve(settings, listener, parent=parent)


def _prepare() -> Settings:
    _leave_when_told()
    settings = settings_of_running_shop()
    telemetry.configure(settings.log_format, settings.log_level)
    return settings


class Server(uvicorn.Server):
    """uvicorn's server, sweeping slow connections and noticing a dead parent."""

    def __init__(self, config: uvicorn.Config, *, parent: int | None) -> None:
        super().__init__(config)
        self._parent = parent
        self._accepting: Accepting | None = None
        self._ticked_at = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Copies: to accept nothing for a moment, the servers close theirs.
        await super().startup(sockets and [one.dup() for one in sockets])
        if sockets:
            backlog = self.config.backlog
            self._accepting = Accepting(sockets, self._connect, backlog=backlog)
            self._accepting.start()
        self._ticked_at = asyncio.get_running_loop().time()
        garbage.settle()

    async def on_tick(self, counter: int) -> bool:
        await self._rest()
        if counter % _SWEEP_EVERY_TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.sweep(now)
            if self._parent is not None and os.getppid() != self._parent:
                telemetry.logger().warning("parent_died")
                self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._accepting is not None:
            self._accepting.stop()
        await super().shutdown(sockets)

    def _connect(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        return made

    async def _rest(self) -> None:
        """Accept nothing for a moment if refusals alone take too much of the CPU."""
        now = asyncio.get_running_loop().time()
        passed, self._ticked_at = now - self._ticked_at, now
        doorstep: Doorstep | None = self.lifespan.state.get(DOORSTEP)
        if doorstep is None or doorstep.gate is None or self._accepting is None:
            return
        spent, allowed = doorstep.gate.spent(), MOST_CPU * passed
        if spent > allowed:
            doorstep.gate.paused()
            await self._accepting.pause(self.servers, pause_for(spent, allowed))


def _serve(settings: Settings, listener: socket.socket, *, parent: int | None) -> None:
    take_short_slices(os.getpid())
    requests = access_log(settings)
    config = uvicorn.Config(
        build(settings, log=requests),
        http=Connection,
        # There is no WebSocket route; an upgrade is answered as plain HTTP.
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about a client's address is for our own layer to say: this
        # would also put a made-up port and scheme into the scope.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
        backlog=_BACKLOG,
    )
    log = telemetry.logger()
    log.info("serving", url=_url(listener), process=os.getpid())
    try:
        Server(config, parent=parent).run(sockets=[listener])
    finally:
        # A signal ends the line above by an exception, when all is finished.
        if requests is not None:
            requests.flush()
        log.info("stopped", process=os.getpid())


def _listen(host: str, port: int) -> socket.socket:
    """Open the socket; ``BadSettings`` says in a sentence why it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else ""
        raise BadSettings(
            f"Port {port} of {host} {why or f'cannot be used ({error.strerror})'}: "
            "choose another with --port."
        ) from None
    return listener


def _adopted(inherited: int) -> socket.socket:
    """The socket that the parent has opened, and shares with every worker.

    Whether it blocks is a property of the socket and not of who holds it, and a copy
    made by Python says again what its original believes. Were that to block, those that
    serve already would stand still in ``accept`` whenever another worker starts.
    """
    listener = socket.socket(fileno=inherited)
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _leave_when_told() -> None:
    """Exit with 0 on SIGTERM and SIGINT, before serving as after.

    uvicorn handles them while it serves, and sends itself the same signal again
    when it is done.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
