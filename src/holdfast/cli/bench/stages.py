"""What is measured, one stage after the other, with everything on the same cores."""

import asyncio
import random
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias

import aiohttp
import msgspec

from holdfast.cli.bench.dataset import (
    HOT_SKU,
    HOT_UNITS,
    SEARCHES,
    Dataset,
)
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.cli.bench.journeys import Assignment, Look, Tally
from holdfast.platform.db import Database

BROWSERS = 32
BUYERS = 32
CROWD = 200
ATTEMPTS = 2_000
PAGE = 20
LINES = 2
_WARM_SECONDS = 1.0
_CROWD_SECONDS = 120.0
_PATIENCE_SECONDS = 60.0
_WEBHOOK_DELAY_MS = {"min": 200, "max": 600}
_SEED = 20
_ASKED_AGAIN = 40
_PAUSE_SECONDS = 0.25


_Seen: TypeAlias = tuple[Tally, dict[str, float]]
"""What the client saw, and the CPU seconds of each part meanwhile."""


@dataclass
class Result:
    """What came of one stage."""

    name: str
    title: str
    unit: str
    users: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]
    """CPU time for each request or order, by part, in microseconds."""
    busy: Mapping[str, float]
    """Cores each part kept busy on average."""
    done: int
    seconds: float
    outcomes: Mapping[str, int]
    errors: Mapping[str, int]
    turned_away: int = 0
    """Requests that were told to come back, and did."""
    target: float | None = None
    pgbench: float | None = None
    checks: list[str] = field(default_factory=list)
    """What is not as it must be, in sentences."""

    @property
    def passed(self) -> bool:
        fast_enough = self.target is None or self.rate >= self.target
        return fast_enough and not self.errors and not self.checks


@dataclass
class Stages:
    """The stages over one shop."""

    shop: Instance
    db: Database
    dataset: Dataset
    seconds: float
    crowd: int = CROWD
    """Buyers of the flash sale at once."""
    pages: Sequence[str] = ()

    async def begin(self) -> None:
        """Let the payment provider tell of its charges as late as real ones do."""
        url = self.shop.addresses["HOLDFAST_PAYMENT_URL"] + "/control/webhook/scenario"
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.put(url, json={"delay_ms": _WEBHOOK_DELAY_MS}) as answer,
        ):
            answer.raise_for_status()

    async def product(self) -> Result:
        """A: one product by its handle."""
        looks = [
            Look(f"/v1/products/{handle}", f'"handle":"{handle}"')
            for handle in self.dataset.handles
        ]
        return await self._browse(
            "A", "product detail", looks, items=0, target=2_000, unit="requests"
        )

    async def page(self) -> Result:
        """B: a page of 20 products with their prices and stock."""
        looks = [Look(path, '"available":') for path in await self.page_paths()]
        return await self._browse(
            "B", "page of 20", looks, items=PAGE, target=1_500, unit="requests"
        )

    async def search(self) -> Result:
        """C: products that match a text."""
        looks = [
            Look(f"/v1/products?q={text.replace(' ', '+')}", '"available":')
            for text in SEARCHES
        ]
        return await self._browse(
            "C", "text search", looks, items=PAGE, target=None, unit="requests"
        )

    async def checkout(self) -> Result:
        """D: a cart, its checkout with the payment, its order."""
        task = self._task("buy", BUYERS, skus=list(self.dataset.skus), lines=LINES)
        seen = await self._run(task)
        result = _result("D", "checkout", "orders", task=task, seen=seen)
        result.target = 200
        return result

    async def flash_sale(self) -> Result:
        """E: a crowd tries 2,000 times to get one of 500 units."""
        before = await self._captured()
        task = self._task("buy", self.crowd, skus=[HOT_SKU])
        task.attempts, task.seconds = ATTEMPTS, _CROWD_SECONDS
        seen = tally, _ = await self._run(task)
        result = _result("E", "flash sale", "attempts", task=task, seen=seen)
        wanted = {"sold": HOT_UNITS, "out of stock": ATTEMPTS - HOT_UNITS}
        if tally.outcomes != wanted:
            result.checks.append(f"The buyers were told {tally.outcomes}.")
        result.checks += await self._sold_out(await self._captured() - before)
        return result

    async def buy(self, orders: int) -> None:
        """Let one buyer order so often; ``CannotBench`` if anything goes wrong."""
        task = self._task("buy", 1, skus=list(self.dataset.skus), lines=LINES)
        task.attempts, task.seconds = orders, _CROWD_SECONDS
        tally, _ = await self._run(task)
        if tally.errors or tally.done != orders:
            raise CannotBench(f"{tally.done} of {orders} ordered: {tally.errors}.")

    async def page_paths(self) -> Sequence[str]:
        """Every page of the whole list, and both pages of every category."""
        if not self.pages:
            paths = []
            whole = f"/v1/products?limit={PAGE}"
            async with aiohttp.ClientSession(trust_env=False) as session:
                for path in (
                    whole,
                    *(f"{whole}&category={c}" for c in self.dataset.categories),
                ):
                    after: str | None = ""
                    while after is not None:
                        paths.append(f"{path}&after={after}" if after else path)
                        page = await self._get(session, self.shop.port, paths[-1])
                        after = page["next"]
            self.pages = paths
        return self.pages

    async def _browse(
        self,
        name: str,
        title: str,
        looks: list[Look],
        *,
        items: int,
        target: float | None,
        unit: str,
    ) -> Result:
        task = self._task("browse", BROWSERS, looks=looks, items=items)
        seen = await self._run(task)
        result = _result(name, title, unit, task=task, seen=seen)
        result.target = target
        return result

    def _task(self, journey: str, users: int, **more: Any) -> Assignment:
        return Assignment(
            journey=journey,
            host="127.0.0.1",
            port=self.shop.port,
            users=users,
            seconds=self.seconds,
            warm_seconds=_WARM_SECONDS,
            seed=_SEED,
            **more,
        )

    async def _run(self, task: Assignment) -> _Seen:
        """Let a client do it; returns what it saw and the CPU that it took."""
        return await asyncio.to_thread(self._drive, task)

    def _drive(self, task: Assignment) -> _Seen:
        client = subprocess.Popen(
            (sys.executable, "-P", "-m", "holdfast.cli.bench.client"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert client.stdin is not None  # noqa: S101 - asked for above
        assert client.stdout is not None  # noqa: S101
        late = threading.Timer(task.seconds + _PATIENCE_SECONDS, client.kill)
        late.start()
        try:
            with client.stdin as told, client.stdout as said:
                told.write(msgspec.json.encode(task))
                told.close()
                _expect(said, b"start\n")
                before = self.shop.cpu_seconds()
                _expect(said, b"stop\n")
                after = self.shop.cpu_seconds()
                tally = msgspec.json.decode(said.read(), type=Tally)
        except msgspec.DecodeError as error:
            raise CannotBench(
                f"The load generator did not end its report ({client.wait()})."
            ) from error
        finally:
            late.cancel()
            client.kill()
            client.wait()
        cpu = {part: used - before.get(part, 0.0) for part, used in after.items()}
        return tally, {**cpu, "client": tally.cpu_seconds}

    async def _captured(self) -> int:
        """Charges that the payment simulator has captured so far."""
        url = self.shop.addresses["HOLDFAST_PAYMENT_URL"]
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.get(f"{url}/v1/summary") as answer,
        ):
            count: int = (await answer.json())["captured"]["count"]
            return count

    async def _sold_out(self, charges: int) -> list[str]:
        row = await self.db.fetchrow(
            """
            SELECT s.on_hand, s.reserved,
                   (SELECT sum(m.delta) FROM stock_movements m
                    WHERE m.variant_id = v.id) AS ledger,
                   count(o.id) FILTER (WHERE o.status = 'confirmed') AS paid,
                   count(o.id) FILTER (WHERE o.status <> 'confirmed') AS unpaid
            FROM variants v
            JOIN stock s ON s.variant_id = v.id
            LEFT JOIN order_lines l ON l.variant_id = v.id
            LEFT JOIN orders o ON o.id = l.order_id
            WHERE v.sku = $1
            GROUP BY v.id, s.on_hand, s.reserved
            """,
            HOT_SKU,
        )
        found = {**dict(row or {}), "charges": charges}
        # What is paid for stays on the shelf, promised, until it is shipped.
        names = ("on_hand", "reserved", "ledger", "paid", "charges")
        wanted = {"unpaid": 0} | dict.fromkeys(names, HOT_UNITS)
        return [
            f"{name} is {found.get(name)} and not {number}."
            for name, number in wanted.items()
            if found.get(name) != number
        ]

    @staticmethod
    async def _get(session: aiohttp.ClientSession, port: int, path: str) -> Any:
        status = 503
        for _ in range(_ASKED_AGAIN):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                status = answer.status
                if status == 200:  # noqa: PLR2004 - HTTP
                    return await answer.json()
            if status != 503:  # noqa: PLR2004 - HTTP
                break
            # Pressed, if by nothing but what else this machine does.
            await asyncio.sleep(_PAUSE_SECONDS)
        raise CannotBench(f"GET {path} answers {status}.")


def _expect(said: IO[bytes], expected: bytes) -> None:
    line = said.readline()
    if line != expected:
        raise CannotBench(f"The load generator ended early ({line!r}).")


def _result(
    name: str, title: str, unit: str, *, task: Assignment, seen: _Seen
) -> Result:
    tally, cpu = seen
    done = max(tally.done, 1)
    return Result(
        name=name,
        title=title,
        unit=unit,
        users=task.users,
        rate=tally.done / tally.seconds,
        p50_ms=tally.p50_ms,
        p99_ms=tally.p99_ms,
        cpu_us={part: used / done * 1e6 for part, used in cpu.items()},
        busy={part: used / tally.seconds for part, used in cpu.items()},
        done=tally.done,
        seconds=tally.seconds,
        outcomes=tally.outcomes,
        errors=tally.errors,
        turned_away=tally.turned_away,
    )


def shuffled(things: Sequence[str], count: int) -> list[str]:
    """Some of many, the same each time."""
    return random.Random(_SEED).sample(list(things), min(count, len(things)))  # noqa: S311
