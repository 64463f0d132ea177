"""Who names the total they saw is never charged another one, and is told both."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain.ordering import Address, TotalChanged, VariantUnavailable
from holdfast.domain.shipping import Method
from holdfast.kernel.money import Money
from holdfast.workflows.carts import CartChange, LineWanted
from holdfast.workflows.catalog import change_product

PARIS = Address("Ada Lovelace", "1 rue de Rivoli", "Paris", "FR")


@pytest.fixture
def sell_at(shop):
    """Change the catalogue's price of the one product, or take it off sale."""

    async def change(price, **fields):
        product_id = await shop.db.fetchval("SELECT id FROM products")

        def other(draft):
            (variant,) = draft.variants
            return replace(draft, variants=(replace(variant, price=price),), **fields)

        await change_product(shop.db, product_id, other, clock=shop.clock)

    return change


@pytest.fixture
async def changes(carts, a_basket, sell_at):
    """A basket of two TEA at 9.99, to be picked up, and ways to change its total."""
    basket = await a_basket(TEA=2)
    cart, who = basket.cart, basket.caller
    line_id = cart.lines[0].id
    standard = CartChange(shipping_address=PARIS, shipping_method=Method.STANDARD)
    return basket, {
        "price": lambda: sell_at(Money(1099, "EUR")),
        "cheaper": lambda: sell_at(Money(1, "EUR")),
        "shipping": lambda: carts.change(cart.id, standard, who),
        "more": lambda: carts.change_line(cart.id, line_id, 3, who),
        "another line": lambda: carts.add_line(cart.id, LineWanted("TEA", 1), who),
    }


class TestExpectedTotal:
    @pytest.mark.parametrize(
        ("change", "total"),
        [
            ("price", 2198),
            ("cheaper", 2),
            ("shipping", 2388),
            ("more", 2997),
            ("another line", 2997),
        ],
    )
    async def test_guards_against_every_change(
        self, changes, check_out, books, level, change, total
    ):
        basket, ways = changes
        seen = basket.cart.total
        await ways[change]()

        with pytest.raises(TotalChanged) as refused:
            await check_out(basket, expected=seen)

        assert (refused.value.expected, refused.value.total) == (
            Money(1998, "EUR"),
            Money(total, "EUR"),
        )
        assert (await books()).orders == []
        assert await level("TEA") == (10, 0)
        answer, _ = await check_out(basket, expected=Money(total, "EUR"))
        assert answer.status == 201
        assert (await books()).captured_amount == total

    async def test_guards_when_a_line_is_gone(self, carts, a_basket, check_out):
        basket = await a_basket(TEA=1, CUP=1)
        cup = next(n for n in basket.cart.lines if n.sku == "CUP")
        await carts.remove_line(basket.cart.id, cup.id, basket.caller)

        with pytest.raises(TotalChanged) as refused:
            await check_out(basket, expected=basket.cart.total)

        assert refused.value.total == Money(999, "EUR")

    async def test_what_is_not_sold_any_more_is_named_at_an_unchanged_total(
        self, changes, check_out, sell_at
    ):
        basket, _ = changes
        await sell_at(Money(999, "EUR"), status="archived")

        with pytest.raises(VariantUnavailable) as refused:
            await check_out(basket, expected=basket.cart.total)

        assert refused.value.skus == ["TEA"]

    async def test_the_same_amount_of_another_currency_is_another_total(
        self, changes, check_out
    ):
        basket, _ = changes

        with pytest.raises(TotalChanged):
            await check_out(basket, expected=Money(1998, "USD"))

    async def test_changes_that_race_the_checkout_are_in_the_total_or_too_late(
        self, carts, a_basket, check_out, books
    ):
        for number in range(8):
            basket = await a_basket(TEA=1, on_hand=1000)

            async def add(basket=basket):
                line = LineWanted("TEA", 1)
                try:
                    await carts.add_line(basket.cart.id, line, basket.caller)
                except Exception as error:  # noqa: BLE001 - looked at below
                    return error
                return None

            async def buy(basket=basket, number=number):
                try:
                    await check_out(
                        basket, key=f"key-{number}", expected=Money(999, "EUR")
                    )
                except TotalChanged as error:
                    return error
                return None

            async with asyncio.TaskGroup() as group:
                added, bought = group.create_task(add()), group.create_task(buy())

            assert (added.result() is None) == (bought.result() is not None)

        found = await books()
        assert {order.total for order in found.orders} <= {Money(999, "EUR")}
