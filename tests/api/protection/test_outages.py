"""A dependency that hangs or is gone leaves everything else alone."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.api.app import serving
from holdfast.api.shop import opened
from holdfast.domain.shipping import Method, Parcel, Source
from holdfast.kernel.clock import monotonic
from holdfast.platform.dependencies import CARRIER, PAYMENT
from holdfast.resilience.circuit import State

HANGING = 40
READS = 40
GERMANY = {
    "name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}


def to(street: str) -> dict[str, object]:
    """A cart that needs a price of the carrier's."""
    return {
        "email": "ada@example.com",
        "shipping_address": GERMANY | {"line1": street},
        "shipping_method": "standard",
        "lines": [{"sku": "TEA", "quantity": 1}],
    }


class TestHangingCarrier:
    async def test_products_are_read_while_carts_wait_for_it(
        self, client, shop, a_product, carrier
    ):
        await a_product("TEA", on_hand=1_000)
        listed = (await client.get("/v1/products")).json()["items"]
        product = f"/v1/products/{listed[0]['id']}"
        carrier.misbehave(fail="hang", on=["rates"])
        hanging = [
            asyncio.create_task(client.post("/v1/carts", json=to(f"{n} Main St")))
            for n in range(HANGING)
        ]
        await asyncio.sleep(0)
        waited = []
        for _ in range(READS):
            began = monotonic()
            assert (await client.get(product)).status_code == 200
            waited.append(monotonic() - began)

        # The patience for a price is two seconds here.
        assert sorted(waited)[READS // 2] < 0.5
        answers = [await task for task in hanging]
        # Some of so many carts at a time may have been shed; the others have a price.
        assert {answer.status_code for answer in answers} <= {201, 503}
        sources = {
            answer.json()["shipping"]["source"]
            for answer in answers
            if answer.status_code == 201
        }
        assert sources == {"flat_rate"}

    async def test_no_more_than_its_share_hangs_at_one_time(self, shop, carrier):
        carrier.misbehave(fail="hang", on=["rates"])
        guard, most = shop.circuits[CARRIER], 0
        parcels = [
            Parcel.of(country="DE", weight_grams=grams, currency="EUR")
            for grams in range(1, 3 * guard.limits.concurrent)
        ]
        tasks = [
            asyncio.create_task(shop.carrier.quote(Method.STANDARD, parcel))
            for parcel in parcels
        ]
        while not all(task.done() for task in tasks):
            most = max(most, guard.standing().in_use)
            await asyncio.sleep(0.01)

        assert {task.result().source for task in tasks} == {Source.FLAT_RATE}
        assert 0 < most <= guard.limits.concurrent
        assert carrier.get("/control/state")["calls"] <= 2 * guard.limits.concurrent


class TestOpenCircuit:
    @pytest.fixture
    def settings(self, settings):
        """Of a shop that would wait for a price for long."""
        return replace(settings, carrier_timeout_seconds=20)

    async def test_a_price_comes_at_once_and_says_what_it_is(
        self, client, shop, a_product, carrier
    ):
        await a_product("TEA", on_hand=10)
        shop.circuits.override({CARRIER: {"mode": "forced_open"}})
        carrier.misbehave(fail="hang")

        began = monotonic()
        answer = await client.post("/v1/carts", json=to("1 Main St"))

        assert monotonic() - began < 10
        assert answer.json()["shipping"]["source"] == "flat_rate"
        assert "holdfast_fallbacks_total" in shop.metrics.expose().decode()
        assert carrier.get("/control/state")["calls"] == 0

    async def test_a_checkout_is_refused_at_once_with_a_time_to_come_back(
        self, client, shop, a_bag, payment_provider
    ):
        bag = await a_bag(TEA=2)
        shop.circuits.override({PAYMENT: {"mode": "forced_open"}})

        refused = await bag.check_out("key-1")

        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/payment-unavailable"
        assert refused.headers["Retry-After"] == "60"
        assert payment_provider.get("/v1/charges")["items"] == []
        held = await client.get(
            f"/v1/carts/{bag.cart['id']}/reservation", headers=bag.owner
        )
        assert held.json()["lines"] == [{"sku": "TEA", "quantity": 2}]
        shop.circuits.override({})
        assert (await bag.check_out("key-1")).status_code == 201
        assert len(payment_provider.get("/v1/charges")["items"]) == 1


class TestGoneRedis:
    async def test_the_shop_goes_on_without_hints(self, settings, clock, hasher):
        nowhere = "redis://127.0.0.1:1/0"
        async with opened(
            replace(settings, redis_url=nowhere), clock=clock, hasher=hasher
        ) as shop:
            assert serving(shop) is not None
            shop.circuits.tick(monotonic())

            assert shop.circuits[PAYMENT].breaker.state is State.CLOSED
