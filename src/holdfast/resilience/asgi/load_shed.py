"""Let in as many requests as can be served in time, the important ones first.

``classify`` says of a request which limiter it falls under, how important it is and
until when an answer is of use. A request that must never be turned away (a health
check) has a level below 0 and passes untouched. Everything else needs a permit, which
it holds until the app is done with it: the last byte of a streamed response and what
runs after it are work, too.

The limit learns from what the app did: a 2xx or 3xx is a sample of the latency; a
missed deadline (504, ``TimedOut``, or a cancellation past the deadline) cuts the
limit; any other answer says nothing of the capacity, for a refusal may be quick
because it did nothing.

While a request waits its client is listened to, and one that left is not served. That
takes a task, so only those have one that wait. What of the body arrives meanwhile is
kept, up to 64 KiB, and given to the app.

Raises ``Overloaded`` with the seconds after which to come back, and appends to the list
``holdfast.decisions`` of the scope which limiter turned the request away, and why.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from holdfast.resilience.asgi.types import (
    ANSWERED,
    App,
    Message,
    Receive,
    Scope,
    Send,
    watching,
)
from holdfast.resilience.clock import Monotonic, monotonic
from holdfast.resilience.concurrency import Limiter, Outcome, Permit
from holdfast.resilience.errors import Overloaded, TimedOut

_KEPT_BYTES = 1 << 16
# (By name: to look a member up in its class takes 0.1 us in Python 3.11.)
_IGNORED, _DROPPED = Outcome.IGNORED, Outcome.DROPPED
_OUTCOMES = {2: Outcome.SUCCESS, 3: Outcome.SUCCESS}
_TIMED_OUT = 504


class Claim(NamedTuple):
    """What a request asks for."""

    limiter: str
    level: int
    """``tier * 128 + cohort``, 0 the most important; below 0: needs no permit."""
    deadline: float | None = None
    """The instant of the layer's timer after which an answer is of no use."""


Classify: TypeAlias = Callable[[Scope], Claim]


class LoadShed:
    """A permit of one of *limiters* for each request."""

    def __init__(
        self,
        app: App,
        *,
        classify: Classify,
        limiters: Mapping[str, Limiter],
        timer: Monotonic = monotonic,
    ) -> None:
        self._app = app
        self._classify = classify
        self._limiters = limiters
        self._timer = timer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once there is a permit, or raise ``Overloaded``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        claim = self._classify(scope)
        limiter = self._limiters[claim.limiter]
        if claim.level < 0:
            limiter.bypass(claim.level)
            await self._app(scope, receive, send)
            return
        client = None
        permit = limiter.try_acquire(claim.level)
        if permit is None:
            client = _Client(receive)
            receive = client.receive
            permit = await _acquired(limiter, claim, client, scope)
        answered = scope.get(ANSWERED)
        if answered is None:
            answered, send = watching(send)
        outcome = _IGNORED
        try:
            await self._app(scope, receive, send)
            outcome = _OUTCOMES.get(answered.status // 100, _IGNORED)
            if answered.status == _TIMED_OUT:
                outcome = _DROPPED
        except TimedOut:
            outcome = _DROPPED
            raise
        except asyncio.CancelledError:
            # Cancelled by whoever keeps the deadline, or because the client left.
            if claim.deadline is not None and self._timer() >= claim.deadline:
                outcome = _DROPPED
            raise
        finally:
            permit.release(outcome)
            if client is not None:
                client.close()


async def _acquired(
    limiter: Limiter, claim: Claim, client: "_Client", scope: Scope
) -> Permit:
    """A permit that was waited for; ``Overloaded`` if there is none to be had."""
    try:
        return await limiter.acquire(
            claim.level, deadline=claim.deadline, is_gone=client.is_gone
        )
    except BaseException as error:
        client.close()
        if isinstance(error, Overloaded):
            why = f"shed:{claim.limiter}={error.__notes__[0]}"
            scope.setdefault("holdfast.decisions", []).append(why)
        raise


class _Client:
    """The client of a request that waits: whether it is there, what it sent."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []
        self._listening: asyncio.Task[None] | None = asyncio.create_task(self._listen())
        self._gone = False
        self._is_served = False

    def is_gone(self) -> bool:
        return self._gone

    async def _listen(self) -> None:
        """Keep what comes until the request is served, too large, or abandoned."""
        size = 0
        while size <= _KEPT_BYTES and not self._is_served:
            message = await self._receive()
            self._kept.append(message)
            if message["type"] == "http.disconnect":
                self._gone = True
                return
            size += len(message.get("body", b""))

    async def receive(self) -> Message:
        """What came while it waited, then what comes."""
        self._is_served = True
        if not self._kept and self._listening is not None:
            # It ends with the message it waits for, which nobody else would get.
            await asyncio.wait({self._listening})
            listening, self._listening = self._listening, None
            listening.result()
        if self._kept:
            return self._kept.pop(0)
        return await self._receive()

    def close(self) -> None:
        """Listen no longer."""
        listening = self._listening
        if listening is None or listening.cancel() or listening.cancelled():
            return
        listening.exception()  # Seen, though nobody read on to meet it.
