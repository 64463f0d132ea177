"""Orders in PostgreSQL: written once, settled once, read as they were."""

import asyncio

import pytest
from cases import cases

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    CartAlreadyOrdered,
    CartStatus,
    OrderNotFound,
    OrderStatus,
    Overdue,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor
from holdfast.platform.db import ConstraintViolated

SETTLED = "payment_status = 'captured', payment_reference = 'ch', settled_at = now()"


@pytest.fixture
def place(database, vault, stored_cart, an_order, clock):
    """Store a pending order; returns it as stored."""
    skus = iter(f"S{n}" for n in range(1000))

    async def put():
        cart = await stored_cart(**{next(skus): 2, next(skus): 1})
        order = an_order(cart)
        async with database.transaction() as tx:
            await ordering.take_cart(tx, vault, cart.id, at=clock())
            return order.numbered(await ordering.add(tx, vault, order))

    return put


@pytest.fixture
def settle(database, clock):
    """Mark an order paid or failed; says whether this was what settled it."""

    async def mark(order, *, paid):
        async with database.transaction() as tx:
            if paid:
                return await ordering.mark_confirmed(
                    tx, order.id, "ch_1", actor="checkout", at=clock()
                )
            return await ordering.mark_failed(
                tx, order.id, "declined", actor="timer", at=clock()
            )

    return mark


class TestAdd:
    async def test_keeps_every_word_of_the_order(self, database, vault, place):
        order = await place()

        assert await ordering.find(database, vault, order.id) == order

    async def test_numbers_are_short_and_different(self, place):
        orders = [await place() for _ in range(3)]

        assert [order.number for order in orders] == [1001, 1002, 1003]

    async def test_a_second_order_of_one_cart_is_refused_by_the_database(
        self, database, vault, stored_cart, an_order
    ):
        cart = await stored_cart(TEA=1)
        async with database.transaction() as tx:
            await ordering.add(tx, vault, an_order(cart))

        async with database.statement() as tx:
            with pytest.raises(CartAlreadyOrdered):
                await ordering.add(tx, vault, an_order(cart))

    async def test_the_same_order_twice_is_a_fault_of_ours(
        self, database, vault, place
    ):
        order = await place()

        async with database.statement() as tx:
            with pytest.raises(ConstraintViolated, match="orders_pkey"):
                await ordering.add(tx, vault, order)

    async def test_a_catalogue_that_changes_does_not_change_it(
        self, database, vault, place
    ):
        order = await place()

        async with database.transaction() as tx:
            await tx.execute("UPDATE variants SET price_amount = 1, sku = 'X' || sku")
            await tx.execute("UPDATE products SET title = 'Other', status = 'archived'")

        assert await ordering.find(database, vault, order.id) == order


class TestMarkConfirmed:
    async def test_settles_a_pending_order(self, database, vault, place, settle, clock):
        order = await place()

        assert await settle(order, paid=True)

        assert await ordering.find(database, vault, order.id) == order.confirmed(
            "ch_1", clock()
        )

    async def test_is_settled_once_by_one_of_many(self, database, vault, place, settle):
        order = await place()

        async with asyncio.TaskGroup() as group:
            marks = [
                group.create_task(settle(order, paid=number % 2 == 0))
                for number in range(12)
            ]

        settled = [number for number, mark in enumerate(marks) if mark.result()]
        found = await ordering.find(database, vault, order.id)
        assert len(settled) == 1
        assert (found.payment_reference, found.failure_reason) == (
            ("ch_1", None) if settled[0] % 2 == 0 else (None, "declined")
        )


class TestMarkFailed:
    async def test_opens_the_cart_again(self, database, vault, place, settle, clock):
        order = await place()

        assert await settle(order, paid=False)

        found = await ordering.find(database, vault, order.id)
        cart = await ordering.find_cart(database, vault, order.cart_id)
        assert found == order.failed("declined", clock())
        assert cart.status is CartStatus.OPEN

    async def test_of_a_paid_order_leaves_its_cart_closed(
        self, database, vault, place, settle
    ):
        order = await place()
        await settle(order, paid=True)

        assert not await settle(order, paid=False)

        cart = await ordering.find_cart(database, vault, order.cart_id)
        assert cart.status is CartStatus.ORDERED

    async def test_leaves_room_for_another_attempt(
        self, database, vault, place, settle, an_order
    ):
        order = await place()
        await settle(order, paid=False)

        cart = await ordering.find_cart(database, vault, order.cart_id)
        async with database.transaction() as tx:
            number = await ordering.add(tx, vault, an_order(cart))

        assert number == order.number + 1


class TestFind:
    async def test_an_order_nobody_placed_is_not_found(self, database, vault):
        with pytest.raises(OrderNotFound):
            await ordering.find(database, vault, new_id())


class TestLatest:
    async def test_pages_visit_each_order_once_newest_first(
        self, database, vault, place
    ):
        orders = [await place() for _ in range(5)]

        first = await ordering.latest(database, vault, after=None, limit=3)
        second = await ordering.latest(database, vault, after=first.next, limit=3)

        newest_first = sorted(orders, key=lambda order: order.id, reverse=True)
        assert [*first.items, *second.items] == newest_first
        assert second.next is None

    async def test_a_page_that_is_just_full_is_the_last(self, database, vault, place):
        await place()

        assert (
            await ordering.latest(database, vault, after=None, limit=1)
        ).next is None

    async def test_may_be_of_one_status(self, database, vault, place, settle):
        paid, pending = await place(), await place()
        await settle(paid, paid=True)

        page = await ordering.latest(
            database, vault, after=None, limit=9, status=OrderStatus.PENDING
        )

        assert page.items == [pending]

    async def test_a_made_up_cursor_is_refused(self, database, vault):
        with pytest.raises(BadCursor):
            await ordering.latest(database, vault, after="x", limit=1)


class TestOverdue:
    async def test_names_pending_orders_of_before_oldest_first(
        self, database, place, settle, clock
    ):
        old = await place()
        paid = await place()
        await settle(paid, paid=True)
        clock.advance(seconds=1)
        younger = await place()
        clock.advance(seconds=1)
        await place()

        due = await ordering.overdue(database, placed_before=clock(), limit=9)

        assert due == [
            Overdue(old.id, old.placed_at),
            Overdue(younger.id, younger.placed_at),
        ]

    async def test_goes_on_beyond_the_last_one_seen(self, database, place, clock):
        orders = sorted([(await place()).id for _ in range(5)])
        clock.advance(seconds=1)
        seen, last = [], None

        for _ in range(3):
            due = await ordering.overdue(
                database, placed_before=clock(), limit=2, beyond=last
            )
            seen += [order.id for order in due]
            last = due[-1]

        assert seen == orders


class TestDatabase:
    """What the database refuses when the code is bypassed."""

    @cases(
        ("change", "constraint"),
        [
            ("status = 'lost', " + SETTLED, "orders_status_known"),
            (
                "status = 'confirmed', payment_status = 'captured', settled_at = now()",
                "orders_confirmed_has_reference",
            ),
            (
                "status = 'failed', payment_status = 'failed'",
                "orders_settled_when_not_pending",
            ),
            ("payment_status = 'captured'", "orders_settled_with_payment"),
            ("payment_status = 'lost'", "orders_payment_status_known"),
            ("fulfilment_status = 'lost'", "orders_fulfilment_status_known"),
            ("captured_amount = total_amount + 1", "orders_captured_within_total"),
            ("refunded_amount = 1", "orders_refunded_within_captured"),
            ("refunding_amount = 1", "orders_refunded_within_captured"),
            ("completed_at = now()", "orders_completed_says_when"),
            ("canceled_at = now()", "orders_canceled_says_when"),
            ("credit_amount = 1", "orders_total_adds_up"),
            ("settled_at = now()", "orders_settled_when_not_pending"),
            ("total_amount = total_amount + 1", "orders_total_adds_up"),
            (
                "subtotal_amount = -1, total_amount = shipping_amount - 1",
                "orders_total_adds_up",
            ),
        ],
    )
    async def test_an_order_cannot_contradict_itself(
        self, database, place, change, constraint
    ):
        await place()

        async with database.statement() as tx:
            with pytest.raises(ConstraintViolated, match=constraint):
                await tx.execute(f"UPDATE orders SET {change}")  # noqa: S608 - ours

    @cases(
        ("table", "change", "constraint"),
        [
            ("order_lines", "quantity = 0", "order_lines_quantity_positive"),
            ("order_lines", "unit_price_amount = -1", "order_lines_price_not_negative"),
            ("cart_lines", "quantity = 0", "cart_lines_quantity_positive"),
            ("cart_lines", "unit_price_override = -1", "cart_lines_price_not_negative"),
            ("carts", "status = 'lost'", "carts_status_known"),
            ("carts", "shipping_amount = -1", "carts_shipping_not_negative"),
        ],
    )
    async def test_amounts_and_quantities_are_never_negative(
        self, database, place, table, change, constraint
    ):
        await place()

        async with database.statement() as tx:
            with pytest.raises(ConstraintViolated, match=constraint):
                await tx.execute(f"UPDATE {table} SET {change}")  # noqa: S608 - ours
