"""Loads of single things, put together while others are under way.

A statement for one row costs nearly as much as one for thirty: the round trip,
the driver and the planner outweigh the reading. So a key that is asked for
while statements are under way waits for the next one, which takes all that
have gathered. An idle process answers at once; a busy one does more with every
statement. What a caller reads was never read before it asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Generic, TypeVar

from holdfast.resilience import deadline

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """Turns many ``get`` of one key each into few calls of *load*.

    At most *at_once* loads of at most *most* keys run at a time. A load that
    fails, fails for those that waited for it. A caller that goes away takes
    nothing from the others.
    """

    def __init__(
        self,
        load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        most: int = 64,
        at_once: int = 2,
    ) -> None:
        self._load = load
        self._most = most
        self._at_once = at_once
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running = set[asyncio.Task[None]]()
        self._is_due = False

    async def get(self, key: K) -> V | None:
        """What *key* stands for; None if there is no such thing."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if not self._is_due and len(self._running) < self._at_once:
            # Not now but at the end of this turn of the loop: requests that
            # arrived in the same turn come along.
            self._is_due = True
            loop.call_soon(self._start)
        return await future

    def _start(self) -> None:
        self._is_due = False
        taken = {key: self._waiting[key] for key in islice(self._waiting, self._most)}
        for key in taken:
            del self._waiting[key]
        # Not with the patience of whoever happened to ask first.
        task = asyncio.get_running_loop().create_task(
            self._answer(taken), context=deadline.apart()
        )
        self._running.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and not self._is_due:
            self._start()

    async def _answer(self, taken: dict[K, list["asyncio.Future[V | None]"]]) -> None:
        try:
            found = await self._load(list(taken))
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            for future in _still_waited_for(chain.from_iterable(taken.values())):
                future.set_exception(error)
        else:
            for key, futures in taken.items():
                for future in _still_waited_for(futures):
                    future.set_result(found.get(key))


def _still_waited_for(
    futures: Iterable["asyncio.Future[V | None]"],
) -> Iterator["asyncio.Future[V | None]"]:
    return (future for future in futures if not future.done())
