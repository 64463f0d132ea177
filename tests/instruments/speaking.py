"""Servers to put load on, so small that nothing about them is in doubt."""

import asyncio
import threading
from collections.abc import Callable

from holdfast.cli.bench.connection import get
from holdfast.cli.bench.protection.plan import Kind, Phase, Plan

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n"
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
)
Answer = Callable[[int], tuple[float, bytes] | None]
"""After how many seconds the n-th request is answered, and what; None: never."""


class _Speaking(asyncio.Protocol):
    def __init__(self, answer: Answer, seen: list[bytes], everything: list) -> None:
        self._answer = answer
        self._all = everything
        self._seen = seen

    def connection_made(self, transport):
        self._transport = transport
        self._all.append(transport)

    def data_received(self, data):
        self._seen.append(data)
        answer = self._answer(len(self._seen) - 1)
        if answer is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(answer[0], self._transport.write, answer[1])


class _Server(threading.Thread):
    """Serves in a thread with a loop of its own, until it is stopped."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer
        self._up = threading.Event()
        self.port = 0
        self.seen: list[bytes] = []

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        transports: list[asyncio.Transport] = []
        server = await self._loop.create_server(
            lambda: _Speaking(self._answer, self.seen, transports),
            "127.0.0.1",
            0,
            backlog=2048,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._over.wait()
        server.close()
        for transport in transports:
            transport.abort()

    def __enter__(self) -> tuple[int, list[bytes]]:
        self.start()
        self._up.wait()
        return self.port, self.seen

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()


def speaking(answer: Answer) -> _Server:
    """A context: the port of a server, and the requests that it has read."""
    return _Server(answer)


def plan_of(port: int, *phases: tuple[float, float], **more) -> Plan:
    """A plan of one kind of request at one port."""
    kinds = more.pop("kinds", [Kind("look", [get("/a"), get("/b")])])
    more = {"connections": 200, **more}
    return Plan(
        "127.0.0.1",
        port,
        kinds,
        [
            Phase(str(number), seconds, [rate])
            for number, (seconds, rate) in enumerate(phases)
        ],
        **more,
    )
