"""What stands in the way of an order leaves no trace of the attempt."""

from dataclasses import replace

import msgspec
import pytest

from holdfast.domain.identity import Anonymous, Guest, Operator
from holdfast.domain.inventory import OutOfStock
from holdfast.domain.ordering import (
    CartAlreadyOrdered,
    CartEmpty,
    CartIncomplete,
    CartNotFound,
    CartStatus,
    TotalChanged,
    VariantUnavailable,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import IdempotencyKeyReused
from holdfast.workflows.carts import CartChange
from holdfast.workflows.catalog import change_product


class TestRefused:
    """Nothing happens, and the key may be used again."""

    @pytest.fixture
    async def untouched(self, shop, books, events):
        async def check(cart_status=CartStatus.OPEN):
            found = await books()
            assert (found.orders, found.captured) == ([], 0)
            assert await events() == []
            keys = await shop.db.fetchval("SELECT count(*) FROM idempotency_keys")
            assert keys == 0
            statuses = await shop.db.fetch("SELECT DISTINCT status FROM carts")
            assert [row["status"] for row in statuses] == [cart_status]

        return check

    async def test_when_the_stock_is_short(
        self, a_basket, check_out, untouched, shop, level
    ):
        basket = await a_basket(TEA=11, CUP=1)

        with pytest.raises(OutOfStock) as refused:
            await check_out(basket)

        assert [(s.sku, s.available) for s in refused.value.shortages] == [("TEA", 10)]
        assert await level("CUP") == (10, 0)
        await untouched()

    async def test_when_the_cart_is_empty(self, a_basket, check_out, untouched):
        basket = await a_basket()

        with pytest.raises(CartEmpty):
            await check_out(basket)

        await untouched()

    async def test_when_something_is_missing(
        self, a_basket, carts, check_out, untouched
    ):
        basket = await a_basket(TEA=1)
        await carts.change(basket.cart.id, CartChange(email=None), basket.caller)

        with pytest.raises(CartIncomplete) as refused:
            await check_out(basket)

        assert refused.value.missing == ["email"]
        await untouched()

    async def test_when_a_product_was_taken_out_of_the_shop(
        self, shop, a_basket, check_out, untouched
    ):
        basket = await a_basket(TEA=1)
        product_id = await shop.db.fetchval("SELECT id FROM products")
        await change_product(
            shop.db,
            product_id,
            lambda draft: replace(draft, status="archived"),
            clock=shop.clock,
        )

        with pytest.raises(VariantUnavailable) as refused:
            await check_out(basket)

        assert refused.value.skus == ["TEA"]
        await untouched()

    async def test_when_the_total_is_not_what_the_buyer_saw(
        self, a_basket, check_out, untouched
    ):
        basket = await a_basket(TEA=1)

        with pytest.raises(TotalChanged) as refused:
            await check_out(basket, expected=Money(998, "EUR"))

        assert refused.value.total == Money(999, "EUR")
        await untouched()
        answer, _ = await check_out(basket, expected=Money(999, "EUR"))
        assert answer.status == 201

    @pytest.mark.parametrize(
        "stranger",
        [
            Anonymous(),
            Guest(b"other"),
            Operator(new_id(), "x", frozenset({"carts:write"})),
        ],
    )
    async def test_when_the_cart_is_somebody_elses(
        self, a_basket, check_out, untouched, stranger
    ):
        basket = await a_basket(TEA=1)

        with pytest.raises(CartNotFound):
            await check_out(basket, caller=stranger)

        await untouched()
        await check_out(basket)
        with pytest.raises(CartNotFound):
            await check_out(basket, caller=stranger, key="key-2")

    async def test_when_there_is_no_such_cart(self, a_basket, check_out, untouched):
        basket = await a_basket(TEA=1)
        nowhere = replace(basket, cart=replace(basket.cart, id=new_id()))

        with pytest.raises(CartNotFound):
            await check_out(nowhere)

        await untouched()

    async def test_when_the_cart_was_ordered_with_another_key(
        self, a_basket, check_out, books
    ):
        basket = await a_basket(TEA=1)
        answer, _ = await check_out(basket)

        with pytest.raises(CartAlreadyOrdered) as refused:
            await check_out(basket, key="key-2")

        order_id = msgspec.json.decode(answer.body)["id"]
        assert str(refused.value.order_id) == order_id
        assert (await books()).captured == 1

    async def test_when_the_key_stands_for_another_request(self, a_basket, check_out):
        basket = await a_basket(TEA=1)
        await check_out(basket)

        with pytest.raises(IdempotencyKeyReused):
            await check_out(basket, "pm_card_declined")
