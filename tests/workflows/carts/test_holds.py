"""What is held for a cart is what its order gets, whoever made the hold."""

from datetime import timedelta

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import OutOfStock, Wanted
from holdfast.workflows.cart_expiry import expire_idle
from holdfast.workflows.carts import LineWanted


@pytest.fixture
def hold(shop, clock):
    """Hold everything in a cart for some minutes, in the name of somebody."""

    async def make(cart, owner, *, minutes=10):
        wanted = [Wanted(n.variant_id, n.sku, n.quantity) for n in cart.lines]
        async with shop.db.transaction() as tx:
            await inventory.reserve(
                tx,
                inventory.hold_id(cart.id, owner),
                wanted,
                at=clock(),
                expires_at=clock() + timedelta(minutes=minutes),
            )

    return make


@pytest.fixture
def held(shop):
    async def read(cart, owner):
        holder_id = inventory.hold_id(cart.id, owner)
        return {
            one.sku: (one.quantity, one.expires_at)
            for one in await inventory.reserved_for(shop.db, holder_id)
        }

    return read


class TestCheckout:
    @pytest.mark.parametrize("owner", ["guest", "shop"])
    async def test_gets_the_units_that_were_held(
        self, a_basket, check_out, hold, level, owner
    ):
        basket = await a_basket(TEA=10)
        await hold(basket.cart, basket.cart.token_hash if owner == "guest" else owner)
        other = await a_basket(TEA=1)
        with pytest.raises(OutOfStock):
            await check_out(other)

        answer, _ = await check_out(basket)

        assert answer.status == 201
        assert await level("TEA") == (10, 10)

    async def test_gets_the_units_that_its_account_held(
        self, a_cart, carts, a_basket, check_out, hold, level, ada
    ):
        basket = await a_basket(CUP=1)
        ready = {
            "email": "a@example.com",
            "shipping_address": basket.cart.shipping_address,
            "shipping_method": basket.cart.shipping_method,
        }
        cart, _ = await a_cart(LineWanted("TEA", 1000), caller=ada, **ready)
        await hold(cart, ada.account_id)

        await check_out(type(basket)(cart, ada))

        assert await level("TEA") == (1000, 1000)

    async def test_holds_of_other_carts_stay(self, a_basket, check_out, hold, level):
        basket, other = await a_basket(TEA=4), await a_basket(TEA=6)
        await hold(other.cart, other.cart.token_hash)

        await check_out(basket)

        assert await level("TEA") == (10, 10)
        await check_out(other)
        assert await level("TEA") == (10, 10)

    async def test_less_than_was_held_frees_the_rest(
        self, carts, a_basket, check_out, hold, level
    ):
        basket = await a_basket(TEA=10)
        await hold(basket.cart, basket.cart.token_hash)
        line = basket.cart.lines[0].id
        await carts.change_line(basket.cart.id, line, 4, basket.caller)

        await check_out(basket)

        assert await level("TEA") == (10, 4)


class TestMerging:
    async def test_what_the_guest_held_the_account_holds(
        self, a_cart, merge, hold, held, level, ada, clock
    ):
        theirs, _ = await a_cart(LineWanted("TEA", 600), caller=ada)
        cart, _ = guests = await a_cart(LineWanted("TEA", 400))
        await hold(theirs, ada.account_id, minutes=3)
        await hold(cart, cart.token_hash)

        await merge(guests, ada)

        until = clock() + timedelta(minutes=10)
        assert await held(theirs, ada.account_id) == {"TEA": (1000, until)}
        assert await held(cart, cart.token_hash) == {}
        assert await level("TEA") == (1000, 1000)

    async def test_a_cart_that_becomes_theirs_keeps_its_hold(
        self, a_cart, merge, hold, held, ada, clock
    ):
        cart, _ = guests = await a_cart(LineWanted("TEA", 400))
        await hold(cart, cart.token_hash)

        await merge(guests, ada)

        until = clock() + timedelta(minutes=10)
        assert await held(cart, ada.account_id) == {"TEA": (400, until)}

    async def test_a_hold_that_is_over_is_not_renewed(
        self, a_cart, merge, hold, held, ada, clock
    ):
        cart, _ = guests = await a_cart(LineWanted("TEA", 400))
        await hold(cart, cart.token_hash)
        clock.advance(minutes=10)

        await merge(guests, ada)

        assert await held(cart, ada.account_id) == {}


class TestExpiry:
    async def test_frees_what_was_held(self, shop, a_basket, hold, level, clock):
        basket = await a_basket(TEA=4)
        clock.advance(days=31)
        for owner in (basket.cart.token_hash, "shop"):
            await hold(basket.cart, owner)

        await expire_idle(shop.db, idle=timedelta(days=30), clock=clock)

        assert await level("TEA") == (10, 0)
