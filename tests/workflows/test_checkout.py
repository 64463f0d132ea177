"""A cart becomes one paid order, or nothing at all, whatever the provider does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from holdfast.domain import inventory, ordering
from holdfast.domain.identity import Operator
from holdfast.domain.inventory import OutOfStock
from holdfast.domain.ordering import (
    CartAlreadyOrdered,
    CartStatus,
    OrderStatus,
)
from holdfast.domain.payments import PaymentUnavailable, UnknownPaymentMethod
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform import http
from holdfast.workflows.providers import providers

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def nobody_pays(settings):
    """A provider whose connections nobody takes."""
    url = "http://127.0.0.1:1"
    async with http.session() as session:
        yield providers(replace(settings, payment_url=url), session).payments


class TestPaid:
    async def test_an_order_is_paid_sold_and_announced_in_one_commit(
        self, shop, a_basket, check_out, books, level, clock, events
    ):
        basket = await a_basket(TEA=3)

        answer, replayed = await check_out(basket)

        order = await ordering.find(
            shop.db, shop.vault, msgspec.json.decode(answer.body)["id"]
        )
        assert (answer.status, replayed) == (201, False)
        assert order.status is OrderStatus.CONFIRMED
        assert order.total == Money(2997, "EUR")
        assert order.settled_at == clock()
        assert await level("TEA") == (10, 3)
        assert (await books()).captured == 1
        assert await events() == [("ordering.order.confirmed", str(order.id))]
        cart = await ordering.find_cart(shop.db, shop.vault, basket.cart.id)
        assert cart.status is CartStatus.ORDERED

    async def test_the_answer_is_kept_and_given_again_in_the_same_bytes(
        self, a_basket, check_out, books
    ):
        basket = await a_basket(TEA=3)

        first, _ = await check_out(basket)
        second, replayed = await check_out(basket)

        assert second == first
        assert replayed
        assert (await books()).captured == 1

    async def test_an_order_of_nothing_is_paid_by_itself(
        self, shop, a_basket, check_out, nobody_pays
    ):
        basket = await a_basket(GIFT=1, price=Money(0, "EUR"))

        answer, _ = await check_out(basket, payments=nobody_pays)

        assert answer.status == 201
        (order,) = (
            await ordering.latest(shop.db, shop.vault, after=None, limit=9)
        ).items
        assert order.payment_reference == "nothing_due"

    async def test_an_operator_may_check_out_a_guests_cart(self, a_basket, check_out):
        basket = await a_basket(TEA=1)
        operator = Operator(new_id(), "till", frozenset({"orders:write"}))

        answer, _ = await check_out(basket, caller=operator)

        assert answer.status == 201


class TestDeclined:
    @pytest.mark.parametrize("method", ["pm_card_declined", "pm_insufficient_funds"])
    async def test_frees_the_stock_opens_the_cart_and_says_why(
        self, shop, a_basket, check_out, books, level, method, events
    ):
        basket = await a_basket(TEA=3)

        answer, _ = await check_out(basket, method)

        (order,) = (await books()).orders
        assert answer.status == 402
        assert order.failure_reason == method.removeprefix("pm_")
        assert await level("TEA") == (10, 0)
        assert await events() == [("ordering.order.failed", str(order.id))]

    async def test_is_an_answer_that_is_kept(self, a_basket, check_out, books):
        basket = await a_basket(TEA=3)

        first, _ = await check_out(basket, "pm_card_declined")
        second, replayed = await check_out(basket, "pm_card_declined")

        assert (second, replayed) == (first, True)
        assert len((await books()).orders) == 1

    async def test_leaves_the_buyer_a_second_try(
        self, a_basket, check_out, books, level
    ):
        basket = await a_basket(TEA=3)
        await check_out(basket, "pm_card_declined")

        answer, _ = await check_out(basket, key="key-2")

        assert answer.status == 201
        assert [n.status for n in (await books()).orders] == ["confirmed", "failed"]
        assert await level("TEA") == (10, 3)


class TestUnavailable:
    """It is certain that nothing was charged: as if nothing had been asked."""

    async def test_nobody_to_pay_gives_the_key_back(
        self, a_basket, check_out, nobody_pays, books, level
    ):
        basket = await a_basket(TEA=3)

        with pytest.raises(PaymentUnavailable):
            await check_out(basket, payments=nobody_pays)

        assert await level("TEA") == (10, 0)
        (failed,) = (await books()).orders
        assert failed.failure_reason == "provider_unavailable"
        answer, replayed = await check_out(basket)
        assert (answer.status, replayed) == (201, False)
        assert (await books()).captured == 1

    async def test_a_cart_keeps_its_stock_while_nobody_can_be_paid(
        self, a_basket, check_out, nobody_pays, books, level, shop, clock
    ):
        basket = await a_basket(TEA=3, POT=1)

        with pytest.raises(PaymentUnavailable):
            await check_out(basket, payments=nobody_pays, keeps=TEN_MINUTES)

        assert (await level("TEA"), await level("POT")) == ((10, 3), (10, 1))
        hold = inventory.hold_id(basket.cart.id, basket.cart.token_hash)
        held = await inventory.reserved_for(shop.db, hold)
        assert {one.expires_at for one in held} == {clock() + TEN_MINUTES}
        stranger = await a_basket(TEA=8)
        with pytest.raises(OutOfStock):
            await check_out(stranger, key="key-2")
        clock.advance(minutes=9)
        with pytest.raises(PaymentUnavailable):
            await check_out(basket, payments=nobody_pays, keeps=TEN_MINUTES)
        clock.advance(minutes=9)

        answer, _ = await check_out(basket, keeps=TEN_MINUTES)

        assert answer.status == 201
        assert await level("TEA") == (10, 3)
        assert await inventory.reserved_for(shop.db, hold) == []
        assert (await books()).captured == 1

    async def test_stock_that_nobody_comes_back_for_is_free_again(
        self, a_basket, check_out, nobody_pays, clock
    ):
        with pytest.raises(PaymentUnavailable):
            await check_out(
                await a_basket(TEA=3), payments=nobody_pays, keeps=TEN_MINUTES
            )
        clock.advance(minutes=11)

        answer, _ = await check_out(await a_basket(TEA=10), key="key-2")

        assert answer.status == 201

    async def test_a_declined_payment_keeps_nothing(self, a_basket, check_out, level):
        await check_out(await a_basket(TEA=3), "pm_card_declined", keeps=TEN_MINUTES)

        assert await level("TEA") == (10, 0)

    async def test_a_method_nobody_knows_gives_the_key_back(
        self, a_basket, check_out, books, level
    ):
        basket = await a_basket(TEA=3)

        with pytest.raises(UnknownPaymentMethod):
            await check_out(basket, "pm_shells")

        assert await level("TEA") == (10, 0)
        answer, replayed = await check_out(basket)
        assert (answer.status, replayed) == (201, False)

    async def test_those_who_wait_with_the_same_key_try_for_themselves(
        self, a_basket, check_out, nobody_pays, books
    ):
        basket = await a_basket(TEA=3)

        async def one():
            with pytest.raises(PaymentUnavailable):
                await check_out(basket, payments=nobody_pays)

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(one())

        assert (await books()).captured == 0


@pytest.mark.usefixtures("impatient")
class TestUnclear:
    """Nobody knows whether the money moved: the order waits for the truth."""

    @pytest.mark.slow
    @pytest.mark.parametrize("method", ["pm_timeout_before", "pm_error", "pm_garbage"])
    async def test_is_pending_until_the_timer_has_asked(
        self, a_basket, check_out, books, level, let_the_timer_settle, method
    ):
        basket = await a_basket(TEA=3)

        answer, _ = await check_out(basket, method)

        assert answer.status == 202
        assert await level("TEA") == (10, 3)
        assert await let_the_timer_settle() == 1
        (order,) = (await books()).orders
        assert order.status == "failed"
        assert order.failure_reason == "canceled"
        assert await level("TEA") == (10, 0)
        again, replayed = await check_out(basket, method)
        assert (again, replayed) == (answer, True)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "method", ["pm_timeout_after", "pm_error_after", "pm_garbage_after"]
    )
    async def test_a_charge_whose_answer_was_lost_is_found_at_once(
        self, a_basket, check_out, books, level, method
    ):
        basket = await a_basket(TEA=3)

        answer, _ = await check_out(basket, method)

        assert answer.status == 201
        assert (await books()).captured == 1
        assert await level("TEA") == (10, 3)

    @pytest.mark.slow
    async def test_a_slow_charge_is_waited_for(
        self, settings, a_basket, check_out, books
    ):
        basket = await a_basket(TEA=3)
        async with http.session() as session:
            patient = replace(settings, payment_timeout_seconds=8)
            payments = providers(patient, session).payments

            answer, _ = await check_out(basket, "pm_slow", payments=payments)

        assert answer.status == 201
        assert (await books()).captured == 1

    @pytest.mark.parametrize(
        "fail", ["error", "error_after", "garbage", "garbage_after", "reset", "hang"]
    )
    async def test_an_attempt_that_fails_is_made_again_and_charges_once(
        self, a_basket, check_out, books, payment_provider, fail
    ):
        basket = await a_basket(TEA=3)
        payment_provider.misbehave(fail=fail, count=1)

        answer, _ = await check_out(basket)

        assert answer.status == 201
        assert (await books()).captured == 1
        assert payment_provider.get("/control/state")["struck"] == 1

    @pytest.mark.slow
    async def test_while_the_provider_is_silent_the_order_stays_pending(
        self, a_basket, check_out, books, let_the_timer_settle, shop, nobody_pays
    ):
        basket = await a_basket(TEA=3)
        await check_out(basket, "pm_timeout_before")

        silent, shop.payments = shop.payments, nobody_pays
        assert await let_the_timer_settle() == 0
        shop.payments = silent
        assert [n.status for n in (await books()).orders] == ["pending"]
        assert await let_the_timer_settle() == 1


class TestManyAtOnce:
    async def test_twenty_identical_requests_are_one_order_and_one_answer(
        self, a_basket, check_out, books, level
    ):
        basket = await a_basket(TEA=3)

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(check_out(basket)) for _ in range(20)]

        answers = [task.result() for task in sent]
        assert {answer.body for answer, _ in answers} == {answers[0][0].body}
        assert sorted(replayed for _, replayed in answers) == [False] + [True] * 19
        found = await books()
        assert (len(found.orders), found.captured) == (1, 1)
        assert await level("TEA") == (10, 3)

    async def test_of_many_keys_on_one_cart_one_orders(
        self, a_basket, check_out, books
    ):
        basket = await a_basket(TEA=3)
        answers, refused = [], []

        async def one(key):
            try:
                answers.append(await check_out(basket, key=key))
            except CartAlreadyOrdered as error:
                refused.append(error.order_id)

        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(one(f"key-{number}"))

        (order,) = (await books()).orders
        assert [answer.status for answer, _ in answers] == [201]
        assert refused == [order.id] * 11

    @pytest.mark.slow
    async def test_the_last_units_are_sold_once(
        self, a_basket, check_out, books, level
    ):
        baskets = [await a_basket(TEA=2, on_hand=15) for _ in range(25)]
        answers, short = [], []

        async def one(basket):
            try:
                answers.append(await check_out(basket))
            except OutOfStock as error:
                short.append(error)

        async with asyncio.TaskGroup() as group:
            for basket in baskets:
                group.create_task(one(basket))

        assert (len(answers), len(short)) == (7, 18)
        assert (await books()).captured == 7
        assert await level("TEA") == (15, 14)

    async def test_a_change_acknowledged_before_the_checkout_is_in_the_order(
        self, shop, carts, a_basket, check_out, books
    ):
        """Edits race the checkout: each is in the order, or refused as too late."""
        basket = await a_basket(TEA=1, on_hand=1000)
        (line,) = basket.cart.lines
        acknowledged, some = [], asyncio.Event()

        async def edit():
            for quantity in range(2, 40):
                try:
                    cart = await carts.change_line(
                        basket.cart.id, line.id, quantity, basket.caller
                    )
                except CartAlreadyOrdered:
                    return
                acknowledged.append(cart.lines[0].quantity)
                if len(acknowledged) == 5:
                    some.set()

        async def buy():
            await some.wait()
            await check_out(basket)

        async with asyncio.TaskGroup() as group:
            group.create_task(edit())
            group.create_task(buy())

        (order,) = (await books()).orders
        assert [line.quantity for line in order.lines] == [acknowledged[-1]]
