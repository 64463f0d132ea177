import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.domain import pricing
from holdfast.domain.ordering import UnknownSku
from holdfast.domain.pricing import (
    CustomerGroupInUse,
    DuplicateCustomerGroup,
    DuplicatePriceList,
    GroupMemberNotFound,
    PriceListInvalid,
    PriceListNotFound,
    PriceNotFound,
    PricesInvalid,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import MAX_AMOUNT
from holdfast.workflows.prices import MAX_PER_VARIANT, MAX_PRICES, Outcome, worth

DAY = timedelta(days=1)
FAR = datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=5)))
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.fixture
def on_record(shop):
    """The prices of a SKU that are on record, as pairs of quantity and amount."""

    async def read(sku="TEA"):
        page = await pricing.prices(shop.db, sku=sku, after=None, limit=100)
        return [(n.min_quantity, n.price.amount) for n in page.items]

    return read


@pytest.fixture
def costs(shop):
    """What one TEA costs."""

    async def read(*, quantity=1, currency="EUR", at=None, account_id=None, sku="TEA"):
        _, found = await worth(
            shop.db,
            sku,
            currency=currency,
            quantity=quantity,
            at=at or shop.clock(),
            account_id=account_id,
        )
        return found and found.amount

    return read


class TestSet:
    async def test_a_price_holds_from_then_on(self, prices, a_product, a_price, costs):
        await a_product("TEA")

        outcome = await prices.set([a_price(800), a_price(1200, currency="USD")])

        assert outcome == Outcome(2, 0, 0)
        assert (await costs(), await costs(currency="USD")) == (800, 1200)
        assert await costs(currency="GBP") is None

    async def test_what_says_the_same_stays_and_another_takes_its_place(
        self, prices, a_product, a_price, on_record
    ):
        await a_product("TEA")
        await prices.set([a_price(800), a_price(700, least=10)])

        outcome = await prices.set([a_price(800), a_price(650, least=10)])

        assert outcome == Outcome(1, 1, 1)
        assert await on_record() == [(1, 800), (10, 650)]

    async def test_what_is_over_is_no_longer_in_the_way(
        self, prices, a_product, a_price, on_record, clock
    ):
        await a_product("TEA")
        now = clock()
        await prices.set([a_price(500, period=(now, now + DAY))])
        clock.advance(days=2)

        await prices.set([a_price(600, period=(now, None))])

        assert await on_record() == [(1, 600)]

    async def test_prices_that_overlap_are_refused_and_none_is_set(
        self, prices, a_product, a_price, on_record, clock
    ):
        await a_product("TEA")
        now = clock()
        await prices.set([a_price(500, period=(now, now + 2 * DAY))])

        with pytest.raises(PricesInvalid) as refused:
            await prices.set(
                [a_price(800), a_price(600, period=(now + DAY, now + 3 * DAY))]
            )

        (fault,) = refused.value.errors
        assert fault.pointer == "/prices/1/starts_at"
        assert await on_record() == [(1, 500)]

    async def test_of_two_at_once_that_overlap_one_is_refused(
        self, prices, a_product, a_price, on_record, clock, shop, promised
    ):
        await a_product("TEA")
        now = clock()
        refused = []

        async def try_to_set(period):
            try:
                await prices.set([a_price(500, period=period)])
            except PricesInvalid:
                refused.append(period)

        async def both_wait():
            return await shop.db.fetchval(_WAITING) == 2

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            # Whoever looks before it is their turn sees no price, and both would.
            await tx.execute("SELECT 1 FROM variants FOR UPDATE")
            for period in ((now, now + 2 * DAY), (now + DAY, now + 3 * DAY)):
                tasks.create_task(try_to_set(period))
            await promised(both_wait)

        assert (len(refused), len(await on_record())) == (1, 1)

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"sku": "NONE"}, "/prices/0/sku"),
            ({"sku": "N\0NE"}, "/prices/0/sku"),
            ({"currency": "XXX"}, "/prices/0/price/currency"),
            ({"amount": MAX_AMOUNT + 1}, "/prices/0/price/amount"),
            ({"amount": -1}, "/prices/0/price/amount"),
            ({"compare_at": MAX_AMOUNT + 1}, "/prices/0/compare_at_price/amount"),
            ({"least": 0}, "/prices/0/min_quantity"),
            ({"least": 1_000_001}, "/prices/0/min_quantity"),
            ({"period": (None, FAR)}, "/prices/0/ends_at"),
            ({"period": (LONG_AGO, None)}, "/prices/0/starts_at"),
        ],
    )
    async def test_names_what_is_wrong(
        self, prices, a_product, a_price, changes, pointer
    ):
        await a_product("TEA")

        with pytest.raises(PricesInvalid) as refused:
            await prices.set([a_price(**{"amount": 800, **changes})])

        assert [fault.pointer for fault in refused.value.errors] == [pointer]

    async def test_periods_have_to_end_after_they_start_and_after_now(
        self, prices, a_product, a_price, clock
    ):
        await a_product("TEA")
        now = clock()

        with pytest.raises(PricesInvalid) as refused:
            await prices.set(
                [
                    a_price(1, period=(now + DAY, now + DAY)),
                    a_price(1, least=2, period=(None, now)),
                    a_price(1, least=2, period=(None, now)),
                ]
            )

        assert [(f.pointer, f.detail) for f in refused.value.errors] == [
            ("/prices/0/ends_at", "must be after starts_at"),
            ("/prices/1/ends_at", "has passed"),
            ("/prices/2/ends_at", "has passed"),
            ("/prices/2", "is there twice"),
        ]

    async def test_no_more_than_a_cart_can_look_at(self, prices, a_product, a_price):
        await a_product("TEA")

        for wanted in (
            [],
            [a_price(1, least=n) for n in range(1, MAX_PRICES + 2)],
            [a_price(1, least=n) for n in range(1, MAX_PER_VARIANT + 2)],
        ):
            with pytest.raises(PricesInvalid) as refused:
                await prices.set(wanted)
            assert [fault.pointer for fault in refused.value.errors] == ["/prices"]

    async def test_of_a_list_that_is_not_there_nothing_is_set(
        self, prices, a_product, a_price
    ):
        await a_product("TEA")

        with pytest.raises(PriceListNotFound):
            await prices.set([a_price(1)], new_id())


class TestRemove:
    async def test_what_held_before_holds_again(
        self, prices, a_product, a_price, costs, shop
    ):
        await a_product("TEA")
        await prices.set([a_price(800)])
        page = await pricing.prices(shop.db, after=None, limit=10)

        await prices.remove(page.items[0].id)

        assert await costs() == 999
        with pytest.raises(PriceNotFound):
            await prices.remove(page.items[0].id)


class TestLists:
    async def test_a_sale_holds_for_its_time(
        self, prices, a_list, a_product, a_price, costs, clock
    ):
        await a_product("TEA")
        now = clock()
        sale = await a_list(period=(now + DAY, now + 2 * DAY))
        await prices.set([a_price(700)], sale.id)

        found = [await costs(at=now + n * DAY) for n in range(3)]

        assert found == [999, 700, 999]

    async def test_a_contract_is_for_its_groups_alone(
        self, prices, a_list, a_product, a_price, costs, customer_groups, a_member
    ):
        await a_product("TEA")
        trade = await customer_groups.add("trade", "Trade")
        agreed = await a_list(trade, kind="contract")
        await prices.set([a_price(1100), a_price(600, least=10)], agreed.id)
        dealer, other = await a_member(trade), await a_member()

        found = [
            await costs(account_id=who.account_id, quantity=n)
            for who in (dealer, other)
            for n in (1, 10)
        ]

        assert found == [1100, 600, 999, 999]

    async def test_a_change_holds_at_once(
        self, prices, a_list, a_product, a_price, costs, customer_groups
    ):
        await a_product("TEA")
        club = await customer_groups.add("club", "Club")
        sale = await a_list()
        await prices.set([a_price(700)], sale.id)

        await prices.change_list(sale.id, lambda n: replace(n, group_ids=[club.id]))

        assert await costs() == 999
        with pytest.raises(CustomerGroupInUse):
            await customer_groups.remove(club.id)

    async def test_withdrawn_its_prices_are_gone_and_its_code_is_free(
        self, prices, a_list, a_product, a_price, costs, on_record
    ):
        await a_product("TEA")
        sale = await a_list(code="summer")
        await prices.set([a_price(700)], sale.id)

        await prices.remove_list(sale.id)

        assert (await costs(), await on_record()) == (999, [])
        assert (await a_list(code="summer")).id != sale.id
        with pytest.raises(PriceListNotFound):
            await prices.remove_list(sale.id)

    async def test_withdrawn_it_lets_the_groups_go_that_it_was_for(
        self, prices, a_list, customer_groups
    ):
        club, staff = [await customer_groups.add(c, c) for c in ("club", "staff")]
        sale = await a_list(club, staff)
        other = await a_list(staff)

        await prices.remove_list(sale.id)

        await customer_groups.remove(club.id)
        with pytest.raises(CustomerGroupInUse):
            await customer_groups.remove(staff.id)
        await prices.remove_list(other.id)
        await customer_groups.remove(staff.id)

    async def test_there_is_one_of_a_code(self, a_list, prices):
        await a_list(code="summer")
        winter = await a_list(code="winter")

        with pytest.raises(DuplicatePriceList):
            await a_list(code="summer")
        with pytest.raises(DuplicatePriceList):
            await prices.change_list(winter.id, lambda n: replace(n, code="summer"))

    async def test_a_change_that_is_none_leaves_it(self, a_list, prices, clock):
        winter = await a_list(code="winter")
        clock.advance(seconds=1)

        assert await prices.change_list(winter.id, lambda n: n) == winter

    async def test_names_what_is_wrong(self, a_list, prices, clock):
        now = clock()
        with pytest.raises(PriceListInvalid) as refused:
            await a_list(kind="contract", period=(now, now))
        assert [f.pointer for f in refused.value.errors] == ["/ends_at", "/group_ids"]

        sale = await a_list()
        for groups, pointer in (([], "/group_ids"), ([new_id()], "/group_ids/0")):
            with pytest.raises(PriceListInvalid) as refused:
                await prices.change_list(
                    sale.id, lambda n, groups=groups: replace(n, group_ids=groups)
                )
            assert [f.pointer for f in refused.value.errors] == [pointer]


class TestGroups:
    async def test_there_is_one_of_a_code(self, customer_groups):
        await customer_groups.add("club", "Club")
        gold = await customer_groups.add("gold", "Gold")

        with pytest.raises(DuplicateCustomerGroup):
            await customer_groups.add("club", "Club")
        with pytest.raises(DuplicateCustomerGroup):
            await customer_groups.change(gold.id, lambda n: replace(n, code="club"))

    async def test_who_leaves_pays_what_everybody_pays(
        self, prices, a_list, a_product, a_price, costs, customer_groups, a_member
    ):
        await a_product("TEA")
        club = await customer_groups.add("club", "Club")
        ada = await a_member(club)
        await prices.set([a_price(700)], (await a_list(club)).id)
        inside = await costs(account_id=ada.account_id)

        await customer_groups.remove_member(club.id, ada.account_id)

        assert (inside, await costs(account_id=ada.account_id)) == (700, 999)
        with pytest.raises(GroupMemberNotFound):
            await customer_groups.remove_member(club.id, ada.account_id)

    async def test_put_into_it_twice_at_once_is_there_once(
        self, shop, customer_groups, a_member, promised
    ):
        club = await customer_groups.add("club", "Club")
        ada = await a_member()

        async def waits():
            return await shop.db.fetchval(_WAITING)

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            first = await pricing.add_member(
                tx, club.id, ada.account_id, by="test", at=shop.clock()
            )
            shop.clock.advance(seconds=1)
            second = tasks.create_task(
                customer_groups.add_member(club.id, ada.account_id)
            )
            await promised(waits)

        assert second.result() == first
        found = await pricing.find_group(shop.db, club.id)
        assert (found.version, found.members) == (2, 1)

    async def test_each_who_joins_at_once_raises_its_version(
        self, shop, customer_groups, a_member, promised
    ):
        club = await customer_groups.add("club", "Club")
        ada, eve = await a_member(), await a_member()

        async def waits():
            return await shop.db.fetchval(_WAITING)

        async with asyncio.TaskGroup() as tasks, shop.db.transaction() as tx:
            await pricing.add_member(
                tx, club.id, ada.account_id, by="test", at=shop.clock()
            )
            tasks.create_task(customer_groups.add_member(club.id, eve.account_id))
            await promised(waits)

        assert (await pricing.find_group(shop.db, club.id)).version == 3
        await customer_groups.remove_member(club.id, eve.account_id)
        assert (await pricing.find_group(shop.db, club.id)).version == 4

    async def test_only_accounts_can_join(self, customer_groups):
        club = await customer_groups.add("club", "Club")

        with pytest.raises(GroupMemberNotFound):
            await customer_groups.add_member(club.id, new_id())


class TestWorth:
    async def test_there_is_none_of_what_is_not_sold(self, costs):
        with pytest.raises(UnknownSku):
            await costs(sku="NONE")
