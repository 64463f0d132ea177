"""Killed at every step there is, one after the other, nothing is lost or done twice.

The steps are not listed here: each thing is begun again and killed one step later,
until it comes to its end before that. A statement that is added is tried as well.
"""

import json
from datetime import timedelta

import pytest

from holdfast.domain.identity import Member, Operator
from holdfast.domain.ordering import OrderStatus
from holdfast.domain.shipping import Method
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import LEASE, Answer, Claim
from holdfast.worker.schedule import SETTLE_EVERY
from holdfast.workflows.cart_merging import Merging
from holdfast.workflows.carts import CartChange, CartWanted, Draft, LineWanted
from holdfast.workflows.drafts import Drafts
from holdfast.workflows.settlement import overdue_after

CLERK = Operator(new_id(), "clerk", frozenset({"orders:write", "carts:write"}))

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("impatient")]


def told(basket, method):
    claim = basket.claim("key-1", method)
    return {
        "cart_id": str(basket.cart.id),
        "token_hash": basket.cart.token_hash.hex(),
        "key": claim.key,
        "print": claim.fingerprint.hex(),
        "method": method,
    }


def answer(order):
    """As in dying.py."""
    body = {"id": str(order.id), "number": order.number, "status": order.status}
    return Answer(201, {}, json.dumps(body).encode())


def until_it_ends():
    """Steps, one after the other; there are never so many."""
    return range(1, 60)


class TestCheckout:
    # A payment that succeeds, one that is declined, and one whose answer is lost.
    WAYS = (
        pytest.param("pm_card_ok", True, id="paid-after"),
        pytest.param("pm_card_ok", False, id="paid-at"),
        pytest.param("pm_card_declined", True, id="declined-after"),
        pytest.param("pm_timeout_after", True, id="unknown-after"),
    )

    @pytest.fixture
    def kill(self, dies, a_basket):
        """Kill a checkout at one step after the other; returns the carts."""

        async def run(method, *, answered, prepare=None):
            baskets = []
            for step in until_it_ends():
                basket = await a_basket(TEA=1, on_hand=1000)
                if prepare is not None:
                    await prepare(basket)
                if not await dies(
                    "checkout", step, answered=answered, **told(basket, method)
                ):
                    return baskets
                baskets.append(basket)
            raise AssertionError("it never ended")

        return run

    @pytest.mark.parametrize(("method", "answered"), WAYS)
    async def test_the_timer_ends_what_was_begun(
        self, kill, let_the_timer_settle, books, level, method, answered
    ):
        killed = await kill(method, answered=answered)

        await let_the_timer_settle()

        found = await books()
        assert len(killed) >= 7
        assert found.of(OrderStatus.PENDING) == []
        carts = [order.cart_id for order in found.orders]
        assert len(carts) == len(set(carts))
        assert await level("TEA") == (1000, found.captured)

    @pytest.mark.parametrize(("method", "answered"), WAYS[:3])
    async def test_the_same_request_ends_it_and_is_told_the_same_again(
        self, kill, check_out, books, level, clock, method, answered
    ):
        killed = await kill(method, answered=answered)
        clock.advance(seconds=LEASE.total_seconds() + 1)

        for basket in killed:
            first, _ = await check_out(basket, method)
            again, replayed = await check_out(basket, method)
            assert (again, replayed) == (first, True)
            assert first.status in (201, 402)

        found = await books()
        assert found.of(OrderStatus.PENDING) == []
        paid = [order.cart_id for order in found.of(OrderStatus.CONFIRMED)]
        assert len(paid) == len(set(paid))
        assert await level("TEA") == (1000, found.captured)

    async def test_at_an_old_shipping_price_is_begun_again_at_a_new_one(
        self, shop, carts, kill, check_out, let_the_timer_settle, books, level, clock
    ):
        """The first try of it is undone, the carrier asked, and its price written."""

        async def as_of_long_ago(basket):
            sent = CartChange(shipping_method=Method.STANDARD)
            await carts.change(basket.cart.id, sent, basket.caller)
            await shop.db.fetch(
                "UPDATE carts SET shipping_amount = 1, shipping_quoted_at = NULL "
                "WHERE id = $1",
                basket.cart.id,
            )

        usual = await kill("pm_card_ok", answered=True)
        await let_the_timer_settle()
        killed = await kill("pm_card_ok", answered=True, prepare=as_of_long_ago)
        clock.advance(seconds=LEASE.total_seconds() + 1)

        for basket in killed:
            answer, _ = await check_out(basket, carrier=shop.carrier)
            assert answer.status in (201, 402)

        found = await books()
        assert len(killed) > len(usual)
        assert found.of(OrderStatus.PENDING) == []
        carts_killed = {basket.cart.id for basket in killed}
        ordered = [n for n in found.orders if n.cart_id in carts_killed]
        assert {order.shipping.price.amount for order in ordered} == {790}
        assert await level("TEA") == (1000, found.captured)


@pytest.mark.parametrize("answered", [True, False], ids=["after", "at"])
class TestTimer:
    @pytest.mark.parametrize("method", ["pm_card_ok", "pm_card_declined"])
    async def test_another_turn_ends_what_a_killed_one_left(
        self, dies, a_basket, let_the_timer_settle, books, level, method, answered
    ):
        for step in until_it_ends():
            basket = await a_basket(TEA=1, on_hand=1000)
            # Six statements reserve; the seventh step asks for the money.
            assert await dies("checkout", 7, **told(basket, method))
            if not await dies("timer", step, answered=answered, later=3600):
                break
            await let_the_timer_settle()

        found = await books()
        assert step > 5
        assert found.of(OrderStatus.PENDING) == []
        assert len(found.orders) == step
        # A charge that reaches the provider after somebody asked about it is refused
        # there, and its order fails.
        paid = found.of(OrderStatus.CONFIRMED)
        assert found.captured == len(paid)
        assert bool(paid) == (method == "pm_card_ok")
        assert await level("TEA") == (1000, found.captured)


@pytest.mark.parametrize("answered", [True, False], ids=["after", "at"])
class TestDraft:
    async def test_paid_to_the_shop_is_all_or_nothing(
        self, shop, dies, carts, a_basket, clock, level, answered
    ):
        ready = (await a_basket(TEA=1, on_hand=1000)).cart
        drafts = Drafts(carts)
        for step in until_it_ends():
            wanted = CartWanted(
                "EUR",
                [LineWanted("TEA", 1)],
                ready.email,
                ready.shipping_address,
                ready.shipping_method,
            )
            cart, _ = await carts.open(wanted, CLERK, draft=Draft())
            claim = Claim(CLERK.actor, "checkout", f"key-{step}", b"print")
            killed = await dies(
                "draft",
                step,
                answered=answered,
                cart_id=str(cart.id),
                clerk=str(CLERK.key_id),
                key=claim.key,
                print=claim.fingerprint.hex(),
            )
            answers = [
                await drafts.complete_outside(
                    cart.id,
                    "cash",
                    expected_total=None,
                    caller=CLERK,
                    claim=claim,
                    render=answer,
                )
                for _ in range(2)
            ]
            assert answers[0][0].body == answers[1][0].body
            assert [replayed for _, replayed in answers][1]
            if not killed:
                break

        assert step > 8
        assert await level("TEA") == (1000, step)
        confirmed = (
            "SELECT count(*) FROM outbox WHERE type = 'ordering.order.confirmed'"
        )
        assert await shop.db.fetchval(confirmed) == step
        assert await shop.db.fetchval("SELECT count(*) FROM orders") == step


@pytest.mark.parametrize("answered", [True, False], ids=["after", "at"])
class TestMerge:
    async def test_again_brings_everything_along_once(
        self, shop, dies, carts, a_basket, answered
    ):
        await a_basket(TEA=1, on_hand=1000)
        for step in until_it_ends():
            ada = Member(new_id(), new_id(), "store", frozenset({"carts:own"}))
            wanted = CartWanted("EUR", [LineWanted("TEA", 2)])
            await carts.open(wanted, ada)
            cart, token = await carts.open(wanted)
            killed = await dies(
                "merge",
                step,
                answered=answered,
                cart_id=str(cart.id),
                token=token,
                account_id=str(ada.account_id),
            )

            merged = await Merging(carts).merge(cart.id, token, ada.account_id)

            assert [(line.sku, line.quantity) for line in merged.lines] == [("TEA", 4)]
            if not killed:
                break

        assert step > 8


class TestTime:
    def test_what_a_dead_process_began_is_ended_within_thirty_seconds(self):
        """Of the worker's start: it has to be overdue, and the timer has to come."""
        longest = overdue_after(payment_timeout_seconds=8) + SETTLE_EVERY

        assert longest + timedelta(seconds=5) <= timedelta(seconds=30)
