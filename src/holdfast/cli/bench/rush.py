"""The load of the stages about holds: many who put holds on the same SKU, or on many.

Several streams of requests run side by side. A stream is closed (each of its users
waits for an answer before the next request) or open (requests come at a fixed rate
whatever the answers take; their time counts from when they were due, so that a server
that stalls cannot hide it). Every request is of a cart of its own. A process of its
own, told what to do on standard input; it says ``start`` when the measured time begins,
``stop`` when it is over, and ends with one line of JSON.
"""

import asyncio
import itertools
import random
import secrets
import sys
import time
from collections import Counter, deque

import msgspec
import uvloop

from holdfast.cli.bench.connection import Connection
from holdfast.kernel import tokens

_WARM_SECONDS = 1.0
_CUSTOMERS = 5_000
_chance = random.Random(20)  # noqa: S311 - the same load each time


class Stream(msgspec.Struct):
    """Requests that are measured together."""

    skus: list[str]
    users: int
    """Connections."""
    rate: float = 0.0
    """Requests a second; 0 for as many as the users manage."""
    expected: int = 201
    """The status that every answer must have."""


class Task(msgspec.Struct):
    """What the client process is told to do."""

    host: str
    port: int
    seconds: float
    streams: list[Stream]


class Seen(msgspec.Struct):
    """What came of a stream in the measured time."""

    done: int = 0
    seconds: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    busy: int = 0
    """Answers that were 503."""
    answers: int = 0
    """All there were, those while it warmed up too."""
    errors: dict[str, int] = {}


class Requests:
    """Makes requests, each of another cart."""

    def __init__(self, skus: list[str]) -> None:
        self._bodies = [
            msgspec.json.encode({"lines": [{"sku": sku, "quantity": 1}]})
            for sku in skus
        ]
        self._tokens = [
            tokens.mint(tokens.CART, _chance.randbytes(tokens.RANDOM_BYTES)).encode()
            for _ in range(_CUSTOMERS)
        ]
        # No two streams, of this process or another, are of the same carts.
        self._run = secrets.token_hex(6).encode()
        self._numbers = itertools.count()

    def make(self) -> bytes:
        number = next(self._numbers)
        body = self._bodies[_chance.randrange(len(self._bodies))]
        return b"".join(
            (
                b"PUT /v1/carts/%08x-0000-7000-8000-" % number,
                self._run,
                b"/reservation HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer ",
                self._tokens[number % _CUSTOMERS],
                b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % len(body),
                body,
            )
        )


class Gate:
    """Sends the requests of one stream, and keeps what came of them."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._requests = Requests(stream.skus)
        self._free: deque[User] = deque()
        self._due: deque[float] = deque()
        self._times: list[float] = []
        self._answers: Counter[str] = Counter()
        self._count = 0
        self.on = False
        self.over = False

    async def run(self) -> None:
        """Make requests due at the stream's rate until it is over."""
        if not self._stream.rate:
            return
        due = time.perf_counter()
        while not self.over:
            now = time.perf_counter()
            while due <= now:
                self._due.append(due)
                due += 1 / self._stream.rate
            while self._due and self._free:
                self._free.popleft().ask(self._requests.make(), self._due.popleft())
            await asyncio.sleep(due - now)

    def free(self, user: "User") -> None:
        """Let *user* ask what is due next."""
        if self.over:
            return
        if not self._stream.rate:
            user.ask(self._requests.make(), time.perf_counter())
        elif self._due:
            user.ask(self._requests.make(), self._due.popleft())
        else:
            self._free.append(user)

    def answered(self, status: int, body: bytes, seconds: float) -> None:
        self._count += 1
        if status not in (self._stream.expected, 503):
            self._answers[f"{status} {bytes(body[:120])!r}"] += 1
        elif self.on and status == self._stream.expected:
            self._times.append(seconds * 1000)
        elif self.on:
            self._answers["busy"] += 1

    def lost(self) -> None:
        if not self.over:
            self._answers["connection lost"] += 1

    def seen(self, seconds: float) -> Seen:
        times, busy = sorted(self._times) or [0.0], self._answers.pop("busy", 0)
        return Seen(
            done=len(self._times),
            seconds=seconds,
            p50_ms=times[len(times) // 2],
            p99_ms=times[len(times) * 99 // 100],
            busy=busy,
            answers=self._count,
            errors=dict(self._answers),
        )


class User:
    """One connection."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._since = 0.0

    def connected(self, connection: Connection) -> None:
        self._send = connection.send
        self._gate.free(self)

    def ask(self, request: bytes, since: float) -> None:
        self._since = since
        self._send(request)

    def answered(self, status: int, body: bytes) -> None:
        self._gate.answered(status, body, time.perf_counter() - self._since)
        self._gate.free(self)

    def lost(self) -> None:
        self._gate.lost()


async def work(task: Task) -> list[Seen]:
    """Run all streams at once; what was seen of each."""
    loop, gates = asyncio.get_running_loop(), [Gate(n) for n in task.streams]
    async with asyncio.TaskGroup() as group:
        for gate, stream in zip(gates, task.streams, strict=True):
            for _ in range(stream.users):
                await loop.create_connection(
                    lambda gate=gate: Connection(User(gate)),  # type: ignore[misc]
                    task.host,
                    task.port,
                )
            group.create_task(gate.run())
        await asyncio.sleep(_WARM_SECONDS)
        started = time.perf_counter()
        for gate in gates:
            gate.on = True
        _say("start")
        await asyncio.sleep(task.seconds)
        seconds = time.perf_counter() - started
        for gate in gates:
            gate.on, gate.over = False, True
        _say("stop")
    return [gate.seen(seconds) for gate in gates]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what standard input says."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(work(task))
    _say(msgspec.json.encode(seen).decode())


if __name__ == "__main__":
    main()
