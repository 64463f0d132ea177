"""What a guest chose is theirs once they sign in: none of it lost, none of it twice."""

from dataclasses import replace

import pytest

from holdfast.domain import ordering
from holdfast.domain.identity import Guest
from holdfast.domain.ordering import (
    MAX_LINES,
    MAX_QUANTITY,
    Address,
    CartAlreadyOrdered,
    CartBusy,
    CartExpired,
    CartMerged,
    CartNotFound,
    CartStatus,
    CartTooLarge,
    TotalTooLarge,
)
from holdfast.domain.shipping import Method
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import cart_merging
from holdfast.workflows import carts as workflows
from holdfast.workflows.cart_expiry import expire_idle
from holdfast.workflows.cart_merging import Merging
from holdfast.workflows.carts import LineWanted

HOME = Address("Ada Lovelace", "12 Main St", "London", "GB")
OFFICE = replace(HOME, line1="1 Mill Lane", country="DE")


def units(cart):
    return sorted((line.sku, line.quantity) for line in cart.lines)


class TestWithoutACartOfTheAccount:
    async def test_the_guests_cart_becomes_theirs(self, shop, a_cart, merge, ada):
        guests = await a_cart(LineWanted("TEA", 2), email="ada@example.com")

        merged = await merge(guests, ada)

        assert merged.id == guests[0].id
        assert (merged.account_id, units(merged)) == (ada.account_id, [("TEA", 2)])
        own = await cart_merging.own(
            shop.db, shop.vault, ada.account_id, at=shop.clock()
        )
        assert own == merged
        assert own.email == "ada@example.com"

    async def test_its_token_opens_it_no_more(self, shop, a_cart, merge, ada):
        """Who else knows it must not read the address that is added later."""
        cart, token = guests = await a_cart(LineWanted("TEA", 2))
        await merge(guests, ada)

        with pytest.raises(CartNotFound):
            await workflows.find(
                shop.db, shop.vault, cart.id, Guest(tokens.fingerprint(token))
            )

    async def test_one_in_another_currency_is_no_cart_to_merge_with(
        self, shop, a_cart, merge, ada
    ):
        dollars, _ = await a_cart(LineWanted("POT", 1), caller=ada, currency="USD")
        guests = await a_cart(LineWanted("TEA", 2))

        merged = await merge(guests, ada)

        assert (merged.id, merged.account_id) == (guests[0].id, ada.account_id)
        found = await ordering.find_cart(shop.db, shop.vault, dollars.id)
        assert (found.status, units(found)) == (CartStatus.OPEN, [("POT", 1)])


class TestWithACartOfTheAccount:
    async def test_lines_of_a_sku_are_summed(self, a_cart, merge, look, ada):
        theirs, _ = await a_cart(
            LineWanted("TEA", 1), LineWanted("TEA", 1), LineWanted("CUP", 1), caller=ada
        )
        guests = await a_cart(
            LineWanted("TEA", 2), LineWanted("POT", 1), LineWanted("TEA", 3)
        )

        merged = await merge(guests, ada)

        assert merged.id == theirs.id
        assert units(merged) == [("CUP", 1), ("POT", 1), ("TEA", 1), ("TEA", 6)]
        assert await look(theirs) == merged
        assert merged.version == theirs.version + 1

    async def test_the_guests_cart_is_closed_and_forgets_its_buyer(
        self, shop, a_cart, merge, look, ada
    ):
        theirs, _ = await a_cart(caller=ada)
        cart, token = guests = await a_cart(
            LineWanted("TEA", 2), email="ada@example.com", shipping_address=HOME
        )
        await merge(guests, ada)

        closed = await look(cart)
        assert (closed.status, closed.merged_into) == (CartStatus.MERGED, theirs.id)
        assert (closed.email, closed.shipping_address) == (None, None)
        for caller, leads_to in (
            (Guest(tokens.fingerprint(token)), None),
            (ada, theirs.id),
        ):
            with pytest.raises(CartMerged) as gone:
                await workflows.find(shop.db, shop.vault, cart.id, caller)
            assert gone.value.cart_id == leads_to

    async def test_a_closed_cart_is_neither_changed_nor_ordered(
        self, carts, a_cart, a_basket, check_out, merge, ada
    ):
        await a_cart(caller=ada)
        basket = await a_basket(CUP=1)
        cart, token = guests = await a_cart(LineWanted("TEA", 2))
        await merge(guests, ada)
        holder = Guest(tokens.fingerprint(token))

        with pytest.raises(CartMerged):
            await carts.add_line(cart.id, LineWanted("TEA", 1), holder)
        with pytest.raises(CartMerged):
            await check_out(replace(basket, cart=cart, caller=holder))

    async def test_prices_of_operators_stay_on_their_own_lines(
        self, a_cart, merge, ada
    ):
        await a_cart(LineWanted("TEA", 1), caller=ada)
        guests = await a_cart(
            LineWanted("TEA", 2), LineWanted("TEA", 4, Money(50, "EUR"))
        )

        merged = await merge(guests, ada)

        assert sorted((n.quantity, n.unit_price.amount) for n in merged.lines) == [
            (3, 100),
            (4, 50),
        ]

    async def test_who_buys_is_taken_over_only_where_nothing_was_said(
        self, a_cart, merge, ada
    ):
        await a_cart(email="ada@work.example", caller=ada)
        guests = await a_cart(
            LineWanted("TEA", 1),
            email="ada@example.com",
            shipping_address=OFFICE,
            shipping_method=Method.STANDARD,
        )

        merged = await merge(guests, ada)

        assert merged.email == "ada@work.example"
        assert (merged.shipping_address, merged.shipping_method) == (OFFICE, "standard")
        assert merged.shipping.price == Money(390, "EUR")

    async def test_shipping_is_priced_for_what_is_in_it_now(
        self, carts, a_cart, merge, look, ada
    ):
        theirs, _ = await a_cart(
            LineWanted("TEA", 1),
            shipping_address=OFFICE,
            shipping_method=Method.STANDARD,
            caller=ada,
        )
        assert theirs.shipping.price == Money(390, "EUR")

        merged = await merge(await a_cart(LineWanted("TEA", 9)), ada)

        assert merged.shipping.price == Money(490, "EUR")
        assert await look(theirs) == merged

    async def test_a_line_holds_as_many_as_a_line_may(self, a_cart, merge, ada):
        await a_cart(LineWanted("TEA", MAX_QUANTITY - 1), caller=ada)

        merged = await merge(await a_cart(LineWanted("TEA", 5)), ada)

        assert units(merged) == [("TEA", MAX_QUANTITY)]

    async def test_what_does_not_fit_changes_neither(self, a_cart, merge, look, ada):
        theirs, _ = await a_cart(*[LineWanted("CUP", 1)] * MAX_LINES, caller=ada)
        cart, _ = guests = await a_cart(LineWanted("TEA", 1))

        with pytest.raises(CartTooLarge):
            await merge(guests, ada)

        assert (await look(theirs), await look(cart)) == (theirs, cart)

    async def test_a_total_beyond_measure_changes_neither(
        self, carts, a_cart, merge, look, ada
    ):
        dear = Money(10**15 - 1, "EUR")
        theirs, _ = await a_cart(LineWanted("TEA", 1, dear), caller=ada)
        cart, _ = guests = await a_cart(LineWanted("TEA", 1, dear))

        with pytest.raises((TotalTooLarge, CartBusy)):
            await merge(guests, ada)

        assert (await look(theirs), await look(cart)) == (theirs, cart)


class TestWho:
    async def test_without_the_token_there_is_no_such_cart(self, a_cart, merge, ada):
        cart, _ = await a_cart(LineWanted("TEA", 1))

        for token in (tokens.new_token(tokens.CART), "hfc_x", ""):
            with pytest.raises(CartNotFound):
                await merge((cart, token), ada)

    async def test_a_cart_of_another_account_is_not_there(
        self, a_cart, merge, ada, somebody
    ):
        with pytest.raises(CartNotFound):
            await merge(await a_cart(LineWanted("TEA", 1), caller=somebody()), ada)

    async def test_nobody_made_it(self, a_cart, merge, ada):
        cart, token = await a_cart(LineWanted("TEA", 1))

        with pytest.raises(CartNotFound):
            await merge((replace(cart, id=new_id()), token), ada)

    async def test_an_ordered_cart_names_its_order(
        self, a_basket, carts, check_out, shop, ada
    ):
        basket = await a_basket(TEA=1)
        answer, _ = await check_out(basket)
        token = tokens.new_token(tokens.CART)
        await shop.db.fetch(
            "UPDATE carts SET token_hash = $1 RETURNING id", tokens.fingerprint(token)
        )

        with pytest.raises(CartAlreadyOrdered) as refused:
            await Merging(carts).merge(basket.cart.id, token, ada.account_id)

        assert str(refused.value.order_id) in answer.body.decode()

    async def test_an_expired_cart_is_gone(self, shop, a_cart, merge, ada, clock):
        guests = await a_cart(LineWanted("TEA", 1))
        clock.advance(days=31)
        await expire_idle(shop.db, idle=clock() - guests[0].created_at, clock=clock)
        await shop.db.fetch("UPDATE carts SET status = 'expired' RETURNING id")

        with pytest.raises(CartExpired):
            await merge(guests, ada)

    async def test_asked_again_it_shows_where_things_are(self, a_cart, merge, ada):
        """The answer was lost on its way, and the client does not know."""
        theirs, _ = await a_cart(LineWanted("TEA", 1), caller=ada)
        guests = await a_cart(LineWanted("TEA", 2))

        first, second = await merge(guests, ada), await merge(guests, ada)

        assert first == second
        assert (second.id, units(second)) == (theirs.id, [("TEA", 3)])
