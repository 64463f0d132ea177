"""What happens when everybody wants the same: holds on one SKU, and on many.

Through the API: as many holds of one SKU as it takes, and of 4,000 in the same way;
then the one SKU at four fifths of its rate, by itself and while others are held beside
it, together four fifths of what the machine can do. Below the API: the same holds
combined, and one row at a time. Last, a SKU of which nothing is left. Every hold is
committed and synced to disk; the books must balance at the end.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec
from prometheus_client import CollectorRegistry

from holdfast.cli.bench.dataset import CURRENCY, STOCK
from holdfast.cli.bench.instance import CannotBench, Instance
from holdfast.cli.bench.rush import Seen, Stream, Task
from holdfast.domain import catalog, inventory
from holdfast.domain.catalog import Draft, VariantDraft
from holdfast.domain.inventory import Holding, HoldMetrics, Wanted
from holdfast.kernel.clock import monotonic, system_clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows import catalog as workflows

MIN_HOT = 1_500.0
MIN_OF_SPREAD = 0.8
MIN_COMBINED = 5.0
MAX_P99_MS = 50.0
MAX_OTHERS = 1.5
MIN_SOLD_OUT = 3_000.0

USERS = 64
_SHARE = 0.8
_OTHERS = 8
_OTHERS_RATE = 100.0
_ALONE = 32
_TOGETHER = 512
_LASTS = timedelta(minutes=10)
_PATIENCE_SECONDS = 60.0
_HOT, _GONE, _BELOW = "RUSH-1", "GONE-1", "BELOW-1"
# Not by -m: the module is imported already, for what it is told and tells.
_RUN = "from holdfast.cli.bench.rush import main; main()"


@dataclass(frozen=True, slots=True)
class HotSkus:
    """What was measured; rates are holds a second, or refusals."""

    hot: Seen
    spread: Seen
    hot_calm: Seen
    """One SKU at four fifths of its rate."""
    hot_beside: Seen
    """The same with others beside it, which are counted in."""
    others_quiet: Seen
    """Other SKUs with nothing beside them."""
    others_spread: Seen
    """Other SKUs, with the same share of the machine beside them, over all SKUs."""
    others: Seen
    """Other SKUs, with one SKU at four fifths of its rate beside them."""
    sold_out: Seen
    combined: float
    alone: float
    cpu_us: Mapping[str, Mapping[str, float]]
    """CPU time for each answer by part, in microseconds: of hot, spread, sold_out."""
    processes: int
    checks: Sequence[str]
    """What is not as it must be, in sentences."""

    @property
    def of_spread(self) -> float:
        return round(rate(self.hot) / max(rate(self.spread), 1e-9), 2)

    @property
    def of_alone(self) -> float:
        return round(self.combined / max(self.alone, 1e-9), 1)

    @property
    def of_others(self) -> float:
        return round(self.others.p99_ms / max(self.others_spread.p99_ms, 1e-9), 2)

    @property
    def faults(self) -> list[str]:
        """Targets that were missed, and promises that were broken."""
        sold_out = rate(self.sold_out) / self.processes
        wrong = (
            (rate(self.hot) < MIN_HOT, f"{rate(self.hot):,.0f} holds/s of one SKU"),
            (self.of_spread < MIN_OF_SPREAD, f"{self.of_spread:g} of the spread rate"),
            (self.of_alone < MIN_COMBINED, f"combined {self.of_alone:g} times"),
            (self.hot_calm.p99_ms > MAX_P99_MS, f"p99 {self.hot_calm.p99_ms:.1f} ms"),
            (self.of_others > MAX_OTHERS, f"others' p99 {self.of_others:g} times"),
            (sold_out < MIN_SOLD_OUT, f"{sold_out:,.0f} times sold out a second"),
        )
        found = [f"H: {what}." for is_wrong, what in wrong if is_wrong]
        every = (
            *(self.hot, self.spread, self.hot_calm, self.hot_beside),
            *(self.others, self.sold_out),
        )
        found += [f"H: {n} x {e}" for seen in every for e, n in seen.errors.items()]
        return found + [f"H: {check}" for check in self.checks]

    @property
    def lines(self) -> list[str]:
        """For people."""
        others = self.others
        speed = (
            f"{rate(self.hot):,.0f} holds/s of one SKU, {rate(self.spread):,.0f} of "
            f"4,000 ({self.of_spread:g}); at {_SHARE:.0%} p50 "
            f"{self.hot_calm.p50_ms:.1f}, p99 {self.hot_calm.p99_ms:.1f} ms; with "
            f"others p99 {self.hot_beside.p99_ms:.1f} ms"
        )
        isolation = (
            f"p99 of other SKUs meanwhile {others.p99_ms:.1f} ms; with as many holds "
            f"spread over all {self.others_spread.p99_ms:.1f} ms ({self.of_others:g} "
            f"times), with none {self.others_quiet.p99_ms:.1f} ms"
        )
        below = (
            f"below the API {self.combined:,.0f}/s combined, {self.alone:,.0f}/s a row "
            f"at a time ({self.of_alone:g} times); {rate(self.sold_out):,.0f}/s told "
            "that it is sold out"
        )
        costs = ", ".join(
            f"{name} {cpu.get('api', 0.0):,.0f} / {cpu.get('postgres', 0.0):,.0f}"
            for name, cpu in self.cpu_us.items()
        )
        cpu = f"CPU of API / SQL for each in us: {costs}"
        return [f"H: {line}" for line in (speed, isolation, below, cpu)]


def rate(seen: Seen) -> float:
    """Answers a second."""
    return seen.done / max(seen.seconds, 1e-9)


@dataclass
class Rush:
    """The measurements over one shop."""

    shop: Instance
    db: Database
    skus: Sequence[str]
    seconds: float
    workers: int
    variants: dict[str, UUID] = field(default_factory=dict)
    cpu_us: dict[str, dict[str, float]] = field(default_factory=dict)

    async def measure(self) -> HotSkus:
        """Measure all of it; ``CannotBench``."""
        await self._put_on_sale()
        hot = await self._one("hot", Stream([_HOT], USERS))
        spread = await self._one("spread", Stream(list(self.skus), USERS))
        (calm,) = await self._several(
            "four fifths", Stream([_HOT], USERS, rate=_SHARE * rate(hot))
        )
        # What is held beside it is part of the four fifths.
        share = _SHARE - _OTHERS_RATE / max(rate(spread), 1e-9)
        wanted = max(share, 0.1) * rate(hot)
        others = Stream(list(self.skus), _OTHERS, rate=_OTHERS_RATE)
        (quiet,) = await self._drive(others)
        _, beside_spread = await self._drive(
            Stream(list(self.skus), USERS, rate=max(share, 0.1) * rate(spread)),
            others,
        )
        hot_beside, beside_hot = await self._several(
            "beside others", Stream([_HOT], USERS, rate=wanted), others
        )
        sold_out = await self._one("sold out", Stream([_GONE], USERS, expected=409))
        checks = await self._checks()
        combined, alone = await self._below()
        return HotSkus(
            hot=hot,
            spread=spread,
            hot_calm=calm,
            hot_beside=hot_beside,
            others_quiet=quiet,
            others_spread=beside_spread,
            others=beside_hot,
            sold_out=sold_out,
            combined=combined,
            alone=alone,
            cpu_us=self.cpu_us,
            processes=self.workers,
            checks=checks,
        )

    async def _put_on_sale(self) -> None:
        units = {_HOT: STOCK, _BELOW: STOCK, _GONE: 0}
        arrivals = [
            catalog.Arrival(
                Draft(
                    handle=sku.lower(),
                    title=f"The one everybody wants: {sku}",
                    status="active",
                    variants=(
                        VariantDraft(sku=sku, price=Money(9_900, CURRENCY), options={}),
                    ),
                ),
                (),
                {sku: number},
            )
            for sku, number in units.items()
        ]
        await workflows.import_products(
            self.db, arrivals, clock=system_clock, actor="bench"
        )
        for sku in units:
            level = await inventory.find(self.db, sku)
            self.variants[sku] = level.variant_id

    async def _one(self, name: str, stream: Stream) -> Seen:
        (seen,) = await self._several(name, stream)
        return seen

    async def _several(self, name: str, *streams: Stream) -> list[Seen]:
        before = self.shop.cpu_seconds()
        seen = await self._drive(*streams)
        after = self.shop.cpu_seconds()
        answers = sum(one.answers for one in seen)
        self.cpu_us[name] = {
            part: (used - before.get(part, 0.0)) / max(answers, 1) * 1e6
            for part, used in after.items()
        }
        return seen

    async def _drive(self, *streams: Stream) -> list[Seen]:
        task = Task("127.0.0.1", self.shop.port, self.seconds, list(streams))
        return await asyncio.to_thread(_drive, task)

    async def _below(self) -> tuple[float, float]:
        """Holds of one SKU without HTTP: combined, and one row at a time."""
        async with self._holding() as (db, holding):
            wanted = [Wanted(self.variants[_BELOW], _BELOW, 1)]

            async def alone() -> None:
                async with db.statement() as tx:
                    await inventory.hold(
                        tx, new_id(), wanted, at=system_clock(), lasts=_LASTS
                    )

            async def together() -> None:
                holder_id = new_id()
                await holding.hold(holder_id, wanted, customer=holder_id)

            one_at_a_time = await self._repeat(alone, _ALONE)
            return await self._repeat(together, _TOGETHER), one_at_a_time

    @asynccontextmanager
    async def _holding(self) -> AsyncIterator[tuple[Database, Holding]]:
        url = self.shop.addresses["DATABASE_URL"]
        db = await Database.connect(url, size=_ALONE)
        hot = await Database.connect(url, size=inventory.MAX_CONNECTIONS)
        try:
            yield (
                db,
                Holding(
                    db,
                    hot,
                    lasts=_LASTS,
                    clock=system_clock,
                    metrics=HoldMetrics(CollectorRegistry()),
                ),
            )
        finally:
            await db.close()
            await hot.close()

    async def _repeat(self, act: Callable[[], Awaitable[None]], users: int) -> float:
        """How often a second it can be done by so many at once."""
        done, is_over = 0, False

        async def again() -> None:
            nonlocal done
            while not is_over:
                await act()
                done += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(users):
                group.create_task(again())
            await asyncio.sleep(min(1.0, self.seconds / 4))
            started, before = monotonic(), done
            await asyncio.sleep(self.seconds / 2)
            found = (done - before) / (monotonic() - started)
            is_over = True
        return found

    async def _checks(self) -> list[str]:
        """Whether what is promised is what was granted."""
        found = [f"the books do not balance: {row}" for row in await _drift(self.db)]
        gone = await inventory.find(self.db, _GONE)
        if gone.reserved:
            found.append(f"{gone.reserved} of {_GONE} are held, and there are none.")
        return found


async def _drift(db: Database) -> list[str]:
    return [str(dict(row)) for row in await inventory.drift(db)]


def _drive(task: Task) -> list[Seen]:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            (sys.executable, "-P", "-c", _RUN),
            input=msgspec.json.encode(task),
            stdout=subprocess.PIPE,
            timeout=task.seconds + _PATIENCE_SECONDS,
            check=True,
        )
        last = done.stdout.splitlines()[-1]
        return msgspec.json.decode(last, type=list[Seen])
    except (subprocess.SubprocessError, msgspec.DecodeError, IndexError) as error:
        raise CannotBench(f"The rush did not come to its end: {error}") from error
