"""An operator who sets prices, and customers who belong to groups."""

import pytest

from holdfast.domain import accounts, pricing
from holdfast.domain.identity import Member
from holdfast.domain.pricing import Period, PriceList
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.customer_groups import CustomerGroups
from holdfast.workflows.prices import Prices, PriceWanted


@pytest.fixture
def prices(shop):
    return Prices(shop.db, shop.clock, "test")


@pytest.fixture
def customer_groups(shop):
    return CustomerGroups(shop.db, shop.clock, "test")


@pytest.fixture
def a_price():
    """A price of TEA as an operator asks for it."""

    def make(
        amount, *, currency="EUR", sku="TEA", compare_at=None, least=1, period=None
    ):
        return PriceWanted(
            sku,
            Money(amount, currency),
            None if compare_at is None else Money(compare_at, currency),
            least,
            Period(*period) if period else pricing.ALWAYS,
        )

    return make


@pytest.fixture
def a_list(prices, shop):
    """Make a price list; it is for everybody unless told otherwise."""

    async def make(*groups, kind="sale", code=None, period=(None, None)):
        now = shop.clock()
        wanted = PriceList(
            id=new_id(),
            code=code or f"list-{new_id()}",
            name="A list",
            kind=kind,
            group_ids=[group.id for group in groups] or None,
            starts_at=period[0],
            ends_at=period[1],
            created_at=now,
            updated_at=now,
        )
        return await prices.add_list(wanted)

    return make


@pytest.fixture
def a_member(shop, customer_groups):
    """Somebody with an account, in these groups."""

    async def make(*groups):
        account_id, now = new_id(), shop.clock()
        async with shop.db.transaction() as tx:
            await accounts.create(
                tx,
                shop.vault,
                account_id=account_id,
                email=f"{account_id}@example.com",
                password=None,
                verified_at=now,
                at=now,
            )
        for group in groups:
            await customer_groups.add_member(group.id, account_id)
        return Member(account_id, new_id(), "store", frozenset({"carts:own"}))

    return make
