"""Carts in PostgreSQL: one changer at a time, and one order each."""

import asyncio

import pytest

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    Address,
    CartLineNotFound,
    CartNotFound,
    CartStatus,
    NewLine,
    Shipping,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money


class TestOpenCart:
    async def test_keeps_every_word_of_it(self, database, vault, stored_cart):
        cart = await stored_cart(TEA=2, CUP=1)

        assert await ordering.find_cart(database, vault, cart.id) == cart

    async def test_keeps_a_cart_with_nothing_in_it(self, database, vault, a_cart):
        cart = a_cart(
            lines=[],
            email=None,
            shipping_address=None,
            shipping_method=None,
            shipping=None,
        )
        async with database.statement() as tx:
            await ordering.open_cart(tx, vault, cart, [])

        assert await ordering.find_cart(database, vault, cart.id) == cart

    async def test_keeps_a_choice_of_shipping_that_has_no_price_yet(
        self, database, vault, a_cart
    ):
        cart = a_cart(lines=[], shipping_address=None, shipping=None)
        async with database.statement() as tx:
            await ordering.open_cart(tx, vault, cart, [])

        found = await ordering.find_cart(database, vault, cart.id)

        assert (found.shipping_method, found.shipping) == ("standard", None)

    async def test_a_price_set_by_an_operator_stays(self, database, vault, stored_cart):
        cart = await stored_cart(TEA=2, override=1)

        found = await ordering.find_cart(database, vault, cart.id)

        assert found.lines[0].unit_price == Money(1, "EUR")


class TestFindCart:
    async def test_a_cart_nobody_made_is_not_found(self, database, vault):
        with pytest.raises(CartNotFound):
            await ordering.find_cart(database, vault, new_id())


class TestLockCart:
    async def test_counts_the_change(self, database, vault, stored_cart, clock):
        cart = await stored_cart(TEA=2)
        clock.advance(minutes=1)

        async with database.transaction() as tx:
            await ordering.lock_cart(tx, cart.id, at=clock())

        found = await ordering.find_cart(database, vault, cart.id)
        assert (found.version, found.updated_at) == (2, clock())

    async def test_one_that_nobody_made_is_not_open(self, database, clock):
        async with database.transaction() as tx:
            assert not await ordering.lock_cart(tx, new_id(), at=clock())

    async def test_one_that_was_ordered_stays_as_it_is(
        self, database, vault, stored_cart, an_order, clock
    ):
        cart = await stored_cart(TEA=2)
        order = an_order(cart)
        async with database.transaction() as tx:
            await ordering.take_cart(tx, vault, cart.id, at=clock())
            await ordering.add(tx, vault, order)

        async with database.transaction() as tx:
            assert not await ordering.lock_cart(tx, cart.id, at=clock())

        assert await ordering.order_of_cart(database, cart.id) == order.id
        assert (await ordering.find_cart(database, vault, cart.id)).version == 1


class TestLines:
    async def test_are_added_changed_and_removed(
        self, database, vault, stored_cart, a_product
    ):
        cart = await stored_cart(TEA=2)
        (tea,) = cart.lines
        cup = NewLine(new_id(), await a_product("CUP"), 5)

        async with database.transaction() as tx:
            await ordering.add_line(tx, cart.id, cup)
            await ordering.change_line(tx, cart.id, tea.id, 7)
        both = await ordering.find_cart(database, vault, cart.id)
        async with database.transaction() as tx:
            await ordering.remove_line(tx, cart.id, tea.id)
        one = await ordering.find_cart(database, vault, cart.id)

        assert [(n.sku, n.quantity) for n in both.lines] == [("TEA", 7), ("CUP", 5)]
        assert [(n.sku, n.quantity) for n in one.lines] == [("CUP", 5)]

    async def test_those_of_another_cart_are_not_there(
        self, database, vault, stored_cart
    ):
        mine, theirs = await stored_cart(TEA=2), await stored_cart(CUP=2)

        async with database.transaction() as tx:
            with pytest.raises(CartLineNotFound):
                await ordering.change_line(tx, mine.id, theirs.lines[0].id, 1)
            with pytest.raises(CartLineNotFound):
                await ordering.remove_line(tx, mine.id, theirs.lines[0].id)

        assert await ordering.find_cart(database, vault, theirs.id) == theirs


class TestChangeCart:
    async def test_writes_who_buys_where_it_goes_and_how(
        self, database, vault, stored_cart
    ):
        cart = await stored_cart(TEA=2)
        async with database.transaction() as tx:
            changed = ordering.Cart(
                **{
                    **{f: getattr(cart, f) for f in cart.__slots__},
                    "email": None,
                    "shipping_address": Address(
                        "B", "1", "Rome", "IT", "2", "RM", "1", "3"
                    ),
                    "shipping_method": "express",
                    "shipping": Shipping("express", Money(0, "EUR"), "flat_rate"),
                }
            )
            await ordering.change_cart(tx, vault, changed)

        assert await ordering.find_cart(database, vault, cart.id) == changed


class TestTakeCart:
    async def test_closes_it_and_reads_it(self, database, vault, stored_cart, clock):
        cart = await stored_cart(TEA=2, CUP=1)

        async with database.transaction() as tx:
            taken = await ordering.take_cart(tx, vault, cart.id, at=clock())

        assert taken.status is CartStatus.ORDERED
        assert taken.lines == cart.lines
        assert await ordering.find_cart(database, vault, cart.id) == taken

    async def test_one_that_nobody_made_is_not_open(self, database, vault, clock):
        async with database.transaction() as tx:
            assert await ordering.take_cart(tx, vault, new_id(), at=clock()) is None

    async def test_of_many_at_once_one_takes_it(
        self, database, vault, stored_cart, clock
    ):
        cart = await stored_cart(TEA=2)
        taken = []

        async def take():
            async with database.transaction() as tx:
                taken.append(await ordering.take_cart(tx, vault, cart.id, at=clock()))

        async with asyncio.TaskGroup() as group:
            for _ in range(15):
                group.create_task(take())

        assert len([cart for cart in taken if cart is not None]) == 1
        assert len(taken) == 15

    async def test_sees_a_change_that_was_committed_while_it_waited(
        self, database, vault, stored_cart, clock, promised
    ):
        """A change that was acknowledged before the checkout is in the order."""
        cart = await stored_cart(TEA=2)

        async def take():
            async with database.transaction() as tx:
                return await ordering.take_cart(tx, vault, cart.id, at=clock())

        async with database.transaction() as tx:
            await ordering.lock_cart(tx, cart.id, at=clock())
            await ordering.change_line(tx, cart.id, cart.lines[0].id, 9)
            taking = asyncio.create_task(take())
            await promised(
                lambda: database.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                    "'Lock' AND datname = current_database()"
                )
            )

        taken = await taking
        assert [line.quantity for line in taken.lines] == [9]
        assert taken.status is CartStatus.ORDERED
