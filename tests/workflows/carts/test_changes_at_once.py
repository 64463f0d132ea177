"""Many changes of one cart at once: none is lost, each is counted."""

import asyncio

import pytest

from holdfast.domain.ordering import CartChanged, CartLineNotFound
from holdfast.domain.shipping import Method
from holdfast.workflows.carts import CartChange, LineWanted


class TestChangesAtOnce:
    async def test_are_all_there_and_each_is_counted(self, carts, a_basket, look):
        basket = await a_basket(TEA=1, CUP=1, POT=1, on_hand=1000)
        cart, who = basket.cart, basket.caller
        lines = {line.sku: line.id for line in cart.lines}

        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(carts.add_line(cart.id, LineWanted("TEA", 2), who))
            for quantity in range(10, 16):
                group.create_task(
                    carts.change_line(cart.id, lines["CUP"], quantity, who)
                )
            group.create_task(carts.remove_line(cart.id, lines["POT"], who))
            for email in ("a@example.com", "b@example.com", "c@example.com"):
                group.create_task(carts.change(cart.id, CartChange(email=email), who))
            for method in (Method.STANDARD, Method.EXPRESS, Method.PICKUP, None):
                change = CartChange(shipping_method=method)
                group.create_task(carts.change(cart.id, change, who))

        found = await look(cart)
        assert found.version == cart.version + 20
        assert sorted(line.sku for line in found.lines) == ["CUP"] + ["TEA"] * 7
        cups = next(line for line in found.lines if line.sku == "CUP")
        assert cups.quantity in range(10, 16)
        assert found.email in ("a@example.com", "b@example.com", "c@example.com")
        assert (found.shipping is None) == (found.shipping_method is None)

    async def test_a_line_is_removed_once(self, carts, a_basket, look):
        basket = await a_basket(TEA=1, CUP=1)
        line_id = basket.cart.lines[0].id
        told = []

        async def remove():
            try:
                await carts.remove_line(basket.cart.id, line_id, basket.caller)
            except CartLineNotFound:
                told.append("not there")
            else:
                told.append("removed")

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(remove())

        assert sorted(told) == ["not there"] * 9 + ["removed"]
        assert (await look(basket.cart)).version == basket.cart.version + 1


class TestVersions:
    async def test_of_many_who_read_the_same_one_changes_it(
        self, carts, a_basket, look
    ):
        basket = await a_basket(TEA=1)
        line_id, told, refusals = basket.cart.lines[0].id, [], set()

        async def change(quantity):
            try:
                cart = await carts.change_line(
                    *(basket.cart.id, line_id, quantity, basket.caller),
                    versions={basket.cart.version},
                )
            except CartChanged as refused:
                refusals.add(refused.version)
            else:
                told.append((quantity, cart.version))

        async with asyncio.TaskGroup() as group:
            for quantity in range(2, 12):
                group.create_task(change(quantity))

        ((quantity, version),) = told
        found = await look(basket.cart)
        assert (found.lines[0].quantity, found.version) == (quantity, version)
        assert refusals == {basket.cart.version + 1} == {version}

    async def test_a_refused_change_changes_nothing(self, carts, a_basket, look):
        basket = await a_basket(TEA=1)

        for doing in (
            carts.add_line(
                basket.cart.id, LineWanted("TEA", 1), basket.caller, versions={2}
            ),
            carts.remove_line(
                basket.cart.id, basket.cart.lines[0].id, basket.caller, versions=()
            ),
            carts.change(
                basket.cart.id, CartChange(email=None), basket.caller, versions={7}
            ),
        ):
            with pytest.raises(CartChanged):
                await doing

        assert await look(basket.cart) == basket.cart
