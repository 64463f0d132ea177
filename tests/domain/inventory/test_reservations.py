"""Holds that expire, reservations that change hands, goods that leave elsewhere."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    MAIN,
    NotEnoughOnHand,
    NotReserved,
    OutOfStock,
    Shortage,
    Wanted,
)
from holdfast.kernel.ids import new_id


@pytest.fixture
def until(clock):
    """So many minutes from now."""
    return lambda minutes: clock() + timedelta(minutes=minutes)


@pytest.fixture
def versions(database):
    """Which version of each stock row there is: a write makes another."""

    async def read():
        rows = await database.fetch(
            "SELECT ctid::text, xmin::text, xmax::text FROM stock"
        )
        return sorted(map(tuple, rows))

    return read


class TestByLocation:
    async def test_takes_a_whole_line_from_one_location_if_one_has_it(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        await stockroom.location("first", priority=0, TEA=2)
        last = await stockroom.location("last", priority=9, TEA=5)

        order_id = await stockroom.reserve((tea, 4))

        (held,) = await inventory.reserved_for(database, order_id)
        assert (held.location_id, held.quantity) == (last, 4)

    async def test_splits_by_priority_if_none_has_it_whole(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        last = await stockroom.location("last", priority=9, TEA=5)

        order_id = await stockroom.reserve((tea, 7))

        held = await inventory.reserved_for(database, order_id)
        assert {n.location_id: n.quantity for n in held} == {MAIN: 3, last: 4}
        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 2))
        assert refused.value.shortages == [Shortage(str(tea), 2, 1)]

    async def test_leaves_what_is_kept_back_and_adds_what_may_be_promised(
        self, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        await stockroom.settings("TEA", safety_stock=2)

        with pytest.raises(OutOfStock):
            await stockroom.reserve((tea, 2))
        await stockroom.settings("TEA", backorder_limit=10)
        await stockroom.reserve((tea, 11))

        assert await stockroom.level("TEA") == (3, 11)

    async def test_takes_nothing_from_a_location_that_is_not_in_use(
        self, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=1)
        await stockroom.location("closed", active=False, TEA=5)

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 2))

        assert refused.value.shortages[0].available == 1


class TestInsteadOf:
    async def test_what_a_hold_has_passes_to_the_order_without_touching_stock(
        self, database, stockroom, two_products, until, versions
    ):
        tea, cup = await two_products()
        hold = await stockroom.reserve((tea, 3), (cup, 10), expires_at=until(10))
        before = await versions()

        order_id = await stockroom.reserve((cup, 10), (tea, 3), instead_of=[hold])

        assert await versions() == before
        held = await inventory.reserved_for(database, order_id)
        assert {n.variant_id: n.quantity for n in held} == {tea: 3, cup: 10}
        assert {n.expires_at for n in held} == {None}
        assert await inventory.reserved_for(database, hold) == []
        assert await stockroom.balances()

    async def test_touches_only_what_differs(self, database, stockroom, two_products):
        tea, cup = await two_products()
        hold = await stockroom.reserve((tea, 3), (cup, 2))

        order_id = await stockroom.reserve((tea, 3), (cup, 5), instead_of=[hold])

        assert await stockroom.level("TEA") == (10, 3)
        assert await stockroom.level("CUP") == (10, 5)
        held = await inventory.reserved_for(database, order_id)
        assert {n.variant_id: n.quantity for n in held} == {tea: 3, cup: 5}
        assert await stockroom.balances()

    async def test_releases_what_is_not_wanted_any_more(self, stockroom, two_products):
        tea, cup = await two_products()
        hold = await stockroom.reserve((tea, 3), (cup, 2))

        await stockroom.reserve((tea, 1), instead_of=[hold])

        assert await stockroom.level("TEA") == (10, 1)
        assert await stockroom.level("CUP") == (10, 0)
        assert await stockroom.balances()

    async def test_what_two_holds_have_is_counted_together(
        self, database, stockroom, a_product, versions
    ):
        tea = await a_product("TEA", on_hand=5)
        holds = [await stockroom.reserve((tea, 2)), await stockroom.reserve((tea, 3))]
        before = await versions()

        order_id = await stockroom.reserve((tea, 5), instead_of=holds)

        assert await versions() == before
        (held,) = await inventory.reserved_for(database, order_id)
        assert held.quantity == 5
        assert await stockroom.balances()

    async def test_a_holder_renews_its_own(
        self, database, stockroom, a_product, clock, until
    ):
        tea = await a_product("TEA", on_hand=5)
        hold = await stockroom.reserve((tea, 5), expires_at=until(10))

        async with database.transaction() as tx:
            await inventory.reserve(
                *(tx, hold, [Wanted(tea, "TEA", 5)]),
                at=clock(),
                expires_at=until(20),
                instead_of=[hold],
            )

        (held,) = await inventory.reserved_for(database, hold)
        assert held.expires_at == until(20)

    async def test_keeps_what_it_has_when_more_is_not_there(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=5)
        hold = await stockroom.reserve((tea, 4))

        with pytest.raises(OutOfStock) as refused:
            await stockroom.reserve((tea, 6), instead_of=[hold])

        assert refused.value.shortages == [Shortage(str(tea), 6, 5)]
        assert len(await inventory.reserved_for(database, hold)) == 1
        assert await stockroom.level("TEA") == (5, 4)

    async def test_of_two_orders_at_once_one_gets_what_the_hold_has(
        self, stockroom, a_product, until
    ):
        tea = await a_product("TEA", on_hand=3)
        hold = await stockroom.reserve((tea, 3), expires_at=until(10))
        won = []

        async def order():
            with suppress(OutOfStock):
                won.append(await stockroom.reserve((tea, 3), instead_of=[hold]))

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(order())

        assert len(won) == 1
        assert await stockroom.level("TEA") == (3, 3)
        assert await stockroom.balances()


class TestExpire:
    async def test_frees_what_is_overdue_and_nothing_else(
        self, stockroom, two_products, clock, until
    ):
        tea, cup = await two_products()
        await stockroom.reserve((tea, 3), (cup, 1), expires_at=until(1))
        await stockroom.reserve((tea, 2), expires_at=until(5))
        await stockroom.reserve((tea, 1))
        clock.advance(minutes=1)

        assert await stockroom.expire() == 2

        assert await stockroom.level("TEA") == (10, 3)
        assert await stockroom.level("CUP") == (10, 0)
        assert await stockroom.expire() == 0
        assert await stockroom.balances()

    async def test_takes_so_many_at_a_time_the_oldest_first(
        self, database, stockroom, a_product, clock, until
    ):
        tea = await a_product("TEA", on_hand=10)
        late = await stockroom.reserve((tea, 1), expires_at=until(3))
        for minutes in (2, 1):
            await stockroom.reserve((tea, 1), expires_at=until(minutes))
        clock.advance(minutes=9)

        assert await stockroom.expire(limit=2) == 2

        assert len(await inventory.reserved_for(database, late)) == 1

    async def test_several_at_once_free_each_hold_once(
        self, stockroom, a_product, clock, until
    ):
        tea = await a_product("TEA", on_hand=60)
        for _ in range(60):
            await stockroom.reserve((tea, 1), expires_at=until(1))
        clock.advance(minutes=2)
        freed = []

        async def sweep():
            while taken := await stockroom.expire(limit=7):
                freed.append(taken)

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(sweep())

        # One that finds all that is left taken by others ends early.
        await sweep()
        assert sum(freed) == 60
        assert await stockroom.level("TEA") == (60, 0)

    async def test_an_order_that_falls_short_frees_overdue_holds_first(
        self, stockroom, two_products, clock, until
    ):
        tea, cup = await two_products()
        await stockroom.reserve((tea, 8), expires_at=until(1))
        kept = await stockroom.reserve((cup, 8), expires_at=until(1))
        clock.advance(minutes=1)

        await stockroom.reserve((tea, 10))

        assert await stockroom.level("TEA") == (10, 10)
        assert await stockroom.level("CUP") == (10, 8), "nobody wanted a cup"
        assert await stockroom.release(kept)

    async def test_a_hold_that_is_not_overdue_is_safe_from_orders(
        self, stockroom, a_product, until
    ):
        tea = await a_product("TEA", on_hand=10)
        await stockroom.reserve((tea, 8), expires_at=until(1))

        with pytest.raises(OutOfStock):
            await stockroom.reserve((tea, 3))


class TestReleasePart:
    async def test_gives_back_where_orders_take_from_last(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        last = await stockroom.location("last", priority=9, TEA=5)
        order_id = await stockroom.reserve((tea, 7))

        await stockroom.release_part(order_id, (tea, 5))

        held = await inventory.reserved_for(database, order_id)
        assert {n.location_id: n.quantity for n in held} == {MAIN: 2}
        assert await stockroom.level("TEA", last) == (5, 0)
        assert await stockroom.balances()

    async def test_more_than_is_held_is_refused_whole(self, stockroom, two_products):
        tea, cup = await two_products()
        order_id = await stockroom.reserve((tea, 3), (cup, 1))

        with pytest.raises(NotReserved) as refused:
            await stockroom.release_part(order_id, (tea, 1), (cup, 2))

        assert (refused.value.requested, refused.value.reserved) == (2, 1)
        assert await stockroom.level("TEA") == (10, 3)
        assert await stockroom.balances()


class TestShip:
    async def test_from_elsewhere_frees_what_was_reserved(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        berlin = await stockroom.location("berlin", priority=9, TEA=5)
        order_id = await stockroom.reserve((tea, 3))

        await stockroom.ship(order_id, (tea, 2), location_id=berlin)

        assert await stockroom.level("TEA") == (3, 1)
        assert await stockroom.level("TEA", berlin) == (3, 0)
        assert await stockroom.balances()

    async def test_takes_what_is_reserved_there_first(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA", on_hand=3)
        berlin = await stockroom.location("berlin", priority=9, TEA=5)
        order_id = await stockroom.reserve((tea, 7))

        await stockroom.ship(order_id, (tea, 4), location_id=berlin)

        held = await inventory.reserved_for(database, order_id)
        assert {n.location_id: n.quantity for n in held} == {MAIN: 3}
        assert await stockroom.level("TEA", berlin) == (1, 0)

    async def test_more_than_is_there_is_refused_whole(self, stockroom, two_products):
        tea, cup = await two_products()
        await stockroom.settings("TEA", backorder_limit=5)
        order_id = await stockroom.reserve((tea, 12), (cup, 1))

        with pytest.raises(NotEnoughOnHand) as refused:
            await stockroom.ship(order_id, (tea, 11), (cup, 1))

        assert (refused.value.requested, refused.value.on_hand) == (11, 10)
        assert await stockroom.level("TEA") == (10, 12)
        assert await stockroom.level("CUP") == (10, 1)
        assert await stockroom.balances()

    async def test_leaves_what_others_are_promised_there(self, stockroom, a_product):
        tea = await a_product("TEA", on_hand=5)
        berlin = await stockroom.location("berlin", priority=9, TEA=5)
        order_id = await stockroom.reserve((tea, 5))
        await stockroom.reserve((tea, 4))

        with pytest.raises(NotEnoughOnHand) as refused:
            await stockroom.ship(order_id, (tea, 2), location_id=berlin)

        assert refused.value.on_hand == 1
        await stockroom.ship(order_id, (tea, 1), location_id=berlin)
        assert await stockroom.level("TEA", berlin) == (4, 4)
        assert await stockroom.balances()


class TestTakeBack:
    async def test_puts_goods_back_on_the_shelf(self, database, stockroom, a_product):
        tea = await a_product("TEA")
        order_id = await stockroom.reserve((tea, 3))
        await stockroom.ship(order_id, (tea, 3))

        await stockroom.take_back(order_id, (tea, 2))

        assert await stockroom.level("TEA") == (9, 0)
        page = await inventory.movements(database, tea, after=None, limit=1)
        newest = page.items[0]
        assert (newest.kind, newest.delta, newest.order_id) == ("return", 2, order_id)
        assert await stockroom.balances()

    async def test_writes_off_what_cannot_be_sold_again(
        self, database, stockroom, a_product
    ):
        tea = await a_product("TEA")

        await stockroom.take_back(new_id(), (tea, 2), restock=False)

        assert await stockroom.level("TEA") == (10, 0)
        page = await inventory.movements(database, tea, after=None, limit=2)
        assert [(n.kind, n.delta) for n in page.items] == [
            ("adjustment", -2),
            ("return", 2),
        ]
        assert await stockroom.balances()
