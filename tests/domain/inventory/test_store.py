"""Stock in PostgreSQL: promised once, counted to the unit, by many at a time."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    MAIN,
    MAX_LEVEL,
    Movement,
    NotReserved,
    OutOfStock,
    Shortage,
    StockBelowReserved,
    StockLevelOutOfRange,
    UnknownStock,
    Wanted,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.platform.db import ConstraintViolated


class TestReserve:
    async def test_promises_every_line(self, stockroom, two_products):
        tea, cup = await two_products()

        await stockroom.reserve((tea, 3), (cup, 10))

        assert await stockroom.level("TEA") == (10, 3)
        assert await stockroom.level("CUP") == (10, 10)
        assert await stockroom.balances()

    async def test_promises_nothing_when_one_line_is_short(
        self, stockroom, two_products
    ):
        tea, cup = await two_products()

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 3), (cup, 11))

        assert refused.value.shortages == [Shortage(str(cup), 11, 10)]
        assert await stockroom.level("TEA") == (10, 0)
        assert await stockroom.level("CUP") == (10, 0)
        assert await stockroom.balances()

    async def test_lines_of_one_sku_are_checked_as_their_sum(
        self, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=10)

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 6), (tea, 6))
        await stockroom.reserve((tea, 4), (tea, 6))

        assert refused.value.shortages == [Shortage(str(tea), 12, 10)]
        assert await stockroom.level("TEA") == (10, 10)

    async def test_names_every_line_that_is_short(self, stockroom, two_products):
        tea, cup = await two_products(on_hand=1)
        unknown = UUID(int=7)

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 2), (cup, 1), (unknown, 1))

        assert sorted(refused.value.shortages, key=lambda n: n.available) == [
            Shortage(str(unknown), 1, 0),
            Shortage(str(tea), 2, 1),
        ]

    async def test_counts_what_others_have_been_promised(self, stockroom, a_product):
        tea = await a_product("TEA", on_hand=10)
        await stockroom.reserve((tea, 8))

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 3))

        assert refused.value.shortages == [Shortage(str(tea), 3, 2)]

    async def test_one_order_reserves_once(self, database, clock, a_product):
        tea, order_id = await a_product("TEA"), new_id()
        wanted = [Wanted(tea, "TEA", 1)]
        async with database.transaction() as tx:
            await inventory.reserve(tx, order_id, wanted, at=clock())

        with pytest.raises(ConstraintViolated, match="reservations_pkey"):
            async with database.transaction() as tx:
                await inventory.reserve(tx, order_id, wanted, at=clock())

        assert await database.fetchval("SELECT reserved FROM stock") == 1


class TestShip:
    async def test_takes_the_promised_units_out_and_writes_the_ledger(
        self, database, stockroom, two_products
    ):
        tea, cup = await two_products()
        order_id = await stockroom.reserve((tea, 3), (cup, 1))

        await stockroom.ship(order_id, (tea, 3))

        assert await stockroom.level("TEA") == (7, 0)
        assert await stockroom.level("CUP") == (10, 1)
        page = await inventory.movements(database, tea, after=None, limit=10)
        assert [(m.kind, m.delta, m.order_id, m.reference) for m in page.items] == [
            ("sale", -3, order_id, "parcel"),
            ("adjustment", 10, None, ""),
        ]
        assert await stockroom.balances()

    async def test_twice_ships_once(self, stockroom, a_product):
        tea = await a_product("TEA")
        order_id = await stockroom.reserve((tea, 3))
        await stockroom.ship(order_id, (tea, 3))

        with pytest.raises(NotReserved) as refused:
            await stockroom.ship(order_id, (tea, 3))

        assert refused.value.details == {
            "variant_id": str(tea),
            "requested": 3,
            "reserved": 0,
        }
        assert await stockroom.level("TEA") == (7, 0)
        assert await stockroom.balances()

    async def test_at_once_with_a_release_one_of_them_happens(
        self, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=100)
        orders = [await stockroom.reserve((tea, 2)) for _ in range(20)]

        async def ship(order_id):
            with suppress(NotReserved):
                await stockroom.ship(order_id, (tea, 2))

        async with asyncio.TaskGroup() as group:
            for order_id in orders:
                group.create_task(ship(order_id))
                group.create_task(stockroom.release(order_id))
                group.create_task(ship(order_id))

        on_hand, reserved = await stockroom.level("TEA")
        assert reserved == 0
        assert on_hand in range(60, 101, 2)
        assert await stockroom.balances()


class TestRelease:
    async def test_gives_back_what_was_promised(self, stockroom, two_products):
        tea, cup = await two_products()
        order_id = await stockroom.reserve((tea, 3), (cup, 1))

        await stockroom.release(order_id)

        assert await stockroom.level("TEA") == (10, 0)
        assert await stockroom.level("CUP") == (10, 0)
        assert await stockroom.balances()

    async def test_twice_gives_back_once(self, stockroom, a_product):
        tea = await a_product("TEA")
        kept = await stockroom.reserve((tea, 2))
        order_id = await stockroom.reserve((tea, 3))
        assert await stockroom.release(order_id)

        assert not await stockroom.release(order_id)

        assert await stockroom.level("TEA") == (10, 2)
        await stockroom.ship(kept, (tea, 2))
        assert await stockroom.balances()


class TestSetLevels:
    async def test_writes_each_difference_to_the_ledger(
        self, database, stockroom, two_products, clock
    ):
        tea, _ = await two_products()
        clock.advance(hours=1)

        levels = await stockroom.set(TEA=4, CUP=10)

        assert {level.sku: level.on_hand for level in levels} == {"TEA": 4, "CUP": 10}
        assert [n.updated_at == clock() for n in levels] == [
            level.sku == "TEA" for level in levels
        ]
        page = await inventory.movements(database, tea, after=None, limit=1)
        assert page.items[0] == Movement(
            *(page.items[0].id, "adjustment", -6, "count", None, "test", clock()),
            location_id=MAIN,
            reference="",
            sku="TEA",
            location="main",
        )
        assert await database.fetchval("SELECT count(*) FROM stock_movements") == 3
        assert await stockroom.balances()

    async def test_cannot_break_a_promise_to_a_buyer(self, stockroom, two_products):
        tea, _ = await two_products()
        await stockroom.reserve((tea, 5))

        with pytest.raises(StockBelowReserved) as refused:
            await stockroom.set(TEA=4, CUP=3)

        assert refused.value.details == {"sku": "TEA", "reserved": 5}
        assert await stockroom.level("CUP") == (10, 0)
        assert await stockroom.set(TEA=5)

    @pytest.mark.parametrize("level", [-1, MAX_LEVEL + 1])
    async def test_a_level_has_bounds(self, stockroom, a_product, level):
        await a_product("TEA")

        with pytest.raises(StockLevelOutOfRange):
            await stockroom.set(TEA=level)

        assert await stockroom.set(TEA=MAX_LEVEL)

    async def test_a_sku_nobody_keeps_is_named_and_nothing_is_set(
        self, stockroom, a_product
    ):
        await a_product("TEA")

        with pytest.raises(UnknownStock) as refused:
            await stockroom.set(TEA=3, COFFEE=3)

        assert refused.value.sku == "COFFEE"
        assert await stockroom.level("TEA") == (10, 0)

    async def test_waits_for_a_reservation_and_then_respects_it(
        self, database, stockroom, a_product, clock, promised
    ):
        tea = await a_product("TEA")
        async with database.transaction() as tx:
            wanted = [Wanted(tea, "TEA", 8)]
            await inventory.reserve(tx, new_id(), wanted, at=clock())
            setting = asyncio.create_task(stockroom.set(TEA=5))
            await promised(
                lambda: database.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                    "'Lock' AND datname = current_database()"
                )
            )

        with pytest.raises(StockBelowReserved):
            await setting


class TestFind:
    async def test_tells_what_is_there_and_promised(
        self, database, stockroom, a_product, clock
    ):
        tea = await a_product("TEA")
        await stockroom.reserve((tea, 4))

        level = await inventory.find(database, "TEA")

        assert level == inventory.Level(
            *("TEA", tea, MAIN, "main", 10, 4),
            available=6,
            safety_stock=0,
            backorder_limit=0,
            low_stock_threshold=None,
            updated_at=clock(),
        )

    async def test_of_a_sku_nobody_keeps_says_so(self, database):
        with pytest.raises(UnknownStock):
            await inventory.find(database, "TEA")


class TestOpenLevels:
    async def test_leaves_a_level_alone_that_exists(
        self, database, stockroom, a_product, clock
    ):
        tea = await a_product("TEA")

        async with database.transaction() as tx:
            await inventory.open_levels(tx, [tea], at=clock())

        assert await stockroom.level("TEA") == (10, 0)


class TestMovements:
    async def test_pages_visit_every_movement_once_newest_first(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=1)
        for level in range(2, 8):
            await stockroom.set(TEA=level)

        seen, after = [], None
        while True:
            page = await inventory.movements(database, tea, after=after, limit=3)
            seen += page.items
            after = page.next
            if after is None:
                break

        assert len({movement.id for movement in seen}) == 7
        assert [m.id for m in seen] == sorted((m.id for m in seen), reverse=True)
        assert sum(movement.delta for movement in seen) == 7

    async def test_a_made_up_cursor_is_refused(self, database):
        for cursor in ("?", encode_cursor("not an id"), encode_cursor("a", "b")):
            with pytest.raises(BadCursor):
                await inventory.movements(database, new_id(), after=cursor, limit=1)


class TestDatabase:
    """What the database refuses when the code is bypassed."""

    @pytest.mark.parametrize(
        "change",
        ["reserved = on_hand + 1", "reserved = -1", "on_hand = 2"],
    )
    async def test_stock_can_be_neither_negative_nor_promised_twice(
        self, database, stockroom, a_product, change
    ):
        await stockroom.reserve((await a_product("TEA"), 3))
        await database.fetch("ALTER TABLE stock DISABLE TRIGGER stock_follows_ledger")

        with pytest.raises(ConstraintViolated, match="stock_never_oversold"):
            async with database.transaction() as tx:
                await tx.execute(f"UPDATE stock SET {change}")  # noqa: S608 - ours

    async def test_a_level_changes_by_its_ledger_only(self, database, a_product):
        await a_product("TEA")

        with pytest.raises(ConstraintViolated) as refused:
            async with database.transaction() as tx:
                await tx.execute("UPDATE stock SET on_hand = 11")

        assert refused.value.constraint_name == "stock_follows_ledger"

    async def test_a_level_begins_empty(self, database, a_product, stockroom):
        await a_product("TEA")
        await stockroom.location("other")

        with pytest.raises(ConstraintViolated, match="by a movement only"):
            async with database.transaction() as tx:
                await tx.execute(
                    "INSERT INTO stock (variant_id, location_id, on_hand, updated_at) "
                    "SELECT variant_id, locations.id, 1, now() FROM stock, locations "
                    "WHERE code = 'other'"
                )

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE stock_movements SET delta = 11",
            "DELETE FROM stock_movements",
            "TRUNCATE stock_movements",
        ],
    )
    async def test_the_ledger_is_only_ever_added_to(self, database, a_product, change):
        await a_product("TEA")

        with pytest.raises(ConstraintViolated, match="kept as they are"):
            async with database.transaction() as tx:
                await tx.execute(change)

    async def test_a_reservation_is_of_at_least_one_unit(self, database, a_product):
        await a_product("TEA")

        with pytest.raises(ConstraintViolated, match="reservations_quantity_positive"):
            async with database.transaction() as tx:
                await tx.execute(
                    "INSERT INTO reservations (holder_id, variant_id, location_id, "
                    "quantity, reserved_at) SELECT uuidv7(), variant_id, location_id, "
                    "0, now() FROM stock"
                )

    async def test_drift_names_a_level_that_was_changed_behind_the_ledger(
        self, database, a_product
    ):
        await a_product("TEA")
        await a_product("CUP")

        async with database.transaction() as tx:
            await tx.execute("ALTER TABLE stock DISABLE TRIGGER stock_follows_ledger")
            await tx.execute(
                "UPDATE stock SET on_hand = 12 FROM variants "
                "WHERE variants.id = variant_id AND sku = 'TEA'"
            )

        (drifted,) = await inventory.drift(database)
        assert tuple(drifted)[2:] == ("TEA", "main", 12, 0, 10, 0)
