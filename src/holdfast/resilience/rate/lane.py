"""All questions of one turn of the event loop go to the store together.

A *lane* leads to one server over a few connections of its own. Questions wait in
one line; a connection that is free takes up to 32 of them at once, sends them in
one piece and reads the answers in their order. As it is only woken for the next
turn of the loop, everything asked in this turn is there when it looks.

Whoever asks may be cancelled at any moment: the connection belongs to the lane,
which reads the answer that nobody wants any more, so no answer can be taken for
another's. A question whose asker has gone before it was sent is not sent.

A question is answered within its time or fails with ``StoreUnavailable``; one that
failed is never sent later, when its tokens would be counted for nothing. When an
answer is late the connection is dropped with all it carries, for it may hang. Late
means: after the time, and after four more turns of the loop, in which an answer
that has arrived is read. A loop that stood still says nothing about the store.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.resilience.rate.quota import StoreUnavailable
from holdfast.resilience.rate.script import Command

_TURNS = 4
# A connection may be found closed, and the one made instead be closed as well.
_TRIES = 3


class Wire(Protocol):
    """One connection. All it raises because the server is gone is an ``OSError``."""

    async def connect(self) -> None:
        """Connect and say hello."""
        ...

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        """Send all *commands*, then read as many answers; an error is one of them."""
        ...

    async def drop(self) -> None:
        """Close at once, without a word and without waiting."""
        ...


@dataclass(slots=True, eq=False)
class _Question:
    commands: tuple[Command, ...]
    answer: asyncio.Future[object]
    due: float
    tries: int = 0

    def fail(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(StoreUnavailable(why))


@dataclass(slots=True, eq=False)
class _Pump:
    """A task with a connection, and what it is waiting for."""

    task: asyncio.Task[None] = field(init=False)
    coming: bool = True
    """It has been woken or started, and has not looked at the line since."""
    bell: asyncio.Future[None] = field(init=False)
    load: list[_Question] = field(default_factory=list)


class Lane:
    """The way to one server."""

    def __init__(
        self,
        make: Callable[[], Wire],
        *,
        connections: int = 2,
        batch: int = 32,
        connect_seconds: float = 0.25,
    ) -> None:
        """Say how wires are made.

        Two connections: one is read while the other is written to. More would only
        make the batches smaller.
        """
        self._make = make
        self._connections = connections
        self._batch = batch
        self._connect_seconds = connect_seconds
        self._line: deque[_Question] = deque()
        self._open: deque[_Question] = deque()
        self._pumps: list[_Pump] = []
        self._idle: list[_Pump] = []
        self._watch: asyncio.TimerHandle | asyncio.Handle | None = None
        self.round_trips = 0
        """Batches sent so far."""

    def ask(self, *commands: Command, seconds: float) -> asyncio.Future[object]:
        """Ask the server; the answer is that to the last of *commands*."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        question = _Question(commands, loop.create_future(), due)
        self._line.append(question)
        self._open.append(question)
        if self._watch is None:
            self._watch = loop.call_at(due, self._late, 0)
        self._wake()
        return question.answer

    @property
    def busy(self) -> bool:
        """Somebody waits for an answer."""
        return bool(self._line) or any(pump.load for pump in self._pumps)

    def renew(self) -> None:
        """Drop the connections with all they carry; new ones are made when needed."""
        for pump in self._pumps:
            pump.task.cancel()

    async def close(self) -> None:
        """Drop the connections; whatever is open fails."""
        self._fail_line("the limiter was closed")
        # More than once, where a connection took it for a time limit of its own.
        while tasks := [pump.task for pump in self._pumps]:
            self.renew()
            await asyncio.wait(tasks, timeout=self._connect_seconds)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._open.clear()

    def _wake(self) -> None:
        """See that somebody looks at the line, if those on their way are too few."""
        coming = sum(pump.coming for pump in self._pumps)
        if len(self._line) <= coming * self._batch:
            return
        if self._idle:
            pump = self._idle.pop()
            pump.coming = True
            # One that was told to leave looks for who comes after it.
            if not pump.bell.done():
                pump.bell.set_result(None)
        elif len(self._pumps) < self._connections:
            pump = _Pump()
            self._pumps.append(pump)
            pump.task = asyncio.get_running_loop().create_task(self._work(pump))

    async def _work(self, pump: _Pump) -> None:
        wire = self._make()
        gone: OSError | None = None
        try:
            await self._connect(wire)
            while True:
                while not self._collect(pump):
                    pump.bell = asyncio.get_running_loop().create_future()
                    self._idle.append(pump)
                    await pump.bell
                try:
                    await self._carry(pump, wire)
                except OSError as error:
                    # The server may have closed it while it was idle. Asking again
                    # can cost the caller a token, and can never give it one.
                    self._put_back(pump, repr(error))
                    await wire.drop()
                    wire = self._make()
                    await self._connect(wire)
        except OSError as error:
            gone = error
        finally:
            await wire.drop()
            self._leave(pump, gone)

    def _leave(self, pump: _Pump, gone: OSError | None) -> None:
        for question in pump.load:
            question.fail("the connection was dropped")
        self._pumps.remove(pump)
        if pump in self._idle:
            self._idle.remove(pump)
        if gone is None or self._idle:
            self._wake()
        elif not self._pumps:
            # Nothing waits for a server that is not there.
            self._fail_line(repr(gone))

    async def _connect(self, wire: Wire) -> None:
        async with asyncio.timeout(self._connect_seconds):
            await wire.connect()

    def _collect(self, pump: _Pump) -> bool:
        """Take what is next in line; False if there is nothing."""
        pump.coming = False
        load = pump.load
        while self._line and len(load) < self._batch:
            question = self._line.popleft()
            if not question.answer.done():
                load.append(question)
        if self._line:
            self._wake()
        return bool(load)

    async def _carry(self, pump: _Pump, wire: Wire) -> None:
        load = pump.load
        self.round_trips += 1
        answers = await wire.ask([c for q in load for c in q.commands])
        last = -1
        for question in load:
            last += len(question.commands)
            if not question.answer.done():
                question.answer.set_result(answers[last])
        load.clear()

    def _put_back(self, pump: _Pump, why: str) -> None:
        while pump.load:
            question = pump.load.pop()
            question.tries += 1
            if question.tries == _TRIES:
                question.fail(why)
            else:
                self._line.appendleft(question)

    def _fail_line(self, why: str) -> None:
        while self._line:
            self._line.popleft().fail(why)

    def _late(self, turn: int) -> None:
        """See whether the oldest open question is overdue, and judge it if so."""
        loop = asyncio.get_running_loop()
        while self._open and self._open[0].answer.done():
            self._open.popleft()
        if not self._open:
            self._watch = None
            return
        now = loop.time()
        if self._open[0].due > now:
            self._watch = loop.call_at(self._open[0].due, self._late, 0)
            return
        if turn < _TURNS:
            self._watch = loop.call_soon(self._late, turn + 1)
            return
        while self._open and (self._open[0].due <= now or self._open[0].answer.done()):
            self._open.popleft().fail("no answer in time")
        for pump in list(self._pumps):
            if any(q.due <= now for q in pump.load):
                pump.task.cancel()
        self._watch = loop.call_soon(self._late, 0)
