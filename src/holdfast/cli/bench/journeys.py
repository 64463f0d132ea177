"""What the users of a benchmark do: look at pages, buy, fight over the last units.

Each user waits for an answer before the next request (a closed loop). An answer
counts when its status and a part of its body are what they have to be. Who is told that
there is too much work (503: nothing happened) asks the same again a moment later; that
is counted, and the time goes on.
"""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from holdfast.cli.bench.connection import Connection, User, get, post

_LOOKED_AT_CLOSELY = 64
_TURNED_AWAY = 503
_PAUSE_SECONDS = 0.05
_TOKEN = re.compile(rb'"token":"(hfc_[\w-]+)"')


class Look(msgspec.Struct):
    """An address, and what its answer must contain."""

    path: str
    expected: str


class Assignment(msgspec.Struct):
    """What the client process is told to do."""

    journey: str
    host: str
    port: int
    users: int
    seconds: float
    warm_seconds: float
    seed: int
    looks: list[Look] = []
    items: int = 0
    """How many items each page must have; 0 for no page."""
    skus: list[str] = []
    lines: int = 1
    attempts: int = 0
    """How often all users try together; 0 for as long as the time lasts."""


class Tally(msgspec.Struct):
    """What the client process has seen."""

    done: int = 0
    requests: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    turned_away: int = 0
    outcomes: dict[str, int] = {}
    errors: dict[str, int] = {}


@dataclass
class Watch:
    """The time that is measured, and what happened in it."""

    on: bool = False
    over: bool = False
    done: int = 0
    requests: int = 0
    left: int = 0
    turned_away: int = 0
    reconnect: Callable[[User], None] = lambda _: None
    """Gives a user whose connection was closed another one."""
    latencies: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def take(self, started: float) -> None:
        """A journey has ended well."""
        if self.on:
            self.done += 1
            self.latencies.append(time.perf_counter() - started)

    def fault(self, what: str) -> None:
        self.errors[what] += 1


class Patient:
    """Comes back a moment after it was turned away, on a new connection if need be."""

    def __init__(self, watch: Watch, ended: "Ended") -> None:
        self._watch = watch
        self._ended = ended
        self._request = b""
        self._is_away = self._is_lost = False

    def connected(self, connection: Connection) -> None:
        self._send = connection.send
        self._is_lost = False
        if self._is_away:
            self._come_back()
        else:
            self._begin()

    def answered(self, status: int, body: bytes) -> None:
        """Look at an answer."""
        raise NotImplementedError

    def lost(self) -> None:
        self._is_lost = True
        if self._is_away:
            return
        if not self._watch.over:
            self._watch.fault("connection lost")
        self._ended()

    def _ask(self, request: bytes) -> None:
        self._request = request
        self._send(request)

    def _leave(self) -> None:
        """It was turned away: nothing happened."""
        self._watch.turned_away += self._watch.on
        self._is_away = True
        asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._come_back)

    def _come_back(self) -> None:
        if self._watch.over:
            self._is_away = False
            self._ended()
        elif self._is_lost:
            self._watch.reconnect(self)
        else:
            self._is_away = False
            self._send(self._request)

    def _begin(self) -> None:
        """Do what comes first."""
        raise NotImplementedError


class Browser(Patient):
    """Looks at one page after the other."""

    def __init__(
        self, watch: Watch, task: Assignment, chance: random.Random, ended: "Ended"
    ) -> None:
        super().__init__(watch, ended)
        self._choices = [(get(k.path), k.expected.encode()) for k in task.looks]
        self._items = task.items
        self._random = chance.random
        self._expected = b""
        self._started = 0.0

    def _begin(self) -> None:
        if self._watch.over:
            self._ended()
            return
        choice = self._choices[int(self._random() * len(self._choices))]
        request, self._expected = choice
        self._started = time.perf_counter()
        self._ask(request)

    def answered(self, status: int, body: bytes) -> None:
        watch = self._watch
        if status == _TURNED_AWAY:
            self._leave()
            return
        watch.take(self._started)
        watch.requests += watch.on
        if status != 200 or self._expected not in body:  # noqa: PLR2004 - HTTP
            watch.fault(f"{status} {bytes(body[:80])!r}")
        elif self._items and watch.done % _LOOKED_AT_CLOSELY == 0:
            self._look_closely(body)
        self._begin()

    def _look_closely(self, body: bytes) -> None:
        items = msgspec.json.decode(body)["items"]
        complete = [
            item
            for item in items
            if item["handle"]
            and all(
                v["price"]["amount"] > 0 <= v["available"] for v in item["variants"]
            )
        ]
        if not 1 <= len(complete) == len(items) <= self._items:
            self._watch.fault(f"a page of {len(items)} items")


class Buyer(Patient):
    """Buys: a cart with everything in it, its checkout, its order."""

    _STEPS: ClassVar = {"cart": 201, "checkout": 201, "order": 200}

    def __init__(
        self, watch: Watch, task: Assignment, chance: random.Random, ended: "Ended"
    ) -> None:
        super().__init__(watch, ended)
        self._chance = chance
        self._skus = task.skus
        self._lines = task.lines
        self._counts_down = task.attempts > 0
        self._step = "cart"
        self._token = b""
        self._started = 0.0

    def _begin(self) -> None:
        watch = self._watch
        if watch.over or (self._counts_down and watch.left <= 0):
            self._ended()
            return
        watch.left -= 1
        self._step = "cart"
        self._started = time.perf_counter()
        body = cart(self._chance.sample(self._skus, self._lines))
        self._ask(post(b"/v1/carts", body))

    def answered(self, status: int, body: bytes) -> None:
        self._watch.requests += self._watch.on
        if status == _TURNED_AWAY:
            self._leave()
            return
        if status != self._STEPS[self._step]:
            self._refused(status, body)
        elif self._step == "cart":
            self._check_out(body)
        elif self._step == "checkout":
            self._paid(body)
        else:
            self._read(body)

    def _check_out(self, body: bytes) -> None:
        found = _TOKEN.search(body)
        if found is None:
            self._fail("a cart without a token")
            return
        self._token = found[1]
        cart_id = body[7:43]
        self._step = "checkout"
        who = b"authorization: Bearer " + self._token
        key = b"\r\nidempotency-key: " + cart_id + b"\r\n"
        paying = b'{"payment_method":"pm_card_ok"}'
        self._ask(post(b"/v1/carts/" + cart_id + b"/checkout", paying, who + key))

    def _paid(self, body: bytes) -> None:
        if b'"status":"confirmed"' not in body:
            self._fail("an order that is not paid")
            return
        self._step = "order"
        self._ask(get("/v1/orders/" + body[7:43].decode(), self._token))

    def _read(self, body: bytes) -> None:
        if b'"status":"confirmed"' not in body or b'"captured"' not in body:
            self._fail("an order that does not say it is paid")
            return
        self._watch.outcomes["sold"] += self._watch.on
        self._watch.take(self._started)
        self._begin()

    def _refused(self, status: int, body: bytes) -> None:
        if status == 409 and b"/problems/out-of-stock" in body:  # noqa: PLR2004 - HTTP
            self._watch.outcomes["out of stock"] += 1
            self._watch.take(self._started)
            self._begin()
            return
        self._fail(f"{self._step}: {status} {bytes(body[:160])!r}")

    def _fail(self, what: str) -> None:
        self._watch.fault(what)
        self._begin()


Ended = Callable[[], None]

JOURNEYS: dict[str, type[Browser | Buyer]] = {"browse": Browser, "buy": Buyer}


def cart(skus: Sequence[str]) -> bytes:
    """The body that makes a cart ready for its checkout."""
    return msgspec.json.encode(
        {
            "email": "buyer@example.com",
            "lines": [{"sku": sku, "quantity": 1} for sku in skus],
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
        }
    )


ADDRESS = {
    "name": "Ada Example",
    "line1": "1 Sample Street",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
