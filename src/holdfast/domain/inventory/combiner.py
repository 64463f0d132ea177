"""Turns many requests for the same few rows into few transactions.

Everybody who updates one row of stock stands in line for its lock, one commit after the
other: a thousand buyers of one SKU get about as many reservations a second as the disk
can sync. So while a batch is with the database the next one gathers here, and is sent
as a whole when the first is back. An idle process answers at once; a busy one does more
with every commit. Batches that share a variant never run at once, and no more than
``at_once`` run at all, so that hot SKUs leave the connections to everybody else.

Nobody waits without an end. Where the line is full, or a request is not begun within
its patience or what is left of its deadline, or the database does not manage in two
tries, the answer is ``ReservationsBusy``: never that something is sold out. Trying
again is safe, because who has got its units already is granted the same again, and
takes nothing more.

Who goes away while it waits is taken out and gets nothing. Once its batch has begun
that is too late: then the hold stands until it expires.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from typing import Generic, TypeVar
from uuid import UUID

from holdfast.domain.inventory.combining import Request, in_turn
from holdfast.domain.inventory.errors import ReservationsBusy
from holdfast.platform.db import (
    ConstraintViolated,
    DatabaseBusy,
    DatabaseUnavailable,
)
from holdfast.resilience.deadline import Budget, apart, current, remaining

MAX_REQUESTS = 256
# A cart may have a thousand lines: so many carts in one transaction would keep their
# rows locked for long.
MAX_LINES = 1_024
WAITING = 2_000
PATIENCE_SECONDS = 1.0

A = TypeVar("A")

# What the database may say that is no fault of a request: a lock that was not had in
# time, a deadlock, a row that another process wrote meanwhile, a restart.
_PASSING = (DatabaseBusy, DatabaseUnavailable, ConstraintViolated)
_chance = Random()  # noqa: S311 - spreads clients over time, keeps no secret


@dataclass(eq=False, slots=True)
class _Waiting(Generic[A]):
    request: Request
    until: float
    # An outcome or an error, as a value: an error that nobody fetches any more would
    # be complained about by the loop.
    answer: "asyncio.Future[A | Exception]"

    budget: Budget | None = None
    """Of the request that waits for it."""
    is_with_database: bool = False

    @property
    def customer(self) -> object:
        return self.request.customer

    def begin(self) -> None:
        """Its batch begins: whoever leaves now may get it all the same."""
        self.is_with_database = True
        if self.budget is not None:
            self.budget.hold()

    def end(self) -> None:
        """Nobody waits for it any more."""
        if self.budget is not None and self.is_with_database:
            refused = self.answer.done() and isinstance(
                None if self.answer.cancelled() else self.answer.result(), Exception
            )
            self.budget.let_go(lasting=not refused)

    def tell(self, said: A | Exception) -> None:
        if not self.answer.done():
            self.answer.set_result(said)


def busy() -> ReservationsBusy:
    """Come back in one or two seconds: not all in the same."""
    return ReservationsBusy(_chance.choice((1, 2)))


class Combiner(Generic[A]):
    """The line of one process for its hot SKUs.

    *run* decides all requests of a batch in one transaction; an error means that it
    was none.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Request]], Awaitable[Sequence[A]]],
        *,
        at_once: int = 2,
        most: int = MAX_REQUESTS,
        most_lines: int = MAX_LINES,
        waiting: int = WAITING,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._run = run
        self._at_once = at_once
        self._most = most
        self._most_lines = most_lines
        self._limit = waiting
        self._patience = patience_seconds
        self._line: dict[int, _Waiting[A]] = {}
        self._running: dict[asyncio.Task[None], frozenset[UUID]] = {}
        self._is_due = False
        self._is_closed = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many stand in line, those that are with the database not counted."""
        return len(self._line)

    @property
    def running(self) -> int:
        """How many batches are with the database."""
        return len(self._running)

    async def ask(self, request: Request) -> A:
        """What came of *request*; ``ReservationsBusy`` if it could not be decided."""
        if self._is_closed or len(self._line) >= self._limit:
            raise busy()
        loop = asyncio.get_running_loop()
        left = remaining()
        patience = self._patience if left is None else min(self._patience, left)
        until = loop.time() + patience
        entry: _Waiting[A] = _Waiting(request, until, loop.create_future(), current())
        self._line[id(entry)] = entry
        if not self._is_due and self._may_start(request):
            # At the end of this turn of the loop: others of the same turn come along.
            self._is_due = True
            loop.call_soon(self._start)
        self._set_alarm(until)
        try:
            said = await entry.answer
        finally:
            # Who went away before its batch began gets nothing.
            self._line.pop(id(entry), None)
            entry.end()
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        """Turn away who waits, and see to its end what has begun."""
        self._is_closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for entry in self._line.values():
            entry.tell(busy())
        self._line.clear()
        while self._running:
            await asyncio.wait(self._running)

    def _may_start(self, request: Request) -> bool:
        """Whether a batch with *request* could begin now."""
        return len(self._running) < self._at_once and all(
            _is_apart(request, variants) for variants in self._running.values()
        )

    def _start(self) -> None:
        self._is_due = False
        while self._line and len(self._running) < self._at_once:
            taken = self._take()
            if not taken:
                return
            variants = frozenset(v for e in taken for v, _ in e.request.lines)
            # Not with the patience of whoever happened to ask first.
            task = asyncio.get_running_loop().create_task(
                self._answer(taken), context=apart()
            )
            self._running[task] = variants
            task.add_done_callback(self._finish)

    def _finish(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        if not self._is_due:
            self._start()

    def _take(self) -> list[_Waiting[A]]:
        """Take out of the line who comes next, everybody in turn."""
        self._turn_away(asyncio.get_running_loop().time())
        at_work = frozenset[UUID]().union(*self._running.values())
        free = [e for e in self._line.values() if _is_apart(e.request, at_work)]
        if len(free) > self._most:
            free = in_turn(free)
        taken, lines = list[_Waiting[A]](), 0
        for entry in free[: self._most]:
            lines += len(entry.request.lines)
            if taken and lines > self._most_lines:
                break
            taken.append(entry)
        for entry in taken:
            del self._line[id(entry)]
            entry.begin()
        return in_turn(taken)

    async def _answer(self, taken: Sequence[_Waiting[A]]) -> None:
        """Ask the database twice at most, and tell everybody what came of it."""
        requests = [entry.request for entry in taken]
        said: Sequence[A | Exception] = []
        try:
            try:
                said = await self._run(requests)
            except _PASSING:
                said = await self._run(requests)
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            is_busy = isinstance(error, _PASSING)
            is_gone = isinstance(error, DatabaseUnavailable)
            said = [busy() if is_busy and not is_gone else error for _ in taken]
        finally:
            # Also when the process stops in the middle: nobody is left waiting.
            for entry, one in zip_longest(taken, said):
                entry.tell(busy() if one is None else one)

    def _set_alarm(self, when: float) -> None:
        if self._alarm is not None:
            if self._alarm.when() <= when:
                return
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_at(when, self._lose_patience)

    def _lose_patience(self) -> None:
        self._alarm = None
        self._turn_away(asyncio.get_running_loop().time())
        if self._line:
            self._set_alarm(min(entry.until for entry in self._line.values()))

    def _turn_away(self, now: float) -> None:
        """Tell who has waited too long."""
        late = [entry for entry in self._line.values() if entry.until <= now]
        for entry in late:
            del self._line[id(entry)]
            entry.tell(busy())


def _is_apart(request: Request, variants: frozenset[UUID]) -> bool:
    return not variants or all(v not in variants for v, _ in request.lines)
