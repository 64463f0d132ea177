"""Taking connections from the kernel: all of them while there is time, none at times.

uvloop accepts one connection in each turn of the event loop. A turn in which a handler
computes for 10 ms takes as long, so with a connection for each request a server would
accept a hundred a second, whatever comes: the others wait in the kernel, in a line that
nobody sees and nobody can shorten by saying no. So twenty times a second whatever waits
there is accepted at once. While there is time for each, that finds nothing.

When saying no takes a third of the CPU by itself, each further connection costs
somebody who would be served. Then the listening socket is left alone for 50 to 200 ms:
new connections wait in the kernel, which holds 2,048 of them and costs nothing, or go
to another process that shares the socket (Envoy does the same, as
``stop_accepting_connections``). The event loop has no way to pause a server, so it is
closed and made anew on a copy of the socket, which the kernel goes on listening on.
Connections that are open stay open.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 0.2
_EVERY_SECONDS = 0.05
# Of each socket: 2,000 a second, however late the loop is; at most 50 ms of work.
_A_SECOND = 2_000
_AT_ONCE = 512


def pause_for(spent: float, allowed: float) -> float:
    """For how long, when refusals took *spent* seconds: for what was too much."""
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, spent - allowed))


class Accepting:
    """Accepts connections of *listeners*, which stay open whatever is closed here."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        connect: Callable[[], asyncio.Protocol],
        *,
        backlog: int,
    ) -> None:
        self._listeners = listeners
        self._connect = connect
        self._backlog = backlog
        self._connecting = set[asyncio.Task[None]]()
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = 0.0
        for listener in listeners:
            listener.setblocking(False)

    def start(self) -> None:
        """Take what waits, twenty times a second, until stopped."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_EVERY_SECONDS, self.start)
        now = loop.time()
        most = min(_AT_ONCE, int(_A_SECOND * (now - self._looked_at)))
        self._looked_at = now
        for listener in self._listeners:
            # No descriptor left, or a client that left again: next time, then.
            with suppress(OSError):
                for _ in range(most):
                    client, _ = listener.accept()
                    client.setblocking(False)
                    task = loop.create_task(self._take(client))
                    self._connecting.add(task)
                    task.add_done_callback(self._connecting.discard)

    def stop(self) -> None:
        """Take nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    async def pause(self, servers: list[asyncio.Server], seconds: float) -> None:
        """Close *servers*, and put new ones into the same list after so long."""
        self.stop()
        for server in servers:
            server.close()
        await asyncio.sleep(seconds)
        loop = asyncio.get_running_loop()
        servers[:] = [
            await loop.create_server(
                self._connect, sock=listener.dup(), backlog=self._backlog
            )
            for listener in self._listeners
        ]
        self.start()

    async def _take(self, client: socket.socket) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self._connect, client)
        except OSError:
            client.close()
