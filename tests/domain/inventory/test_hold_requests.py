"""Each request takes the cheapest way that can be right, and all come to the same."""

import asyncio
import random
from collections import Counter
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
    Shortage,
    Wanted,
)
from holdfast.domain.inventory.heat import HOT_RATE
from holdfast.domain.inventory.sold_out import REMEMBERED_SECONDS
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, DatabaseUnavailable

LASTS = timedelta(minutes=10)
MANY = int(HOT_RATE) + 1


class Stopwatch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """One process that holds stock, and what it counts."""

    def __init__(self, db, hot_db, clock) -> None:
        self.db, self.hot_db, self.clock = db, hot_db, clock
        self.watch = Stopwatch()
        self.registry = CollectorRegistry()
        self.holding = Holding(
            db,
            hot_db,
            lasts=LASTS,
            clock=clock,
            metrics=HoldMetrics(self.registry),
            timer=self.watch,
        )

    async def hold(self, holder_id, *lines):
        wanted = [Wanted(variant, "TEA", n) for variant, n in lines]
        return await self.holding.hold(holder_id, wanted, customer=holder_id)

    async def ask(self, times, variant):
        """So many ask for one unit each at once; returns what they were told."""
        said = Counter()

        async def one():
            try:
                await self.hold(new_id(), (variant, 1))
                said["held"] += 1
            except (OutOfStock, ReservationsBusy) as refused:
                said[type(refused)] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(times):
                group.create_task(one())
        return said

    def count(self, name, **labels):
        name = f"holdfast_inventory_{name}"
        return self.registry.get_sample_value(name, labels) or 0

    def outcomes(self):
        names = ("granted", "duplicate", "insufficient", "busy")
        return [self.count("reservations_total", outcome=name) for name in names]


@pytest.fixture
async def hot_db(database_url):
    db = await Database.connect(database_url, size=2)
    yield db
    await db.close()


@pytest.fixture
async def desk(database, hot_db, clock):
    desk = Desk(database, hot_db, clock)
    yield desk
    await desk.holding.close()


@pytest.fixture
async def tea(a_product):
    return await a_product("TEA", on_hand=60)


class TestCold:
    async def test_is_held_by_a_statement_of_its_own(self, desk, hot_db, tea, clock):
        said = await desk.hold(new_id(), (tea, 2))

        assert said == Held(clock() + LASTS, is_new=True, is_same=False)
        assert hot_db.size == 0
        assert desk.count("reserve_seconds_count", path="direct") == 1
        assert desk.count("lock_wait_seconds_count") == 1

    async def test_two_lines_of_one_variant_are_held_as_their_sum(self, desk, tea):
        holder = new_id()

        await desk.hold(holder, (tea, 1), (tea, 2))

        (held,) = await inventory.reserved_for(desk.db, holder)
        assert held.quantity == 3

    async def test_names_what_falls_short(self, desk, tea, a_product):
        cup = await a_product("CUP", on_hand=1)

        with pytest.raises(OutOfStock) as refused:
            await desk.hold(new_id(), (tea, 61), (cup, 1))

        assert refused.value.shortages == [Shortage("TEA", 61, 60)]

    async def test_a_locked_row_is_busy_and_not_sold_out(
        self, database_url, database, hot_db, tea, clock
    ):
        impatient = await Database.connect(database_url, size=2, lock_timeout_ms=20)
        busy = Desk(impatient, hot_db, clock)
        async with database.transaction() as tx:
            await tx.execute("SELECT 1 FROM stock FOR UPDATE")

            said = await busy.ask(3, tea)

        assert said == {ReservationsBusy: 3}
        assert busy.count("reserve_seconds_count", path="direct") == 3
        await impatient.close()

    async def test_one_holder_at_a_time(self, desk, stockroom, tea, a_product):
        """Two tabs with different lines: one of them is what is held, not both."""
        holder, cup = new_id(), await a_product("CUP")

        async with asyncio.TaskGroup() as group:
            for line in [(tea, 1), (cup, 2), (tea, 3)] * 5:
                group.create_task(desk.hold(holder, line))

        assert len(await inventory.reserved_for(desk.db, holder)) == 1
        assert await stockroom.balances()


class TestHot:
    async def test_many_are_decided_together_on_connections_of_their_own(
        self, desk, hot_db, stockroom, tea
    ):
        said = await desk.ask(200, tea)

        assert said == {"held": 60, OutOfStock: 140}
        assert desk.count("hot_skus") == 1
        assert desk.count("batch_size_sum") >= 200 - MANY
        assert desk.count("batch_size_count") < 20
        assert 1 <= hot_db.size <= 2
        assert await stockroom.level("TEA") == (60, 60)
        assert await stockroom.balances()

    async def test_a_cart_with_one_hot_line_is_held_as_a_whole(
        self, desk, stockroom, tea, a_product
    ):
        cup = await a_product("CUP", on_hand=1)
        await desk.ask(MANY, tea)
        before = desk.count("batch_size_sum")

        await desk.hold(new_id(), (tea, 1), (cup, 1))
        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 1), (cup, 1))

        assert desk.count("batch_size_sum") == before + 2
        assert await stockroom.level("CUP") == (1, 1)
        assert await stockroom.balances()

    async def test_a_locked_row_is_busy_and_not_sold_out(
        self, database_url, database, tea, clock
    ):
        impatient = await Database.connect(database_url, size=1)
        busy = Desk(database, impatient, clock)
        await busy.ask(MANY, tea)
        # Not before: those who make it hot wait for each other, however long.
        async with impatient.acquire() as connection:
            await connection.execute("SET lock_timeout = '20ms'")
        async with database.transaction() as tx:
            await tx.execute("SELECT 1 FROM stock FOR UPDATE")

            said = await busy.ask(5, tea)

        assert said == {ReservationsBusy: 5}
        assert busy.count("reservations_total", outcome="busy") == 5
        assert await busy.ask(3, tea) == {"held": 3}
        await busy.holding.close()
        await impatient.close()

    async def test_a_database_that_restarted_costs_nobody_anything(
        self, database, desk, stockroom, tea
    ):
        await desk.ask(MANY, tea)
        await database.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

        assert await desk.ask(4, tea) == {"held": 4}
        assert await stockroom.balances()

    async def test_overdue_holds_are_counted_when_they_are_freed(
        self, desk, tea, clock
    ):
        await desk.ask(60, tea)
        clock.advance(minutes=11)

        assert await desk.ask(2, tea) == {"held": 2}
        assert desk.count("reservations_total", outcome="expired") == 60


class TestSoldOut:
    async def test_is_answered_without_the_database(self, desk, tea):
        await desk.ask(60, tea)
        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 1))
        await desk.db.close()
        await desk.hot_db.close()

        with pytest.raises(OutOfStock) as refused:
            await desk.hold(new_id(), (tea, 1))

        assert refused.value.shortages == [Shortage("TEA", 1, 0)]
        assert desk.count("reserve_seconds_count", path="gate") == 1

    async def test_is_looked_at_again_within_half_a_second(self, desk, stockroom, tea):
        await desk.ask(61, tea)
        await stockroom.set(TEA=61)

        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 1))
        desk.watch.now += REMEMBERED_SECONDS

        assert isinstance(await desk.hold(new_id(), (tea, 1)), Held)

    async def test_an_expired_hold_is_on_offer_within_half_a_second(
        self, desk, tea, clock
    ):
        await desk.ask(61, tea)
        clock.advance(minutes=10)
        desk.watch.now += REMEMBERED_SECONDS

        assert isinstance(await desk.hold(new_id(), (tea, 1)), Held)

    async def test_who_has_some_renews_all_the_same(self, desk, tea):
        holder = new_id()
        await desk.hold(holder, (tea, 60))
        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 1))

        said = await desk.hold(holder, (tea, 60))

        assert said.is_same

    async def test_is_known_to_who_only_asks_unless_they_have_some(self, desk, tea):
        holder, wanted = new_id(), [Wanted(tea, "TEA", 1)]
        desk.holding.check(wanted, [holder])
        await desk.hold(holder, (tea, 60))
        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 1))

        desk.holding.check(wanted, [new_id(), holder])
        with pytest.raises(OutOfStock) as refused:
            desk.holding.check([*wanted, *wanted], [new_id()])

        assert refused.value.shortages == [Shortage("TEA", 2, 0)]

    async def test_what_is_left_can_still_be_had(self, desk, tea):
        await desk.ask(59, tea)
        with pytest.raises(OutOfStock):
            await desk.hold(new_id(), (tea, 2))

        assert isinstance(await desk.hold(new_id(), (tea, 1)), Held)


class TestRelease:
    async def test_gives_back_what_is_held_once(self, desk, stockroom, tea):
        holder = new_id()
        await desk.hold(holder, (tea, 60))

        assert await desk.holding.release(holder)
        assert not await desk.holding.release(holder)

        assert await stockroom.level("TEA") == (60, 0)
        assert desk.count("reservations_total", outcome="released") == 1


class TestCounts:
    async def test_every_request_is_counted_once(self, desk, tea):
        holder = new_id()
        await desk.hold(holder, (tea, 1))
        await desk.hold(holder, (tea, 1))
        said = await desk.ask(100, tea)

        assert desk.outcomes() == [1 + said["held"], 1, said[OutOfStock], 0]

    async def test_a_database_that_is_gone_is_counted_as_failed(self, desk, tea):
        await desk.hold(new_id(), (tea, 1))
        await desk.db.close()

        with pytest.raises(DatabaseUnavailable):
            await desk.hold(new_id(), (tea, 1))

        assert desk.count("reservations_total", outcome="failed") == 1


@pytest.mark.slow
class TestManyProcesses:
    async def test_every_unit_is_held_once_whoever_goes_away(
        self, database_url, stockroom, clock, a_product
    ):
        """Two desks, three hot SKUs, random carts, cancellations and releases."""
        dice = random.Random(5)  # noqa: S311 - the same each time
        skus = [await a_product(f"S{n}", on_hand=40) for n in range(3)]
        pools = [await Database.connect(database_url, size=4) for _ in range(4)]
        desks = [Desk(pools[n], pools[n + 2], clock) for n in range(2)]

        async def visit(number):
            desk, holder = dice.choice(desks), new_id()
            lines = [(v, dice.randint(1, 2)) for v in dice.sample(skus, 2)]
            try:
                await desk.hold(holder, *lines)
                if number % 3:
                    await desk.holding.release(holder)
            except (OutOfStock, ReservationsBusy):
                return

        async with asyncio.TaskGroup() as group:
            for number in range(900):
                task = group.create_task(visit(number))
                if dice.random() < 0.1:
                    group.create_task(_cancel(task, dice.randint(0, 20)))
                if number % 9 == 0:
                    await asyncio.sleep(0)

        levels = [await stockroom.level(f"S{n}") for n in range(3)]
        assert all(0 < reserved <= on_hand for on_hand, reserved in levels)
        assert await stockroom.balances()
        for desk in desks:
            await desk.holding.close()
        for pool in pools:
            assert pool.in_use == 0
            await pool.close()


async def _cancel(task, turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
