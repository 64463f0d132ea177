"""The load generator: an open loop, in a process of its own.

Requests fall due by the schedule alone, whatever becomes of those before them, and
their time counts from then: a server that stalls cannot hide it by making its clients
wait before they ask. A client waits a quarter of a second, hangs up and may ask again.

It tells on standard output when each phase begins and ends, so that whoever watches
reads the CPU clocks of the servers at the right moments, and ends with one message of
msgpack. How late it is itself is part of that: a generator that does not keep up
measures its own queue, and its run is void.
"""

import errno
import gc
import math
import os
import random
import re
import select
import sys
import time
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import accumulate, cycle
from selectors import DefaultSelector
from typing import NamedTuple

import msgspec

from holdfast.cli.bench.protection.line import CLOSED, Line
from holdfast.cli.bench.protection.plan import (
    BIN_SECONDS,
    Bin,
    Plan,
    Report,
    needed,
)
from holdfast.cli.bench.protection.tallies import Clocking, Tally
from holdfast.platform.slices import SHORTEST_NS, take_short_slices

# 504 is a server's own word for what a client does that waits no longer.
_REFUSALS = (429, 503, 504)
_PAUSE_SECONDS = 0.1
_MOST_PAUSE_SECONDS = 2.0
_IDLE_SECONDS = 0.05
_OPEN_SECONDS = 10.0
_AT_ONCE = 64
# From so many requests a second on, it wakes up for several at a time: each wake-up
# costs as much as a request. They are late by that, and their time counts all the same.
_FAST_RATE = 2_000
_TICK_SECONDS = 0.0005
_CLOSED = (CLOSED, os.strerror(errno.ECONNRESET), os.strerror(errno.EPIPE))
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


class Asked(NamedTuple):
    """A request that has fallen due."""

    due: float
    tally: Tally
    kind: int
    attempt: int
    request: bytes
    was_lost: bool = False
    """It met a connection that the server was closing, and is sent once more."""


class Generator:
    """Sends what a plan says, and counts what becomes of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._limit = plan.limit_seconds
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same load each time
        self._requests = [_supply(plan, number) for number in range(len(plan.kinds))]
        self._selector = DefaultSelector()
        self._expected = [kind.expected for kind in plan.kinds]
        self._tallies = [[Tally() for _ in plan.kinds] for _ in plan.phases]
        self._clockings = [Clocking() for _ in plan.phases]
        self._bins: list[Bin] = []
        self._began = 0.0
        self._lines = self._connecting = self._connects = 0
        self._is_fast = False
        # In turns: each is a client of its own, and the one refused last is not the
        # one that comes next.
        self._free: deque[Line] = deque()
        self._waiting: deque[Asked] = deque()
        self._limits: deque[tuple[float, Line, int]] = deque()
        self._again: list[tuple[float, int, Asked]] = []

    def run(self) -> Report:
        """Go through all phases."""
        self._open()
        self._began = begins = time.perf_counter()
        for number, phase in enumerate(self._plan.phases):
            ends = begins + phase.seconds
            _say(f"begin {number}")
            used = time.process_time()
            self._phase(number, begins, ends)
            clocking = self._clockings[number]
            clocking.busy = (time.process_time() - used) / phase.seconds
            clocking.in_flight = self._in_flight()
            _say(f"end {number}")
            begins = ends
        # The last ones have as long as any.
        self._until(time.perf_counter() + self._limit)
        self._close()
        phases = zip(self._plan.phases, self._tallies, self._clockings, strict=True)
        return Report(
            [
                clocking.seen(
                    phase.name,
                    phase.seconds,
                    [
                        tally.count(kind.name)
                        for kind, tally in zip(self._plan.kinds, tallies, strict=True)
                    ],
                )
                for phase, tallies, clocking in phases
            ],
            self._bins,
            self._connects,
        )

    def _open(self) -> None:
        """Make all connections: those of a proxy, which it keeps.

        A server of ours takes one at each turn of its loop. Made under load, most would
        wait there, out of the sight of any protection, and keep the load away.
        """
        give_up = time.perf_counter() + _OPEN_SECONDS
        for _ in range(self._plan.connections):
            self._connect()
            if self._connecting >= _AT_ONCE:
                self._open_those_under_way(give_up, _AT_ONCE // 2)
        self._open_those_under_way(give_up, 0)

    def _open_those_under_way(self, give_up: float, left: int) -> None:
        while self._connecting > left and time.perf_counter() < give_up:
            for key, _ in self._selector.select(_IDLE_SECONDS):
                key.data.ready()

    def _phase(self, number: int, begins: float, ends: float) -> None:
        rates, tallies = self._plan.phases[number].rates, self._tallies[number]
        total, bounds = sum(rates), [*accumulate(rates)]
        self._is_fast = total >= _FAST_RATE
        lateness = self._clockings[number].lateness
        kinds, choices = range(len(rates)), self._chance.choices
        due = begins + self._gap(total)
        while True:
            now = time.perf_counter()
            while due <= now and due < ends:
                lateness.append(now - due)
                kind = choices(kinds, cum_weights=bounds)[0]
                tallies[kind].due += 1
                self._bin(due).due += 1
                request = next(self._requests[kind])
                self._waiting.append(Asked(due, tallies[kind], kind, 0, request))
                due += self._gap(total)
            if now >= ends:
                return
            self._turn(now, min(due, ends))

    def _gap(self, rate: float) -> float:
        if not rate:
            return math.inf
        return self._chance.expovariate(rate) if self._plan.poisson else 1 / rate

    def _until(self, ends: float) -> None:
        self._again.clear()
        self._is_fast = False
        while (now := time.perf_counter()) < ends and self._in_flight():
            self._turn(now, ends)

    def _close(self) -> None:
        """Hang up. Who has no answer yet has waited as long as anybody."""
        for asked in self._waiting:
            asked.tally.unsent += asked.attempt == 0
        for key in list(self._selector.get_map().values()):
            unanswered: Asked | None = key.data.asked
            if unanswered is not None and unanswered.attempt == 0:
                self._give_up(unanswered)
            key.data.close()
        self._selector.close()

    def _give_up(self, asked: Asked) -> None:
        asked.tally.given_up += 1
        asked.tally.served.append(self._limit)

    def _turn(self, now: float, next_due: float) -> None:
        """Send what is due, end what has waited too long, read what has come."""
        while self._again and self._again[0][0] <= now:
            _, _, asked = heappop(self._again)
            asked.tally.retries += 1
            self._bin(asked.due).retries += 1
            self._waiting.append(asked)
        while self._waiting and self._free:
            self._send(self._free.popleft(), self._waiting.popleft())
        # In place of those that were closed, one for each that waits.
        short = len(self._waiting) - self._connecting
        for _ in range(min(short, self._plan.connections - self._lines)):
            self._connect()
        self._expire(now)
        soon = min(
            next_due,
            self._limits[0][0] if self._limits else next_due,
            self._again[0][0] if self._again else next_due,
            now + _IDLE_SECONDS,
        )
        pause = soon - time.perf_counter()
        if self._is_fast:
            time.sleep(_TICK_SECONDS)
        elif pause > 0:
            # Waits for microseconds if need be; the selector itself for milliseconds.
            select.select([self._selector], [], [], pause)
        for key, _ in self._selector.select(0):
            key.data.ready()

    def _send(self, line: Line, asked: Asked) -> None:
        line.asked = asked
        try:
            line.send(asked.request)
        except OSError as error:
            self.lost(line, error.strerror or "lost")
            return
        self._limits.append((asked.due + self._limit, line, line.serial))

    def _connect(self) -> None:
        self._lines += 1
        self._connecting += 1
        self._connects += 1
        Line(self, self._selector, (self._plan.host, self._plan.port))

    def _expire(self, now: float) -> None:
        limits = self._limits
        while limits and limits[0][0] <= now:
            _, line, serial = limits.popleft()
            asked: Asked | None = line.asked
            if asked is None or serial != line.serial:
                continue
            if self._chance.random() >= self._plan.hang_up:
                continue
            line.asked = None
            line.close()
            self._lines -= 1
            if asked.attempt == 0:
                self._give_up(asked)
            self._ask_again(asked, None)
        while self._waiting and self._waiting[0].due + self._limit <= now:
            asked = self._waiting.popleft()
            if asked.attempt == 0:
                asked.tally.unsent += 1
            self._ask_again(asked, None)

    def opened(self, line: Line) -> None:
        """A connection is made."""
        self._connecting -= 1
        self.free(line)

    def free(self, line: Line) -> None:
        """A line has nothing to do."""
        line.asked = None
        if self._waiting:
            self._send(line, self._waiting.popleft())
        else:
            self._free.append(line)

    def answered(self, line: Line, status: int, answer: bytes) -> None:
        """Count an answer."""
        asked: Asked = line.asked
        took = time.perf_counter() - asked.due
        tally = asked.tally
        if asked.attempt:
            if status == self._expected[asked.kind] and took <= self._limit:
                tally.retried_ok += 1
                self._bin(asked.due).retried_ok += 1
        elif status == self._expected[asked.kind]:
            tally.served.append(took)
            if took <= self._limit:
                tally.ok += 1
                self._bin(asked.due).ok += 1
            else:
                tally.late += 1
        elif status in _REFUSALS:
            tally.refused += 1
            tally.turned_away.append(took)
        else:
            tally.answer(answer)
        if status in _REFUSALS:
            self._ask_again(asked, answer)

    def lost(self, line: Line, why: str) -> None:
        """A connection has ended, or was never made."""
        asked: Asked | None = line.asked
        line.asked = None
        self._connecting -= not line.is_open
        line.close()
        self._lines -= 1
        is_stale = why in _CLOSED and not line.has_begun
        if asked is not None and is_stale and not asked.was_lost:
            # Nothing of an answer had come from a connection that was idle for long: a
            # proxy takes another one (RFC 9112 9.3.1). Its time counts from when it
            # was due all the same.
            self._waiting.appendleft(asked._replace(was_lost=True))
        elif asked is not None:
            if asked.attempt == 0:
                asked.tally.fail(why)
            self._ask_again(asked, None)
        elif line in self._free:
            self._free.remove(line)

    def _ask_again(self, asked: Asked, answer: bytes | None) -> None:
        """What a client does that has got nothing: full jitter, or as it was told."""
        if asked.attempt >= self._plan.retries:
            return
        most = min(_MOST_PAUSE_SECONDS, _PAUSE_SECONDS * 2**asked.attempt)
        pause = self._chance.uniform(0, most)
        told = _RETRY_AFTER.search(answer) if answer is not None else None
        if told is not None and self._chance.random() < self._plan.obedient:
            pause = float(told[1])
        due = time.perf_counter() + pause
        again = asked._replace(due=due, attempt=asked.attempt + 1)
        heappush(self._again, (due, id(again), again))

    def _in_flight(self) -> int:
        asked = self._lines - self._connecting - len(self._free)
        return asked + len(self._waiting)

    def _bin(self, due: float) -> Bin:
        number = int((due - self._began) / BIN_SECONDS)
        while len(self._bins) <= number:
            self._bins.append(Bin())
        return self._bins[number]


def _supply(plan: Plan, number: int) -> Iterator[bytes]:
    kind = plan.kinds[number]
    if not kind.once:
        return cycle(kind.requests)
    if (most := needed(plan, number)) > len(kind.requests):
        raise ValueError(f"{kind.name}: {most} requests are needed")
    return iter(kind.requests)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do the plan that standard input holds."""
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    if plan.core is not None:
        os.sched_setaffinity(0, {plan.core})
    # It keeps a schedule, beside a database on the same core.
    take_short_slices(0, SHORTEST_NS)
    # Nothing here goes in circles, and a look for them would come late.
    gc.disable()
    report = Generator(plan).run()
    _say("report")
    sys.stdout.buffer.write(msgspec.msgpack.encode(report))


if __name__ == "__main__":
    main()
