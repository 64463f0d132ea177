"""Accepting no connections for a moment.

When saying no takes a third of the CPU by itself, each further connection costs
somebody who would be served. So the listening socket is left alone for 50 to 200 ms:
new connections wait in the kernel, which holds 2,048 of them and costs nothing, or go
to another process that shares the socket (Envoy does the same, as
``stop_accepting_connections``).

The event loop has no way to pause a server, so it is closed and made anew on a copy of
the socket, which the kernel goes on listening on. Connections that are open stay open.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

Listen = Callable[[socket.socket], Awaitable[asyncio.Server]]
"""Serve connections of a socket, which is closed with the server."""

SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 0.2


def pause_for(spent: float, allowed: float) -> float:
    """For how long, when refusals took *spent* seconds: for what was too much."""
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, spent - allowed))


async def pause(
    servers: list[asyncio.Server],
    sockets: Sequence[socket.socket],
    listen: Listen,
    seconds: float,
) -> None:
    """Close *servers*, and put new ones into the same list after so long."""
    for server in servers:
        server.close()
    await asyncio.sleep(seconds)
    servers[:] = [await listen(one.dup()) for one in sockets]
