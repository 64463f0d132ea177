"""So many calls to one dependency at a time, and no more.

When something hangs, each call to it holds what it needs (a connection, a task, memory)
until its time limit. A bulkhead bounds how much of a process that can be. A few callers
may wait for a place, each for a bounded time; the others are told at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from holdfast.resilience.deadline import remaining
from holdfast.resilience.errors import BulkheadFull
from holdfast.resilience.events import BulkheadRefused

T = TypeVar("T")

_RETRY_AFTER_SECONDS = 1.0


class Bulkhead:
    """At most *concurrent* calls, and *waiting* callers for up to *wait_seconds*."""

    def __init__(
        self,
        dependency: str,
        *,
        concurrent: int,
        waiting: int = 0,
        wait_seconds: float = 0.1,
        alias: str | None = None,
        listen: Callable[[BulkheadRefused], None] | None = None,
    ) -> None:
        if concurrent < 1 or waiting < 0 or wait_seconds <= 0:
            raise ValueError("a bulkhead has room for one call, and a bounded wait")
        self._alias = dependency if alias is None else alias
        self._event = BulkheadRefused(dependency)
        self._free = self.concurrent = concurrent
        self._room = waiting
        self._wait_seconds = wait_seconds
        self._queue: deque[asyncio.Future[None]] = deque()
        self._listen = listen

    @property
    def in_use(self) -> int:
        """How many calls are under way."""
        return self.concurrent - self._free

    @property
    def waiting(self) -> int:
        """How many callers wait for a place."""
        return len(self._queue)

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* when there is a place; ``BulkheadFull`` if there is none."""
        if self._free:
            self._free -= 1
        else:
            await self._wait()
        try:
            return await call()
        finally:
            self._leave()

    async def _wait(self) -> None:
        """Wait for the place of another; it is ours when this returns."""
        left = remaining()
        seconds = self._wait_seconds if left is None else min(self._wait_seconds, left)
        if len(self._queue) >= self._room or seconds <= 0:
            raise self._refusal()
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                # Given a place in the same instant: pass it on, or it is lost.
                self._leave()
            with suppress(ValueError):
                self._queue.remove(turn)
            if limit.expired():
                raise self._refusal() from None
            raise

    def _leave(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _refusal(self) -> BulkheadFull:
        if self._listen is not None:
            self._listen(self._event)
        return BulkheadFull(_RETRY_AFTER_SECONDS, dependency=self._alias)
