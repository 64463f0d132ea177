"""The bare applications that goodput is measured with: they use time, and no more.

What they cost is known, so what is left of it under load says what saying no costs. CPU
is used by counting it, not by watching a clock: a handler that is interrupted needs no
less of it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from holdfast.resilience.asgi import App, Receive, Scope, Send

_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"3")]
SLOTS = 10
WAIT_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Handler:
    """One kind of work."""

    name: str
    title: str
    rate: float
    """What a server that did nothing else would manage a second."""
    make: Callable[["Served"], App]


class Served:
    """How often an application has worked."""

    def __init__(self) -> None:
        self.count = 0


def computing(served: Served, *, cpu_seconds: float) -> App:
    """Uses the CPU for so long, and lets nothing else run meanwhile."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        served.count += 1
        ends = time.thread_time() + cpu_seconds
        while time.thread_time() < ends:
            pass
        await _answer(send)

    return app


def waiting(served: Served) -> App:
    """Waits 20 ms for something of which there are ten, as for a database."""
    slots = asyncio.Semaphore(SLOTS)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
        async with slots:
            served.count += 1
            await asyncio.sleep(WAIT_SECONDS)
        await _answer(send)

    return app


async def _answer(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b"ok\n"})


def _computing(milliseconds: int) -> Handler:
    seconds = milliseconds / 1000
    return Handler(
        f"w{milliseconds}",
        f"{milliseconds} ms CPU",
        1 / seconds,
        partial(computing, cpu_seconds=seconds),
    )


HANDLERS = {
    handler.name: handler
    for handler in (
        _computing(20),
        _computing(5),
        Handler("io", "20 ms wait, 10 at once", SLOTS / WAIT_SECONDS, waiting),
    )
}
