"""What sending costs is asked for again when it is too old to be charged.

The carrier here names what it is told to. What it says when it is down (the last quote
of a quarter of an hour, else a flat rate) is tested where that is decided.
"""

from dataclasses import replace

import pytest

from holdfast.domain import ordering
from holdfast.domain.identity import Guest, Operator
from holdfast.domain.ordering import Address, CartAlreadyOrdered, TotalChanged
from holdfast.domain.shipping import Method, Quote, Source
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows.carts import CartWanted, Draft, LineWanted
from holdfast.workflows.drafts import Drafts

PARIS = Address("Ada Lovelace", "1 rue de Rivoli", "Paris", "FR")
CLERK = Operator(new_id(), "clerk", frozenset({"orders:write", "carts:write"}))
FALLBACKS = (Source.LAST_QUOTE, Source.FLAT_RATE)


def euros(cents):
    return Money(cents, "EUR")


class Tariff:
    """A carrier that names the price it is told to, and counts who asks."""

    def __init__(self):
        self.quote_is = Quote(euros(390), Source.CARRIER)
        self.asked = 0
        self.meanwhile = None

    def says(self, cents, source=Source.CARRIER):
        self.quote_is = Quote(euros(cents), source)

    def recall(self, *_):
        return None

    async def quote(self, *_):
        self.asked += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return self.quote_is


@pytest.fixture
def tariff():
    return Tariff()


@pytest.fixture
def sent(carts, tariff, a_product, a_basket):
    """A basket of one TEA at 9.99, to be sent; the carrier was asked once."""

    async def fill(**more):
        basket = await a_basket(TEA=1)
        wanted = CartWanted(
            "EUR", [LineWanted("TEA", 1)], "ada@example.com", PARIS, Method.STANDARD
        )
        cart, token = await replace(carts, carrier=tariff).open(wanted, **more)
        assert tariff.asked == 1
        return replace(basket, cart=cart, caller=Guest(tokens.fingerprint(token)))

    return fill


@pytest.fixture
def order(check_out, tariff, books):
    """Check a basket out; returns the order."""

    async def place(basket, **more):
        answer, _ = await check_out(basket, carrier=tariff, **more)
        assert answer.status == 201
        return (await books()).orders[0]

    return place


class TestRecent:
    async def test_is_charged_and_nobody_is_asked(self, sent, order, tariff, clock):
        basket = await sent()
        tariff.says(450)
        clock.advance(minutes=14)

        placed = await order(basket)

        assert placed.shipping.price == euros(390)
        assert tariff.asked == 1

    @pytest.mark.parametrize("source", FALLBACKS)
    async def test_without_the_carrier_is_charged_for_a_minute(
        self, sent, order, tariff, clock, source
    ):
        tariff.says(990, source)
        basket = await sent()
        tariff.says(390)
        clock.advance(seconds=60)

        placed = await order(basket)

        assert (placed.shipping.price, placed.shipping.source) == (euros(990), source)
        assert tariff.asked == 1

    async def test_to_be_picked_up_costs_nothing_for_ever(
        self, a_basket, order, tariff, clock
    ):
        basket = await a_basket(TEA=1)
        clock.advance(days=20)

        placed = await order(basket)

        assert placed.shipping.source == Source.SHOP
        assert tariff.asked == 0


class TestOld:
    async def test_is_asked_for_again(self, shop, sent, order, tariff, clock):
        basket = await sent()
        tariff.says(450)
        clock.advance(minutes=14, seconds=1)

        placed = await order(basket)

        assert (placed.shipping.price, placed.total) == (euros(450), euros(1449))
        assert placed.shipping.source == Source.CARRIER
        assert tariff.asked == 2
        cart = await ordering.find_cart(shop.db, shop.vault, basket.cart.id)
        assert cart.shipping == placed.shipping
        assert cart.shipping_quoted_at == clock()

    async def test_another_total_than_the_buyer_saw_is_told_and_not_charged(
        self, shop, sent, check_out, order, tariff, clock, level
    ):
        basket = await sent()
        tariff.says(450)
        clock.advance(minutes=15)

        with pytest.raises(TotalChanged) as refused:
            await check_out(basket, carrier=tariff, expected=euros(1389))

        told = (refused.value.expected, refused.value.total)
        assert told == (euros(1389), euros(1449))
        assert await level("TEA") == (10, 0)
        cart = await ordering.find_cart(shop.db, shop.vault, basket.cart.id)
        assert (cart.total, cart.version) == (euros(1449), basket.cart.version)
        placed = await order(basket, expected=euros(1449))
        assert placed.total == euros(1449)
        assert tariff.asked == 2, "what was told a moment ago is charged"

    async def test_the_same_total_is_charged(self, sent, order, tariff, clock):
        basket = await sent()
        clock.advance(hours=9)

        placed = await order(basket, expected=euros(1389))

        assert placed.total == euros(1389)
        assert tariff.asked == 2

    @pytest.mark.parametrize("source", FALLBACKS)
    async def test_without_the_carrier_gives_way_to_the_carriers(
        self, sent, order, tariff, clock, source
    ):
        tariff.says(990, source)
        basket = await sent()
        tariff.says(390)
        clock.advance(seconds=61)

        placed = await order(basket)

        assert placed.shipping.price == euros(390)
        assert placed.shipping.source == Source.CARRIER

    @pytest.mark.parametrize("source", FALLBACKS)
    async def test_while_the_carrier_is_down_the_order_says_so(
        self, sent, order, tariff, clock, source
    ):
        basket = await sent()
        tariff.says(990, source)
        clock.advance(minutes=20)

        placed = await order(basket)

        assert (placed.shipping.price, placed.shipping.source) == (euros(990), source)
        assert tariff.asked == 2

    async def test_of_unknown_age_is_asked_for(self, shop, sent, order, tariff):
        """As an older release wrote it."""
        basket = await sent()
        await shop.db.fetch("UPDATE carts SET shipping_quoted_at = NULL")
        tariff.says(450)

        assert (await order(basket)).total == euros(1449)

    async def test_a_cart_whose_address_is_gone_is_incomplete_as_ever(
        self, shop, sent, check_out, tariff, clock
    ):
        basket = await sent()
        await shop.db.fetch("UPDATE carts SET sealed = NULL")
        clock.advance(hours=1)

        with pytest.raises(ordering.CartIncomplete):
            await check_out(basket, carrier=tariff)

        assert tariff.asked == 1


class TestMeanwhile:
    async def test_a_change_of_the_cart_is_ordered_at_its_own_price(
        self, shop, carts, sent, order, tariff, clock
    ):
        basket = await sent()
        clock.advance(hours=1)

        other = Tariff()
        other.says(777)

        async def add():
            doing = replace(carts, carrier=other)
            await doing.add_line(basket.cart.id, LineWanted("TEA", 1), basket.caller)

        tariff.meanwhile = add
        tariff.says(1)

        placed = await order(basket)

        assert len(placed.lines) == 2
        assert placed.shipping.price == euros(777)

    async def test_an_order_of_the_cart_is_the_only_one(
        self, sent, check_out, order, tariff, clock, books
    ):
        basket = await sent()
        clock.advance(hours=1)

        async def buy():
            await check_out(basket, key="another tab", carrier=Tariff())

        tariff.meanwhile = buy

        with pytest.raises(CartAlreadyOrdered):
            await check_out(basket, carrier=tariff)

        assert (await books()).captured == 1


class TestDraft:
    async def test_paid_to_the_shop_itself_costs_what_was_paid(
        self, carts, sent, tariff, clock
    ):
        basket = await sent(caller=CLERK, draft=Draft())
        tariff.says(450)
        clock.advance(days=3)

        await Drafts(carts).complete_outside(
            basket.cart.id,
            "transfer",
            expected_total=euros(1389),
            caller=CLERK,
            claim=Claim(CLERK.actor, "checkout", "key", b"print"),
            render=lambda _: Answer(201, {}, b""),
        )

        page = await ordering.latest(carts.db, carts.vault, after=None, limit=9)
        (placed,) = page.items
        assert placed.total == euros(1389)
        assert tariff.asked == 1
