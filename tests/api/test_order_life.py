"""Whatever buyers, operators, banks, carriers and time do, the books agree."""

import dataclasses
import random
from datetime import UTC, datetime

import httpx
import pytest
from order_books import OrderBooks
from order_life import READY, SECRET, SKUS, Life, Outside
from order_steps import live, rest

from holdfast.api.app import serving
from holdfast.api.shop import opened
from holdfast.domain import identity, payments
from holdfast.platform.settings import Secret
from holdfast.workflows.reconciliation import Reconciliation


@pytest.fixture(params=["checkout", "shipment"])
async def shop(request, settings, clock, hasher):
    """A shop that takes money at once, and one that takes it with the goods."""
    here = dataclasses.replace(
        settings,
        capture=request.param,
        payment_timeout_seconds=0.5,
        payment_webhook_secrets=(Secret(SECRET),),
    )
    async with opened(here, clock=clock, hasher=hasher) as shop:
        yield shop


@pytest.fixture
async def life(
    shop, settings, clock, a_product, an_operator, signed_in, payment_provider, carrier
):
    operator = await an_operator(*sorted(identity.KEY_SCOPES))
    transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client,
        httpx.AsyncClient(trust_env=False) as outside,
    ):
        buyer = await signed_in()
        for sku in SKUS:
            await a_product(sku, on_hand=30)
        sender = READY["shipping_address"]
        for method, path, body in (
            ("PATCH", "/v1/locations/main", {"address": sender}),
            (
                "POST",
                "/v1/locations",
                {"code": "north", "name": "North", "priority": 1, "address": sender},
            ),
            (
                "POST",
                "/v1/inventory/adjustments",
                {
                    "lines": [
                        {"sku": s, "location": "north", "delta": 10} for s in SKUS
                    ],
                    "reason": "found",
                },
            ),
        ):
            keyed = {**operator, "Idempotency-Key": "north"}
            made = await client.request(method, path, json=body, headers=keyed)
            made.raise_for_status()
        yield Life(
            shop,
            client,
            Outside(payment_provider.url, carrier.url, outside),
            operator,
            buyer.headers,
            lambda: buyer.sign(at=clock()),
            clock.advance,
            random.Random(),  # noqa: S311 - it is to be the same each time
        )


@pytest.fixture
def differences(shop):
    """What is left between the shop and the provider, but for refunds that failed."""

    async def read():
        doing = Reconciliation(shop.db, shop.vault, shop.payments, shop.clock)
        # The simulators date by the clock of the machine.
        report = await doing.run(datetime(2026, 1, 1, tzinfo=UTC))
        left = await payments.discrepancies(
            shop.db, after=None, limit=100, open_only=True
        )
        failed = await shop.db.fetch(
            "SELECT r.order_id FROM refunds r WHERE r.status = 'failed' AND NOT EXISTS "
            "(SELECT FROM refunds again WHERE again.retry_of = r.id)"
        )
        # Some banks refuse to give money back, which is for people to see to.
        known = {str(row["order_id"]) for row in failed}
        found = [(one.kind, one.subject) for one in left.items]
        assert report.open == len(found)
        owing = ("kept_too_much", "return_unpaid")
        return [
            (kind, subject)
            for kind, subject in found
            if kind not in owing or subject not in known
        ]

    return read


@pytest.fixture
def a_life(life, differences):
    """Live so many steps from a seed, and settle everything in the end."""

    async def run(seed, *, steps):
        life.die.seed(seed)
        books = OrderBooks(life)
        await live(life, books, steps=steps)
        await rest(life)
        assert await books.faults() == []
        assert await differences() == []

    return run


async def test_the_books_agree_after_every_step(a_life):
    await a_life(3, steps=80)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
async def test_the_books_agree_after_every_step_of_a_long_life(a_life, seed):
    await a_life(seed, steps=400)
