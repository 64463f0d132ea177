"""What somebody else is at: waited for, tried again or told as busy, never sold out.

Two connections, in a fixed order: one is at the rows and has not committed, the other
wants the units.
"""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    Held,
    Holding,
    HoldMetrics,
    OutOfStock,
    ReservationsBusy,
    Wanted,
)
from holdfast.domain.inventory.heat import HOT_RATE
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, DatabaseBusy

LASTS = timedelta(minutes=10)
WAITED = timedelta(milliseconds=20)


@pytest.fixture
async def patient(database_url, monkeypatch):
    """Connections that wait for a lock for as long as the test needs."""
    monkeypatch.setattr(
        "holdfast.domain.inventory.hold_requests._PATIENCE_SECONDS", 60.0
    )
    db = await Database.connect(
        database_url, size=14, lock_timeout_ms=60_000, statement_timeout_ms=60_000
    )
    yield db
    await db.close()


class Desk:
    """One process that holds stock; nothing is hot, or all is."""

    def __init__(self, db, clock, *, is_hot):
        self.holding = Holding(
            *(db, db),
            lasts=LASTS,
            clock=clock,
            metrics=HoldMetrics(CollectorRegistry()),
            timer=lambda: 1_000.0,
        )
        self.is_hot = is_hot

    async def hold(self, variant, quantity=1, holder=None):
        if self.is_hot and not self.holding.is_hot([variant]):
            for _ in range(int(HOT_RATE) + 1):
                self.holding.note([variant])
        holder = holder or new_id()
        return await self.holding.hold(
            holder, [Wanted(variant, "TEA", quantity)], customer=holder
        )


@pytest.fixture(params=["direct", "batch"])
async def desk(request, patient, clock):
    desk = Desk(patient, clock, is_hot=request.param == "batch")
    yield desk
    await desk.holding.close()


@pytest.fixture
async def cold(patient, clock):
    desk = Desk(patient, clock, is_hot=False)
    yield desk
    await desk.holding.close()


@pytest.fixture
def waiting(database, promised):
    """So many statements have stood in line for a lock for a while."""

    async def until(count=1):
        async def look():
            return await database.fetchval(
                "SELECT count(*) >= $1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND clock_timestamp() - query_start > $2",
                *(count, WAITED),
            )

        await promised(look)

    return until


@pytest.fixture
def overdue(stockroom, a_product, clock):
    """TEA of which all units are in holds of one that are overdue."""

    async def put(units):
        tea = await a_product("TEA", on_hand=units)
        for _ in range(units):
            await stockroom.reserve((tea, 1), expires_at=clock() + LASTS)
        clock.advance(minutes=10)
        return tea

    return put


class TestOverdue:
    async def test_what_a_worker_frees_meanwhile_can_be_had(
        self, database, desk, overdue, stockroom, waiting, clock
    ):
        tea = await overdue(1)

        async with asyncio.TaskGroup() as group, database.transaction() as worker:
            assert await inventory.expire(worker, now=clock()) == 1
            asked = group.create_task(desk.hold(tea))
            await waiting()

        assert isinstance(asked.result(), Held)
        assert await stockroom.balances()

    async def test_so_can_it_by_an_order(
        self, database, patient, overdue, stockroom, waiting, clock
    ):
        tea = await overdue(2)
        stockroom.db = patient

        async with asyncio.TaskGroup() as group, database.transaction() as worker:
            await inventory.expire(worker, now=clock())
            asked = group.create_task(stockroom.reserve((tea, 2)))
            await waiting()

        assert await stockroom.level("TEA") == (2, 2)
        assert len(await inventory.reserved_for(database, asked.result())) == 1

    async def test_what_somebody_is_at_is_busy_and_not_sold_out(
        self, database, desk, overdue, clock
    ):
        tea = await overdue(2)

        async with database.transaction() as other:
            await other.execute("SELECT FROM reservations LIMIT 1 FOR UPDATE")
            with pytest.raises(ReservationsBusy):
                await desk.hold(tea, 2)

        assert isinstance(await desk.hold(tea, 2), Held)

    async def test_so_it_is_to_an_order(self, database, overdue, stockroom):
        tea = await overdue(2)

        async with database.transaction() as other:
            await other.execute("SELECT FROM reservations LIMIT 1 FOR UPDATE")
            with pytest.raises(DatabaseBusy):
                await stockroom.reserve((tea, 2))

        assert await stockroom.reserve((tea, 2))

    async def test_what_is_sold_out_beside_it_is_said(
        self, database, desk, overdue, a_product
    ):
        tea, cup = await overdue(1), await a_product("CUP", on_hand=0)
        wanted = [Wanted(tea, "TEA", 1), Wanted(cup, "CUP", 1)]

        async with database.transaction() as other:
            await other.execute("SELECT FROM reservations FOR UPDATE")
            if desk.is_hot:
                with pytest.raises(ReservationsBusy):
                    await desk.hold(tea)
            with pytest.raises(OutOfStock) as refused:
                await desk.holding.hold(new_id(), wanted, customer=1)

        assert [short.sku for short in refused.value.shortages] == ["CUP"]

    async def test_all_of_them_are_freed_for_who_wants_so_many(
        self, desk, overdue, stockroom, monkeypatch
    ):
        for module in ("reservations", "holds"):
            name = f"holdfast.domain.inventory.{module}.EXPIRE_AT_ONCE"
            monkeypatch.setattr(name, 3)
        tea = await overdue(10)

        assert isinstance(await desk.hold(tea, 10), Held)

        assert await stockroom.level("TEA") == (10, 10)
        assert await stockroom.balances()


class TestRenewed:
    async def test_by_two_processes_at_once_is_never_refused(
        self, database, cold, a_product, waiting, clock
    ):
        tea, holder = await a_product("TEA", on_hand=1), new_id()
        await cold.hold(tea, holder=holder)

        async with asyncio.TaskGroup() as group, database.transaction() as other:
            await inventory.reserve(
                *(other, holder, [Wanted(tea, "TEA", 1)]),
                at=clock(),
                expires_at=clock() + LASTS,
                instead_of=[holder],
            )
            asked = group.create_task(cold.hold(tea, holder=holder))
            await waiting()

        assert asked.result().is_same


class TestHeat:
    async def test_what_many_wait_for_is_hot(self, database, cold, a_product, waiting):
        """From the wait as the statement tells it; far too few ask for the rate."""
        tea, many = await a_product("TEA", on_hand=100), 10

        async with asyncio.TaskGroup() as group, database.transaction() as other:
            await other.execute("SELECT FROM stock FOR UPDATE")
            for _ in range(many):
                group.create_task(cold.hold(tea))
            await waiting(many)
            assert not cold.holding.is_hot([tea])

        assert cold.holding.is_hot([tea])


class TestGivenBack:
    async def test_what_is_given_back_here_is_on_offer_at_once(self, desk, a_product):
        tea, holder = await a_product("TEA", on_hand=1), new_id()
        await desk.hold(tea, holder=holder)
        with pytest.raises(OutOfStock):
            await desk.hold(tea)

        await desk.holding.release(holder)

        assert isinstance(await desk.hold(tea), Held)
