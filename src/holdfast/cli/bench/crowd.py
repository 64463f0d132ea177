"""The load of the login stage: people who look at products, and a crowd that signs in.

The lookers come at a fixed rate whatever the answers take (an open loop), and their
time counts from when they should have been served, so that a server that stalls cannot
hide it. Each of the crowd comes from an address of its own, waits for its answer, and
signs in again; who is turned away comes back when they are told to (``Retry-After``
says eight to twelve seconds). Quiet and flood take turns: the machine is not the same
from one minute to the next. A process of its own, told what to do on standard input; it
ends with one line of JSON.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

import msgspec
import uvloop

from holdfast.cli.bench.connection import Connection, get, post
from holdfast.platform.slices import take_short_slices

_WARM_SECONDS = 1.0
# Longer than a sign-in may take.
_LEAVING_SECONDS = 30.0
# People are not in step: refused together, they do not come back together.
_COME_BACK_SECONDS = (8.0, 12.0)
_chance = random.Random(20)  # noqa: S311 - the same load each time
_SIGNED_IN = 201
_OK = 200
_TURNED_AWAY = 503
_ADDRESSES = 250


class Task(msgspec.Struct):
    """What the crowd is told to do."""

    host: str
    port: int
    rate: float
    """Looks a second."""
    lookers: int
    seconds: float
    """Of quiet, and as long again of the flood, in each round."""
    rounds: int
    paths: list[str]
    emails: list[str]
    """One for each of the crowd."""
    password: str
    client_id: str


class Seen(msgspec.Struct):
    """What came of it."""

    quiet_ms: list[list[float]] = []
    """Time of each look, sorted, by round."""
    flood_ms: list[list[float]] = []
    logins: dict[str, int] = {}
    """How many sign-ins were answered with which status, while it was measured."""
    turned_away: int = 0
    """Looks that were told to come back, in both times."""
    errors: dict[str, int] = {}


class Gate:
    """Sends looks when they are due, over the connections that are free."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._requests = [get(path) for path in paths]
        self._free: deque[Looker] = deque()
        self._due: deque[float] = deque()
        self._sent = 0
        self.times: list[float] | None = None
        self.turned_away = 0
        self.reconnect: Callable[[Looker], object] = lambda _: None
        self.errors: Counter[str] = Counter()

    async def run(self, rate: float, stop: asyncio.Event) -> None:
        """Look *rate* times a second until *stop*."""
        due = time.perf_counter()
        while not stop.is_set():
            now = time.perf_counter()
            while due <= now:
                self._due.append(due)
                due += 1 / rate
            self._serve()
            await asyncio.sleep(due - now)

    def free(self, looker: "Looker") -> None:
        self._free.append(looker)
        self._serve()

    def _serve(self) -> None:
        while self._due and self._free:
            self._sent += 1
            request = self._requests[self._sent % len(self._requests)]
            self._free.popleft().look(request, self._due.popleft())


class Looker:
    """One connection that looks at products."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._due = 0.0
        self._is_away = False

    def connected(self, connection: Connection) -> None:
        self._send, self._close = connection.send, connection.close
        self._gate.free(self)

    def look(self, request: bytes, due: float) -> None:
        self._due = due
        self._send(request)

    def answered(self, status: int, body: bytes) -> None:
        if status == _TURNED_AWAY:
            # The server closes the connection, too.
            self._gate.turned_away += self._gate.times is not None
            self._is_away = True
            self._close()
            return
        if status != _OK:
            self._gate.errors[f"{status} {bytes(body[:80])!r}"] += 1
        if self._gate.times is not None:
            self._gate.times.append((time.perf_counter() - self._due) * 1000)
        self._gate.free(self)

    def lost(self) -> None:
        if self._is_away:
            self._gate.reconnect(Looker(self._gate))
        else:
            self._gate.errors["connection lost"] += 1


class Crowd:
    """Everybody who signs in, while they may."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        """By status, while it is measured."""
        self.is_measured = False
        self.comes = False
        self._members: list[Login] = []
        self._waiting: set[Login] = set()
        self._is_gone = asyncio.Event()

    def join(self, login: "Login") -> None:
        self._members.append(login)

    def come(self) -> None:
        """Sign in, all at once, and again from now on."""
        self.comes = True
        for login in self._members:
            login.sign_in()

    async def leave(self) -> None:
        """Sign in no more; returns when everybody has their answer."""
        self.comes = False
        for login in self._members:
            login.stay_away()
        if self._waiting:
            self._is_gone.clear()
            async with asyncio.timeout(_LEAVING_SECONDS):
                await self._is_gone.wait()

    def asks(self, login: "Login") -> None:
        self._waiting.add(login)

    def told(self, login: "Login", what: str) -> None:
        self._waiting.discard(login)
        if not self._waiting:
            self._is_gone.set()
        if self.is_measured:
            self.answers[what] += 1


class Login:
    """One of the crowd."""

    def __init__(self, request: bytes, crowd: Crowd) -> None:
        self._request = request
        self._crowd = crowd
        self._later: asyncio.TimerHandle | None = None

    def connected(self, connection: Connection) -> None:
        self._send = connection.send
        self._crowd.join(self)
        if self._crowd.comes:
            self.sign_in()

    def answered(self, status: int, body: bytes) -> None:  # noqa: ARG002
        self._crowd.told(self, str(status))
        if self._crowd.comes:
            wait = 0.0 if status == _SIGNED_IN else _chance.uniform(*_COME_BACK_SECONDS)
            self._later = asyncio.get_running_loop().call_later(wait, self.sign_in)

    def lost(self) -> None:
        self._crowd.told(self, "connection lost")

    def sign_in(self) -> None:
        self._crowd.asks(self)
        self._send(self._request)

    def stay_away(self) -> None:
        if self._later is not None:
            self._later.cancel()


async def work(task: Task) -> Seen:
    """Measure quiet, then the same with the crowd, in each round."""
    stop, gate, seen, crowd = asyncio.Event(), Gate(task.paths), Seen(), Crowd()
    for _ in range(task.lookers):
        await _connect(task, Looker(gate), "127.0.0.1")
    async with asyncio.TaskGroup() as group:
        group.create_task(gate.run(task.rate, stop))
        gate.reconnect = lambda looker: group.create_task(
            _connect(task, looker, "127.0.0.1")
        )
        for number in range(task.rounds):
            seen.quiet_ms.append(await _measured(gate, task.seconds))
            if number == 0:
                crowd.comes = True
                await _gather(task, crowd)
            else:
                crowd.come()
            seen.flood_ms.append(await _measured(gate, task.seconds, crowd))
            await crowd.leave()
        gate.reconnect = lambda _: None
        stop.set()
    seen.logins, seen.errors = dict(crowd.answers), dict(gate.errors)
    seen.turned_away = gate.turned_away
    return seen


async def _measured(
    gate: Gate, seconds: float, crowd: Crowd | None = None
) -> list[float]:
    """The times of looks, sorted; *crowd* is counted meanwhile."""
    await asyncio.sleep(_WARM_SECONDS)
    times: list[float] = []
    gate.times = times
    if crowd is not None:
        crowd.is_measured = True
    await asyncio.sleep(seconds)
    gate.times = None
    if crowd is not None:
        crowd.is_measured = False
    return sorted(times)


async def _gather(task: Task, crowd: Crowd) -> None:
    """Let everybody connect, each from an address of their own."""
    for number, email in enumerate(task.emails):
        high, low = divmod(number, _ADDRESSES)
        login = Login(_sign_in(task, email), crowd)
        await _connect(task, login, f"127.1.{high}.{low + 1}")


async def _connect(task: Task, user: Looker | Login, address: str) -> None:
    await asyncio.get_running_loop().create_connection(
        lambda: Connection(user), task.host, task.port, local_addr=(address, 0)
    )


def _sign_in(task: Task, email: str) -> bytes:
    body = {"email": email, "password": task.password, "client_id": task.client_id}
    return post(b"/v1/sessions", msgspec.json.encode(body))


def main() -> None:
    """Do what standard input says."""
    # People have a machine of their own: what waits for a core here is not the shop.
    take_short_slices(os.getpid())
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(work(task))
    sys.stdout.write(msgspec.json.encode(seen).decode() + "\n")


if __name__ == "__main__":
    main()
