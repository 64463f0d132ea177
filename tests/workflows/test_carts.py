"""Carts show today's prices, and a shipping price that fits what is in them."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain.identity import Anonymous, Guest, Operator
from holdfast.domain.ordering import (
    Address,
    CartBusy,
    CartLineNotFound,
    CartNotFound,
    CartTooLarge,
    CurrencyMismatch,
    QuantityOutOfRange,
    TotalTooLarge,
    UnknownSku,
    VariantUnavailable,
)
from holdfast.domain.shipping import Method, Quote, Source
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import MAX_AMOUNT, Money
from holdfast.workflows import carts as workflows
from holdfast.workflows.carts import CartChange, CartWanted, LineWanted
from holdfast.workflows.catalog import change_product

ADA = Address("Ada Lovelace", "12 Main St", "London", "GB")
GERMANY = replace(ADA, country="DE")
OPERATOR = Operator(new_id(), "till", frozenset({"carts:write"}))


def wanted(*lines: LineWanted, **fields) -> CartWanted:
    return CartWanted(**({"currency": "EUR", "lines": lines} | fields))


@pytest.fixture
async def sent(carts, a_product):
    """A cart of one TEA of 100 g on its way to Germany, standard."""
    await a_product("TEA", weight_grams=100)
    cart, _ = await carts.open(
        wanted(
            LineWanted("TEA", 1),
            email="ada@example.com",
            shipping_address=GERMANY,
            shipping_method=Method.STANDARD,
        )
    )
    return cart


class TestOpen:
    async def test_a_cart_is_stored_as_it_is_shown(self, shop, carts, a_product):
        await a_product("TEA")
        asked = wanted(LineWanted("TEA", 2), LineWanted("TEA", 1, Money(5, "EUR")))

        cart, token = await carts.open(asked)

        found = await workflows.find(shop.db, shop.vault, cart.id, OPERATOR)
        assert found == cart
        assert token.startswith("hfc_")
        assert [line.total.amount for line in cart.lines] == [1998, 5]

    async def test_lines_keep_their_order(self, carts, a_product):
        for sku in ("B", "A", "C"):
            await a_product(sku)

        cart, _ = await carts.open(wanted(*(LineWanted(s, 1) for s in "BACABC")))

        assert [line.sku for line in cart.lines] == list("BACABC")

    async def test_what_nobody_sells_is_named(self, carts, a_product):
        await a_product("TEA")

        with pytest.raises(UnknownSku) as refused:
            await carts.open(wanted(*(LineWanted(s, 1) for s in ("POT", "TEA", "CUP"))))

        assert refused.value.skus == ["CUP", "POT"]

    @pytest.mark.parametrize("status", ["draft", "archived"])
    async def test_what_is_not_for_sale_is_named(self, carts, a_product, status):
        await a_product("TEA", status=status)

        with pytest.raises(VariantUnavailable) as refused:
            await carts.open(wanted(LineWanted("TEA", 1)))

        assert refused.value.skus == ["TEA"]

    async def test_prices_of_another_currency_do_not_mix(self, carts, a_product):
        await a_product("TEA", price=Money(1, "USD"))

        with pytest.raises(CurrencyMismatch):
            await carts.open(wanted(LineWanted("TEA", 1)))
        with pytest.raises(CurrencyMismatch):
            await carts.open(wanted(LineWanted("TEA", 1, Money(1, "USD"))))

    async def test_a_total_beyond_measure_is_refused(self, carts, a_product):
        await a_product("GOLD", price=Money(MAX_AMOUNT, "EUR"))

        with pytest.raises(TotalTooLarge):
            await carts.open(wanted(LineWanted("GOLD", 1), LineWanted("GOLD", 1)))

    async def test_bounds_hold_whoever_asks(self, carts):
        with pytest.raises(CartTooLarge):
            await carts.open(wanted(*[LineWanted("TEA", 1)] * 1001))
        with pytest.raises(QuantityOutOfRange):
            await carts.open(wanted(LineWanted("TEA", 0)))


class TestFind:
    async def test_is_for_the_owner_and_for_operators(self, shop, a_basket):
        basket = await a_basket(TEA=1)

        for caller in (basket.caller, OPERATOR):
            assert (
                await workflows.find(shop.db, shop.vault, basket.cart.id, caller)
                == basket.cart
            )
        for stranger in (Anonymous(), Guest(b"x"), replace(OPERATOR, scopes=())):
            with pytest.raises(CartNotFound):
                await workflows.find(shop.db, shop.vault, basket.cart.id, stranger)

    async def test_prices_are_those_of_today(self, shop, a_basket):
        basket = await a_basket(TEA=1)
        product_id = await shop.db.fetchval("SELECT id FROM products")

        def dearer(draft):
            (variant,) = draft.variants
            return replace(
                draft, variants=(replace(variant, price=Money(2000, "EUR")),)
            )

        await change_product(shop.db, product_id, dearer, clock=shop.clock)

        found = await workflows.find(shop.db, shop.vault, basket.cart.id, basket.caller)
        assert found.total == Money(2000, "EUR")


class TestShipping:
    async def test_is_priced_by_the_carrier(self, sent):
        assert sent.shipping.price == Money(390, "EUR")
        assert sent.shipping.source == Source.CARRIER
        assert sent.total == Money(1389, "EUR")

    async def test_has_no_price_until_it_is_known_where_to(self, carts, a_product):
        await a_product("TEA")

        cart, _ = await carts.open(
            wanted(LineWanted("TEA", 1), shipping_method=Method.STANDARD)
        )

        assert (cart.shipping_method, cart.shipping) == ("standard", None)

    async def test_is_priced_anew_when_the_weight_changes(self, carts, sent):
        heavier = await carts.change_line(sent.id, sent.lines[0].id, 10, OPERATOR)
        lighter = await carts.change_line(sent.id, sent.lines[0].id, 1, OPERATOR)

        assert heavier.shipping.price == Money(490, "EUR")
        assert lighter.shipping.price == Money(390, "EUR")

    async def test_is_priced_anew_when_the_destination_changes(self, carts, sent):
        changed = await carts.change(
            sent.id, CartChange(shipping_address=replace(ADA, country="US")), OPERATOR
        )

        assert changed.shipping.price == Money(1290, "EUR")

    async def test_a_change_without_a_carrier_is_kept_at_a_flat_rate(
        self, shop, carts, sent, carrier
    ):
        carrier.misbehave(fail="hang")

        changed = await carts.change_line(sent.id, sent.lines[0].id, 10, OPERATOR)

        assert changed.shipping.price == Money(990, "EUR")
        assert changed.shipping.source == Source.FLAT_RATE
        found = await workflows.find(shop.db, shop.vault, sent.id, OPERATOR)
        assert found == replace(changed, updated_at=found.updated_at)

    async def test_clearing_the_address_takes_the_price_away(self, carts, sent):
        changed = await carts.change(
            sent.id, CartChange(shipping_address=None), OPERATOR
        )

        assert (changed.shipping_method, changed.shipping) == ("standard", None)
        assert changed.email == "ada@example.com"

    async def test_of_many_changes_at_once_none_is_lost(self, shop, carts, sent):
        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(
                    carts.add_line(sent.id, LineWanted("TEA", 1), OPERATOR)
                )

        found = await workflows.find(shop.db, shop.vault, sent.id, OPERATOR)
        assert len(found.lines) == 13
        assert found.version == 13
        assert found.shipping.price == Money(490, "EUR")

    async def test_a_cart_that_never_holds_still_is_busy(
        self, shop, carts, sent, a_product
    ):
        """Somebody changes the weight each time the carrier has been asked."""
        await a_product("LEAD", weight_grams=600)

        class Fidgety:
            """Asks the real carrier while somebody else changes the cart."""

            def recall(self, *asked):
                return None

            async def quote(self, *asked):
                await carts.add_line(sent.id, LineWanted("LEAD", 1), OPERATOR)
                return Quote(Money(1, "EUR"), Source.CARRIER)

        with pytest.raises(CartBusy):
            await replace(carts, carrier=Fidgety()).add_line(
                sent.id, LineWanted("LEAD", 1), OPERATOR
            )

        found = await workflows.find(shop.db, shop.vault, sent.id, OPERATOR)
        assert len(found.lines) == 6


class TestLines:
    async def test_are_added_changed_and_taken_out(self, carts, a_basket, a_product):
        basket = await a_basket(TEA=1)
        await a_product("CUP")

        added, line_id = await carts.add_line(
            basket.cart.id, LineWanted("CUP", 2), basket.caller
        )
        changed = await carts.change_line(basket.cart.id, line_id, 5, basket.caller)
        removed = await carts.remove_line(
            basket.cart.id, basket.cart.lines[0].id, basket.caller
        )

        assert [(n.sku, n.quantity) for n in added.lines] == [("TEA", 1), ("CUP", 2)]
        assert [(n.sku, n.quantity) for n in changed.lines] == [("TEA", 1), ("CUP", 5)]
        assert [(n.sku, n.quantity) for n in removed.lines] == [("CUP", 5)]

    async def test_those_that_are_not_there_are_not_found(self, carts, a_basket):
        basket = await a_basket(TEA=1)

        with pytest.raises(CartLineNotFound):
            await carts.change_line(basket.cart.id, new_id(), 5, basket.caller)
        with pytest.raises(CartLineNotFound):
            await carts.remove_line(basket.cart.id, new_id(), basket.caller)

    async def test_strangers_change_nothing(self, shop, carts, a_basket):
        basket = await a_basket(TEA=1)
        line_id, stranger = basket.cart.lines[0].id, Guest(b"stranger")

        for doing in (
            carts.add_line(basket.cart.id, LineWanted("TEA", 1), stranger),
            carts.change_line(basket.cart.id, line_id, 5, stranger),
            carts.remove_line(basket.cart.id, line_id, stranger),
            carts.change(basket.cart.id, CartChange(email=None), stranger),
        ):
            with pytest.raises(CartNotFound):
                await doing

        found = await workflows.find(shop.db, shop.vault, basket.cart.id, basket.caller)
        assert found == basket.cart

    async def test_quantities_have_bounds(self, carts, a_basket):
        basket = await a_basket(TEA=1)

        with pytest.raises(QuantityOutOfRange):
            await carts.change_line(
                basket.cart.id, basket.cart.lines[0].id, 0, basket.caller
            )

    async def test_a_change_that_makes_the_total_too_large_is_undone(
        self, shop, carts, a_basket
    ):
        basket = await a_basket(GOLD=1, price=Money(MAX_AMOUNT, "EUR"))

        with pytest.raises(TotalTooLarge):
            await carts.change_line(
                basket.cart.id, basket.cart.lines[0].id, 2, basket.caller
            )

        found = await workflows.find(shop.db, shop.vault, basket.cart.id, basket.caller)
        assert found.lines[0].quantity == 1
