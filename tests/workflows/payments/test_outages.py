"""While the provider is down nobody waits, nothing is lost, nothing is paid twice."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain.ordering import OrderStatus
from holdfast.domain.payments import PaymentUnavailable
from holdfast.platform import http
from holdfast.platform.circuits import Circuits
from holdfast.platform.dependencies import PAYMENT
from holdfast.resilience.circuit import State
from holdfast.workflows.providers import providers

BUYERS = 12


@pytest.fixture
def circuit(shop):
    return shop.circuits[PAYMENT].breaker


async def fates(check_out, baskets, **how):
    """What becomes of checkouts at the same time: statuses, or the error."""

    async def one(number, basket):
        try:
            answer, _ = await check_out(basket, key=f"key-{number}", **how)
        except PaymentUnavailable:
            return "unavailable"
        return answer.status

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(n, b)) for n, b in enumerate(baskets)]
    return Counter(task.result() for task in tasks)


class TestGone:
    """Nobody takes the connection."""

    async def test_buyers_are_told_at_once_when_to_come_back(
        self, settings, a_basket, check_out, level
    ):
        circuits = Circuits()
        nowhere = "http://127.0.0.1:1"
        basket = await a_basket(TEA=3)
        async with http.session() as session:
            gone = providers(
                replace(settings, payment_url=nowhere), session, circuits=circuits
            ).payments
            while circuits[PAYMENT].breaker.state is State.CLOSED:
                with pytest.raises(PaymentUnavailable):
                    await check_out(basket, payments=gone)

            with pytest.raises(PaymentUnavailable) as refused:
                await check_out(basket, payments=gone)

        assert 0 < refused.value.retry_after_seconds <= 2.4
        assert await level("TEA") == (10, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
class TestHanging:
    """It takes requests, acts on them or not, and says nothing."""

    @pytest.mark.parametrize("fail", ["hang", "hang_after"])
    async def test_what_is_not_known_stays_open_until_it_is(
        self,
        a_basket,
        check_out,
        books,
        circuit,
        payment_provider,
        let_the_timer_settle,
        promised,
        fail,
    ):
        baskets = [await a_basket(on_hand=500, TEA=1) for _ in range(3 * BUYERS)]
        payment_provider.misbehave(fail=fail, on=["charge", "lookup"])

        first = await fates(check_out, baskets[:BUYERS])
        second = await fates(check_out, baskets[BUYERS : 2 * BUYERS])

        # Nobody is told that it failed who may have paid.
        assert set(first) == {202}
        assert circuit.state is not State.CLOSED
        assert set(second) <= {202, "unavailable"}
        assert second["unavailable"] > 0
        before = payment_provider.get("/control/state")["calls"]
        third = await fates(check_out, baskets[2 * BUYERS :])
        assert third == {"unavailable": BUYERS} or third[202] <= 3
        asked = payment_provider.get("/control/state")["calls"] - before
        # Who is refused at once has asked nobody.
        assert asked <= (12 if 202 in third else 0)

        payment_provider.misbehave()

        async def settled():
            await let_the_timer_settle()
            return not (await books()).of(OrderStatus.PENDING)

        await promised(settled)
        found = await books()
        paid = found.of(OrderStatus.CONFIRMED)
        assert found.captured == len(paid)
        if fail == "hang":
            assert found.captured == 0

    async def test_it_closes_again_when_the_provider_is_well(
        self, a_basket, check_out, books, circuit, payment_provider, promised
    ):
        payment_provider.misbehave(fail="hang", on=["charge", "lookup"])
        baskets = [await a_basket(on_hand=500, TEA=1) for _ in range(BUYERS)]
        while circuit.state is State.CLOSED:
            await fates(check_out, baskets, keeps=timedelta(minutes=10))
        payment_provider.misbehave()
        newcomers = iter([await a_basket(TEA=1) for _ in range(60)])
        number = iter(range(1_000, 2_000))

        async def closed():
            try:
                await check_out(next(newcomers), key=f"key-{next(number)}")
            except PaymentUnavailable:
                await asyncio.sleep(0.25)
            return circuit.state is State.CLOSED

        await promised(closed)
        found = await books()
        assert found.captured == len(found.of(OrderStatus.CONFIRMED)) > 0
