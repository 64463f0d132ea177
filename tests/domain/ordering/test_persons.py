"""What is known of a buyer is sealed, found by its index, and forgotten when asked."""

import pytest

from holdfast.domain import ordering
from holdfast.domain.ordering.person import index_of
from holdfast.kernel.ids import new_id
from holdfast.platform.vault import CannotOpen


@pytest.fixture
def ordered(database, vault, stored_cart, an_order):
    """An order in the database, as a guest's."""

    async def put():
        order = an_order(await stored_cart(**{f"TEA-{new_id()}": 1}))
        async with database.transaction() as tx:
            return order.numbered(await ordering.add(tx, vault, order))

    return put


@pytest.fixture
def attach(database, vault):
    async def give(email, account_id):
        async with database.transaction() as tx:
            return await ordering.attach(
                tx, email_index=index_of(vault, email), account_id=account_id
            )

    return give


class TestStored:
    async def test_no_column_says_who(self, database, ordered):
        await ordered()

        for table in ("carts", "orders"):
            (row,) = await database.fetch(f"SELECT * FROM {table}")  # noqa: S608
            assert (row["email"], row["shipping_address"]) == (None, None)
            assert row["sealed"] is not None
            assert b"example.com" not in row["sealed"]

    async def test_a_value_copied_to_another_order_does_not_open(
        self, database, vault, ordered
    ):
        one, other = await ordered(), await ordered()
        await database.fetch(
            "UPDATE orders SET sealed = (SELECT sealed FROM orders WHERE id = $1)"
            " WHERE id = $2",
            one.id,
            other.id,
        )

        with pytest.raises(CannotOpen):
            await ordering.find(database, vault, other.id)


class TestByEmail:
    async def test_finds_the_orders_of_an_address_however_it_is_spelled(
        self, database, vault, ordered
    ):
        order = await ordered()

        async def found(email):
            page = await ordering.latest(
                database, vault, after=None, limit=9, email=email
            )
            return page.items

        assert await found(f" {order.email.upper()}") == [order]
        assert await found("nobody@example.com") == []


class TestAttach:
    async def test_gives_an_account_its_orders_as_a_guest(
        self, database, vault, ordered, attach
    ):
        orders, account_id = [await ordered() for _ in range(3)], new_id()

        assert await attach(orders[0].email, account_id) == 3

        first = await ordering.of_account(
            database, vault, account_id, after=None, limit=2
        )
        second = await ordering.of_account(
            database, vault, account_id, after=first.next, limit=2
        )
        mine = [order.id for order in (*first.items, *second.items)]
        assert mine == [order.id for order in reversed(orders)]
        assert second.next is None

    async def test_takes_nothing_from_another_account(self, ordered, attach):
        order = await ordered()
        await attach(order.email, new_id())

        assert await attach(order.email, new_id()) == 0


class TestForgetPerson:
    async def test_the_order_stays_and_the_person_is_gone(
        self, database, vault, ordered, attach
    ):
        order, account_id = await ordered(), new_id()
        await attach(order.email, account_id)

        async with database.transaction() as tx:
            assert await ordering.forget_person(tx, account_id, []) == 1

        found = await ordering.find(database, vault, order.id)
        assert (found.email, found.shipping_address) == (None, None)
        assert (found.lines, found.total) == (order.lines, order.total)
        cart = await ordering.find_cart(database, vault, order.cart_id)
        assert (cart.email, cart.shipping_address) == (None, None)
        page = await ordering.latest(
            database, vault, after=None, limit=9, email=order.email
        )
        assert page.items == []

    async def test_other_peoples_orders_keep_theirs(self, database, vault, ordered):
        order = await ordered()

        async with database.transaction() as tx:
            assert await ordering.forget_person(tx, new_id(), []) == 0

        assert (await ordering.find(database, vault, order.id)).email == order.email
