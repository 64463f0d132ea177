"""What an idempotency key costs: round trips, time, and the CPU of a replay.

In this process, over a real shop's database: one request after another, with a key and
without in turns, so that whatever else the machine does is done to both. Round trips
are counted on the wire, in a shop that reaches its database through a relay.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from holdfast.api.app import serving
from holdfast.api.shop import opened
from holdfast.cli.bench.instance import CannotBench
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.protection.round_trips import Relay, relayed
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Settings
from holdfast.resilience.asgi import App, Message, Scope
from holdfast.workflows.keys import create_key

MAX_ADDED_MS = 0.5
_WARM, _TURNS, _COUNTED = 30, 300, 20
_MILLIS = 1e3
_SKU = "KEYED"
_PRODUCT = {
    "title": "Keyed",
    "variants": [{"sku": _SKU, "price": {"amount": 100, "currency": "EUR"}}],
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A request that is sent with a key and without."""

    name: str
    method: str
    path: str
    body: Any
    is_single_transaction: bool = True


KINDS = (
    Kind("stock", "PUT", f"/v1/inventory/{_SKU}", {"on_hand": 5, "reason": "bench"}),
    # One statement and no transaction without a key, and looked up before.
    Kind("cart", "POST", "/v1/carts", {}, is_single_transaction=False),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of request: milliseconds at the median, and round trips."""

    name: str
    without_ms: float
    with_ms: float
    trips_without: float
    trips_with: float
    replay_share: float
    """CPU of a replay, as a share of that of carrying it out."""
    added_cpu_ms: float
    """Of this process: what is left of the added time on a machine that is not busy."""

    @property
    def added_ms(self) -> float:
        return self.with_ms - self.without_ms

    @property
    def added_trips(self) -> float:
        return self.trips_with - self.trips_without


async def measure(rig: Rig) -> Outcome:
    """Measure every kind."""
    costs = await measured(rig)
    faults = []
    for kind, cost in zip(KINDS, costs, strict=True):
        if kind.is_single_transaction and cost.added_trips > 0:
            faults.append(
                f"A key adds {cost.added_trips:g} round trips to {cost.name}, and none "
                "is allowed."
            )
        if kind.is_single_transaction and cost.added_ms > MAX_ADDED_MS:
            faults.append(
                f"A key adds {cost.added_ms:.2f} ms to {cost.name}, and "
                f"{MAX_ADDED_MS:g} are allowed."
            )
    return Outcome(
        lines=[
            f"{cost.name:6} {cost.without_ms:.2f} ms without a key, "
            f"{cost.with_ms:.2f} with one ({cost.added_ms:+.2f}, of which "
            f"{cost.added_cpu_ms:.2f} of CPU here); round trips "
            f"{cost.trips_without:g} and {cost.trips_with:g}; a replay takes "
            f"{cost.replay_share:.0%} of the CPU"
            for cost in costs
        ],
        faults=faults,
        figures={"costs": costs},
    )


async def measured(rig: Rig, turns: int = _TURNS) -> Sequence[Cost]:
    """The cost of each kind."""
    with rig.shop(HOLDFAST_RATE_LIMITS="*=off") as instance:
        addresses = dict(instance.addresses)
        async with relayed(addresses["DATABASE_URL"]) as (relay, url):
            rig.tell("counting round trips")
            async with _clients({**addresses, "DATABASE_URL": url}) as client:
                trips = [await _trips(client, kind, relay) for kind in KINDS]
        rig.tell("keys against none")
        async with _clients(addresses) as client:
            times = [await _times(client, kind, turns) for kind in KINDS]
    return [
        Cost(kind.name, *both[:2], *counted, *both[2:])
        for kind, counted, both in zip(KINDS, trips, times, strict=True)
    ]


class _Client:
    """Sends requests to an application of this process."""

    def __init__(self, app: App, token: str) -> None:
        self._app = app
        self._token = token

    async def send(self, kind: Kind, key: str | None) -> tuple[float, float]:
        """The seconds and the seconds of CPU that one request takes."""
        headers = [
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer " + self._token.encode()),
        ]
        if key is not None:
            headers.append((b"idempotency-key", key.encode()))
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": kind.method,
            "scheme": "http",
            "path": kind.path,
            "raw_path": kind.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        body, status = msgspec.json.encode(kind.body), 0

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        began, spent = time.perf_counter(), time.thread_time()
        await self._app(scope, receive, send)
        took = time.perf_counter() - began, time.thread_time() - spent
        if status not in {200, 201}:
            raise CannotBench(f"{kind.method} {kind.path} was answered {status}")
        return took


@asynccontextmanager
async def _clients(addresses: dict[str, str]) -> AsyncIterator[_Client]:
    settings = Settings.read(
        {
            "HOLDFAST_ENV": "development",
            "HOLDFAST_RATE_LIMITS": "*=off",
            "HOLDFAST_LOG_LEVEL": "warning",
            **addresses,
        }
    )
    async with opened(settings) as shop:
        _, token = await create_key(
            *(shop.db, shop.vault),
            name=f"bench {secrets.token_hex(4)}",
            scopes=["inventory:write", "products:write", "carts:write"],
            clock=system_clock,
        )
        client = _Client(serving(shop), token)
        if not await shop.db.fetchval("SELECT EXISTS (SELECT FROM variants)"):
            await client.send(Kind("product", "POST", "/v1/products", _PRODUCT), None)
        yield client


async def _trips(client: _Client, kind: Kind, relay: Relay) -> tuple[float, float]:
    """Round trips of one request without a key and with one."""
    counted = []
    for keyed in (False, True):
        for _ in range(_WARM):
            await client.send(kind, _key() if keyed else None)
        # What looks at the database by itself, each second, is none of the requests'.
        found = []
        for _ in range(_COUNTED):
            before = relay.count
            await client.send(kind, _key() if keyed else None)
            await asyncio.sleep(0)
            found.append(relay.count - before)
        counted.append(float(median(found)))
    return counted[0], counted[1]


async def _times(
    client: _Client, kind: Kind, turns: int
) -> tuple[float, float, float, float]:
    """Milliseconds without a key and with one; a replay's share; CPU that is added."""
    without, keyed, plain_cpu, executed, replayed = [], [], [], [], []
    for turn in range(_WARM + turns):
        key = _key()
        plain = await client.send(kind, None)
        first = await client.send(kind, key)
        again = await client.send(kind, key)
        if turn >= _WARM:
            without.append(plain[0] * _MILLIS)
            keyed.append(first[0] * _MILLIS)
            plain_cpu.append(plain[1])
            executed.append(first[1])
            replayed.append(again[1])
    added = (median(executed) - median(plain_cpu)) * _MILLIS
    share = median(replayed) / median(executed)
    return median(without), median(keyed), share, added


def _key() -> str:
    return str(new_id())
