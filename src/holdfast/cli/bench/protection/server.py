"""A server of one of the bare applications, in a process of its own.

uvicorn with our own connections, one process, as the shop is served. Ends when it is
told to, or when its parent is gone, and says then how often the application worked and
how many tasks there were at most.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import psutil
import uvicorn

from holdfast.api.connection import Connection
from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.drive import Clocks
from holdfast.cli.bench.protection.handlers import HANDLERS, Served
from holdfast.cli.bench.protection.rig import Cores, pin
from holdfast.cli.bench.protection.shields import SHIELDS, Shield
from holdfast.cli.serve import Server
from holdfast.resilience.asgi import App, Receive, Scope, Send

_RUN = "from holdfast.cli.bench.protection.server import main; main()"
_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
_SAMPLE_SECONDS = 0.05
_STOP_SECONDS = 90.0  # without protection it works off what nobody waits for
_HOST = "127.0.0.1"


class Task(msgspec.Struct):
    """What is to be served."""

    handler: str
    shield: str
    """The way it is protected; see ``shields``."""
    socket: int
    parent: int
    core: int | None


class Told(msgspec.Struct):
    """What the server says at its end."""

    worked: int
    """How often the application did its work, whoever was there to see it."""
    most_tasks: int
    most_connections: int


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs."""

    port: int
    process: psutil.Process

    def clocks(self) -> Clocks:
        """CPU seconds so far, and resident memory in MB of 10^6 bytes."""
        spent, memory = self.process.cpu_times(), self.process.memory_info()
        return {"server": spent.user + spent.system, "memory_mb": memory.rss / 1e6}


class Ended:
    """Where a server's last words are put."""

    told: Told | None = None


@contextmanager
def serving(
    handler: str, shield: str, cores: Cores, ended: Ended | None = None
) -> Iterator[Serving]:
    """Run a server as long as the context lasts; ``CannotBench``."""
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        listener.listen(_BACKLOG)
        number = listener.fileno()
        task = Task(handler, shield, number, os.getpid(), cores.server)
        process = subprocess.Popen(  # noqa: S603 - our own command
            (sys.executable, "-P", "-c", _RUN, msgspec.json.encode(task).decode()),
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            pass_fds=(number,),
        )
        port = listener.getsockname()[1]
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        while (line := process.stdout.readline()) != b"ready\n":
            if not line:
                raise CannotBench(f"The server of {handler} did not start.")
        yield Serving(port, psutil.Process(process.pid))
        process.send_signal(signal.SIGTERM)
        last, _ = process.communicate(timeout=_STOP_SECONDS)
        if ended is not None:
            # Before it may stand what the connections have logged.
            ended.told = msgspec.json.decode(last.rpartition(b"\n")[2], type=Told)
    except (subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise CannotBench(f"The server of {handler} did not end: {error}") from error
    finally:
        process.kill()
        process.communicate()


class Application:
    """The application with a lifespan: protection begins and ends with the server."""

    def __init__(
        self,
        app: App,
        around: Shield,
    ) -> None:
        self._bare = app
        self._around = around
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        async with self._around(self._bare) as (self._app, state):
            scope["state"].update(state)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Counting(Server):
    """Keeps the highest number of tasks and connections there were."""

    most_tasks = 0
    most_connections = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._watching = asyncio.create_task(self._watch())
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    async def _watch(self) -> None:
        while not self.should_exit:
            self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))
            connections = len(self.server_state.connections)
            self.most_connections = max(self.most_connections, connections)
            await asyncio.sleep(_SAMPLE_SECONDS)


def main() -> None:
    """Serve what the command line says."""
    task = msgspec.json.decode(sys.argv[1].encode(), type=Task)
    # uvicorn handles it while it serves, and sends it again when it is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pin(task.core)
    served = Served()
    app = Application(HANDLERS[task.handler].make(served), SHIELDS[task.shield])
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        # Requests that are cancelled at the end would each tell their traceback.
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # Who has asked in vain is gone by then.
        timeout_graceful_shutdown=1,
        backlog=_BACKLOG,
    )
    server = Counting(config, parent=task.parent)
    try:
        with socket.socket(fileno=task.socket) as listener:
            server.run(sockets=[listener])
    finally:
        told = Told(served.count, server.most_tasks, server.most_connections)
        sys.stdout.write("\n" + msgspec.json.encode(told).decode())
        sys.stdout.flush()
