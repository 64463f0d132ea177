"""Whatever happens beside a merge of carts, each unit ends in one place."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain.identity import Guest
from holdfast.domain.ordering import (
    Address,
    CartAlreadyOrdered,
    CartMerged,
    CartNotFound,
)
from holdfast.domain.shipping import Method
from holdfast.kernel import tokens
from holdfast.kernel.errors import DomainError
from holdfast.workflows import cart_merging
from holdfast.workflows.carts import CartChange, LineWanted

HOME = Address("Ada Lovelace", "12 Main St", "London", "GB")
ROUNDS = 8


@pytest.fixture
def outcomes():
    """Do several things at once; returns what came of each."""

    async def run(*doing):
        async def one(job):
            try:
                return await job
            except DomainError as error:
                return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(job)) for job in doing]
        return [task.result() for task in tasks]

    return run


@pytest.fixture
def owned(shop):
    """How many units are in the open carts of somebody."""

    async def count(member):
        return await shop.db.fetchval(
            """
            SELECT coalesce(sum(quantity), 0)::int
            FROM carts c JOIN cart_lines l ON l.cart_id = c.id
            WHERE c.account_id = $1 AND c.status = 'open'
            """,
            member.account_id,
        )

    return count


class TestAtOnce:
    async def test_the_same_cart_twice(self, somebody, a_cart, merge, owned, outcomes):
        for has_cart in (True, False) * (ROUNDS // 2):
            ada = somebody()
            if has_cart:
                await a_cart(LineWanted("TEA", 1), caller=ada)
            guests = await a_cart(LineWanted("TEA", 2))

            carts = await outcomes(*(merge(guests, ada) for _ in range(4)))

            assert {cart.id for cart in carts} == {carts[0].id}
            assert await owned(ada) == 2 + has_cart

    async def test_many_carts_of_one_person(
        self, somebody, shop, a_cart, merge, owned, outcomes
    ):
        ada = somebody()
        guests = [await a_cart(LineWanted("TEA", n)) for n in range(1, 11)]

        await outcomes(*(merge(one, ada) for one in guests))

        assert await owned(ada) == 55
        own = await cart_merging.own(
            shop.db, shop.vault, ada.account_id, at=shop.clock()
        )
        assert [(line.sku, line.quantity) for line in own.lines] == [("TEA", 55)]

    async def test_two_people_with_one_cart(
        self, somebody, a_cart, merge, owned, outcomes
    ):
        for has_cart in (True, False) * (ROUNDS // 2):
            ada, bob = people = somebody(), somebody()
            if has_cart:
                await a_cart(caller=ada)
                await a_cart(caller=bob)
            guests = await a_cart(LineWanted("TEA", 2))

            told = await outcomes(merge(guests, ada), merge(guests, bob))

            assert [type(n) for n in told].count(CartNotFound) == 1
            assert sorted([await owned(one) for one in people]) == [0, 2]

    @pytest.mark.parametrize("side", ["guest", "account"])
    async def test_lines_are_added_meanwhile(
        self, somebody, carts, a_cart, merge, owned, outcomes, side
    ):
        for _ in range(ROUNDS):
            ada = somebody()
            theirs, _ = await a_cart(LineWanted("TEA", 1), caller=ada)
            cart, token = guests = await a_cart(LineWanted("TEA", 1))
            holder = Guest(tokens.fingerprint(token))
            where = (cart.id, holder) if side == "guest" else (theirs.id, ada)

            told = await outcomes(
                *(
                    carts.add_line(where[0], LineWanted("TEA", 1), where[1])
                    for _ in range(4)
                ),
                merge(guests, ada),
                *(
                    carts.add_line(where[0], LineWanted("TEA", 1), where[1])
                    for _ in range(4)
                ),
            )

            late = [error for error in told if isinstance(error, CartMerged)]
            assert len([n for n in told if isinstance(n, DomainError)]) == len(late)
            assert await owned(ada) == 2 + 8 - len(late)
            assert side == "guest" or not late

    @pytest.mark.parametrize("side", ["guest", "account"])
    async def test_the_cart_is_ordered_meanwhile(
        self,
        somebody,
        carts,
        a_cart,
        a_basket,
        check_out,
        merge,
        owned,
        outcomes,
        shop,
        side,
    ):
        basket = await a_basket(CUP=1)
        ready = CartChange("a@example.com", HOME, Method.PICKUP)
        for _ in range(ROUNDS):
            ada = somebody()
            theirs, _ = await a_cart(LineWanted("TEA", 1), caller=ada)
            cart, token = guests = await a_cart(LineWanted("TEA", 2))
            holder = Guest(tokens.fingerprint(token))
            await carts.change(theirs.id, ready, ada)
            await carts.change(cart.id, ready, holder)
            taken, caller = (cart, holder) if side == "guest" else (theirs, ada)
            buyer = replace(basket, cart=taken, caller=caller)

            paid, merged = await outcomes(
                check_out(buyer, key=f"{taken.id}"), merge(guests, ada)
            )

            ordered = await shop.db.fetchval(
                "SELECT coalesce(sum(l.quantity), 0)::int FROM order_lines l "
                "JOIN orders o ON o.id = l.order_id WHERE o.cart_id = $1",
                taken.id,
            )
            assert ordered + await owned(ada) == 3
            if side == "guest":
                assert isinstance(paid, CartMerged) != isinstance(
                    merged, CartAlreadyOrdered
                )
