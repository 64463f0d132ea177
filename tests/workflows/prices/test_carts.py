from datetime import timedelta

import pytest

from holdfast.domain.identity import Guest, Operator
from holdfast.domain.ordering import CurrencyMismatch, TotalChanged, VariantUnavailable
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import carts as workflows
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.cart_merging import Merging
from holdfast.workflows.carts import CartWanted, Draft
from holdfast.workflows.drafts import DraftChange, Drafts
from holdfast.workflows.placing import place

SHOP = Operator(new_id(), "Shop", frozenset({"carts:write", "orders:write"}))


@pytest.fixture
async def tea(a_product):
    return await a_product("TEA", on_hand=1000, price=Money(1000, "EUR"))


@pytest.fixture
def opened(carts, tea):
    """Open a cart of so many TEA in as many lines; returns it and its token."""

    async def run(*quantities, currency="EUR", caller=None):
        lines = [LineWanted("TEA", n) for n in quantities]
        wanted = CartWanted(currency, lines)
        return await carts.open(wanted, *([caller] if caller else []))

    return run


@pytest.fixture
def unit_prices(shop):
    """The unit prices of a cart as its buyer sees it now."""

    async def read(cart, token):
        found = await workflows.find_priced(
            shop.db,
            shop.vault,
            cart.id,
            Guest(tokens.fingerprint(token)),
            at=shop.clock(),
        )
        return [line.unit_price.amount for line in found.lines]

    return read


class TestCart:
    async def test_is_in_any_currency_that_there_are_prices_in(
        self, prices, a_price, opened
    ):
        with pytest.raises(CurrencyMismatch):
            await opened(1, currency="USD")
        await prices.set([a_price(1200, currency="USD")])

        cart, _ = await opened(2, currency="USD")

        assert cart.total == Money(2400, "USD")

    async def test_units_of_a_variant_count_together_whatever_line_they_are_in(
        self, prices, a_price, opened, unit_prices, carts, clock
    ):
        await prices.set([a_price(800, least=10)])
        cart, token = await opened(4, 5)
        guest = Guest(tokens.fingerprint(token))
        before = await unit_prices(cart, token)

        cart, _ = await carts.add_line(cart.id, LineWanted("TEA", 1), guest)
        added = [line.unit_price.amount for line in cart.lines]
        cart = await carts.change_line(cart.id, cart.lines[0].id, 3, guest)
        fewer = [line.unit_price.amount for line in cart.lines]

        assert (before, added, fewer) == ([1000] * 2, [800] * 3, [1000] * 3)

    async def test_follows_the_clock(self, prices, a_price, opened, unit_prices, clock):
        cart, token = await opened(1)
        now = clock()
        tomorrow = (now + timedelta(days=1), now + timedelta(days=2))
        await prices.set([a_price(700, period=tomorrow)])

        found = []
        for _ in range(3):
            found += await unit_prices(cart, token)
            clock.advance(days=1)

        assert found == [1000, 700, 1000]

    async def test_what_has_lost_its_price_costs_nothing_and_cannot_be_ordered(
        self, prices, a_price, a_list, opened, shop, carts
    ):
        sale = await a_list()
        await prices.set([a_price(1200, currency="USD")], sale.id)
        cart, _ = await opened(1, currency="USD")
        await prices.remove_list(sale.id)

        found = await workflows.find_priced(
            *(shop.db, shop.vault, cart.id, SHOP), at=shop.clock()
        )

        (line,) = found.lines
        assert (line.for_sale, found.total) == (False, Money(0, "USD"))

    async def test_has_the_prices_of_the_groups_of_whoever_brings_it_along(
        self, prices, a_price, a_list, opened, carts, customer_groups, a_member
    ):
        club = await customer_groups.add("club", "Club")
        ada = await a_member(club)
        await prices.set([a_price(900)], (await a_list(club)).id)
        cart, token = await opened(1)

        theirs = await Merging(carts).merge(cart.id, token, ada.account_id)

        assert (cart.total.amount, theirs.total.amount) == (1000, 900)

    async def test_two_that_become_one_have_the_price_of_all_their_units(
        self, prices, a_price, opened, carts, a_member
    ):
        ada = await a_member()
        await prices.set([a_price(800, least=10)])
        await opened(6, caller=ada)
        guests, token = await opened(6)

        both = await Merging(carts).merge(guests.id, token, ada.account_id)

        assert both.total == Money(12 * 800, "EUR")

    async def test_a_draft_is_priced_for_whom_it_is_for(
        self, prices, a_price, a_list, tea, carts, customer_groups, a_member
    ):
        trade = await customer_groups.add("trade", "Trade")
        dealer = await a_member(trade)
        agreed = await a_list(trade, kind="contract")
        await prices.set([a_price(1500)], agreed.id)
        wanted = CartWanted("EUR", [LineWanted("TEA", 1)])

        theirs, _ = await carts.open(wanted, SHOP, draft=Draft(dealer.account_id))
        nobodys, _ = await carts.open(wanted, SHOP, draft=Draft())
        given = await Drafts(carts).change(
            nobodys.id, DraftChange(account_id=dealer.account_id), SHOP
        )

        found = [cart.total.amount for cart in (theirs, nobodys, given.cart)]
        assert found == [1500, 1000, 1500]

    async def test_an_operators_price_stays_what_it_is(
        self, prices, a_price, tea, carts, unit_prices
    ):
        line = LineWanted("TEA", 20, Money(950, "EUR"))
        cart, token = await carts.open(CartWanted("EUR", [line]), SHOP)
        await prices.set([a_price(100)])

        assert await unit_prices(cart, token) == [950]


class TestOrder:
    @pytest.fixture
    def placed(self, shop):
        """Order a basket, expecting it to cost so much."""

        async def run(basket, expected=None):
            async with shop.db.transaction() as tx:
                return await place(
                    *(tx, shop.vault, basket.cart.id, basket.caller),
                    order_id=new_id(),
                    expected=expected,
                    at=shop.clock(),
                )

        return run

    async def test_is_charged_what_holds_at_its_moment(
        self, prices, a_price, a_basket, placed, clock, shop
    ):
        basket = await a_basket(TEA=2)
        now = clock()
        await prices.set([a_price(500, period=(now, now + timedelta(hours=1)))])

        order = await placed(basket)
        clock.advance(hours=2)

        assert [line.unit_price.amount for line in order.lines] == [500]
        assert order.subtotal == Money(1000, "EUR")

    async def test_is_not_made_at_another_price_than_its_buyer_saw(
        self, prices, a_price, a_basket, placed
    ):
        basket = await a_basket(TEA=2)
        seen = basket.cart.total
        await prices.set([a_price(1, least=2)])

        with pytest.raises(TotalChanged):
            await placed(basket, seen)

    async def test_is_not_made_of_what_has_no_price(
        self, prices, a_price, a_basket, placed, shop
    ):
        basket = await a_basket(TEA=1)
        async with shop.db.statement() as tx:
            await tx.execute("UPDATE variants SET currency = 'USD'")

        with pytest.raises(VariantUnavailable):
            await placed(basket)
