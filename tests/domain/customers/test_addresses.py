"""Addresses in PostgreSQL: sealed, bounded, one default each."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import customers
from holdfast.domain.customers import Address, CustomerAddress
from holdfast.kernel.ids import new_id

HOME = Address(
    name="Ada Lovelace",
    line1="12 St James's Square",
    line2="Flat 2",
    city="London",
    region=None,
    postal_code="SW1Y 4JH",
    country="GB",
    phone="+442079460018",
)


@pytest.fixture
async def customer(database, vault, clock, an_account):
    account_id = await an_account()
    async with database.transaction() as tx:
        await customers.add(tx, vault, account_id, at=clock())
    return account_id


@pytest.fixture
def keep(database, vault, clock, customer):
    """Keep an address as a workflow does: the customer first."""

    async def add(
        *,
        account_id=None,
        shipping: bool = False,
        billing: bool = False,
        address: Address = HOME,
    ) -> CustomerAddress:
        owner = account_id or customer
        now = clock()
        new = CustomerAddress(new_id(), owner, address, shipping, billing, now, now)
        async with database.transaction() as tx:
            await customers.lock(tx, vault, owner, at=now)
            return await customers.add_address(tx, vault, new)

    return add


@pytest.fixture
def change(database, vault, clock):
    async def write(changed: CustomerAddress) -> CustomerAddress:
        async with database.transaction() as tx:
            await customers.lock(tx, vault, changed.account_id, at=clock())
            return await customers.change_address(tx, vault, changed, at=clock())

    return write


class TestAddAddress:
    async def test_keeps_every_field(self, database, vault, customer, keep):
        added = await keep(shipping=True)

        assert await customers.addresses_of(database, vault, customer) == [added]
        assert added.address == HOME
        assert (added.default_shipping, added.default_billing) == (True, False)

    async def test_leaves_nothing_to_read_in_the_database(self, database, keep):
        await keep()

        row = await database.fetchval("SELECT a::text FROM customer_addresses a")
        for text in ("Ada", "James", "London", "SW1Y", "GB", "+44"):
            assert text not in row
            assert text.encode().hex() not in row

    async def test_a_new_default_takes_the_place_of_the_one_before(
        self, database, vault, customer, keep
    ):
        first = await keep(shipping=True, billing=True)
        second = await keep(shipping=True)

        found = {
            kept.id: (kept.default_shipping, kept.default_billing)
            for kept in await customers.addresses_of(database, vault, customer)
        }
        assert found == {first.id: (False, True), second.id: (True, False)}

    async def test_refuses_more_than_there_may_be_even_at_once(
        self, database, vault, customer, keep
    ):
        for _ in range(customers.MAX_ADDRESSES - 2):
            await keep()

        async def try_to() -> bool:
            try:
                await keep(shipping=True)
            except customers.TooManyAddresses:
                return False
            return True

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(try_to()) for _ in range(6)]

        assert sum(task.result() for task in tasks) == 2
        kept = await customers.addresses_of(database, vault, customer)
        assert len(kept) == customers.MAX_ADDRESSES

    async def test_refused_for_want_of_room_it_moves_no_default(
        self, database, vault, customer, keep
    ):
        first = await keep(shipping=True)
        for _ in range(customers.MAX_ADDRESSES - 1):
            await keep()

        with pytest.raises(customers.TooManyAddresses):
            await keep(shipping=True)

        still = await customers.find_address(database, vault, customer, first.id)
        assert still.default_shipping


class TestChangeAddress:
    async def test_moves_both_defaults(self, database, vault, customer, keep, change):
        first = await keep(shipping=True, billing=True)
        second = await keep()

        await change(replace(second, default_shipping=True, default_billing=True))

        found = {
            kept.id: (kept.default_shipping, kept.default_billing)
            for kept in await customers.addresses_of(database, vault, customer)
        }
        assert found == {first.id: (False, False), second.id: (True, True)}

    async def test_several_wishes_at_once_leave_one_default(
        self, database, vault, customer, keep, change
    ):
        kept = [await keep() for _ in range(8)]

        async with asyncio.TaskGroup() as group:
            for address in kept:
                group.create_task(change(replace(address, default_shipping=True)))

        after = await customers.addresses_of(database, vault, customer)
        assert sum(address.default_shipping for address in after) == 1

    async def test_of_another_customer_is_not_there(self, keep, change, an_account):
        other = await an_account()
        theirs = await keep()

        with pytest.raises(customers.CustomerAddressNotFound):
            await change(replace(theirs, account_id=other))

    async def test_a_default_of_another_customer_stays(
        self, database, vault, keep, an_account
    ):
        other = await an_account()
        theirs = await keep(account_id=other, shipping=True)

        await keep(shipping=True)

        still = await customers.find_address(database, vault, other, theirs.id)
        assert still.default_shipping


class TestRemoveAddress:
    async def test_takes_it_out_once(self, database, vault, customer, keep):
        kept = await keep()

        async with database.transaction() as tx:
            await customers.remove_address(tx, customer, kept.id)

        assert await customers.addresses_of(database, vault, customer) == []
        async with database.transaction() as tx:
            with pytest.raises(customers.CustomerAddressNotFound):
                await customers.remove_address(tx, customer, kept.id)

    async def test_of_another_customer_is_not_there(
        self, database, vault, customer, keep, an_account
    ):
        other = await an_account()
        kept = await keep()

        async with database.transaction() as tx:
            with pytest.raises(customers.CustomerAddressNotFound):
                await customers.remove_address(tx, other, kept.id)

        assert await customers.addresses_of(database, vault, customer) == [kept]
