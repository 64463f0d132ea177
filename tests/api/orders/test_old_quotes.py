"""A shipping price that is too old to be charged, as a client sees it."""

from datetime import timedelta

import pytest

OK = {"payment_method": "pm_card_ok"}
READY = {
    "email": "ada@example.com",
    "shipping_method": "standard",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
}


@pytest.fixture
def grow_old(database, clock):
    """As if the carrier had named a cent, half an hour ago."""

    async def change():
        at = clock() - timedelta(minutes=30)
        sql = "UPDATE carts SET shipping_amount = 1, shipping_quoted_at = $1"
        await database.fetch(sql, at)

    return change


class TestCheckout:
    async def test_tells_the_new_total_and_charges_it_the_next_time(
        self, a_bag, client, grow_old
    ):
        bag = await a_bag(TEA=1, fields=READY)
        await grow_old()
        seen = (await client.get(bag.path, headers=bag.owner)).json()

        refused = await bag.check_out(body={**OK, "expected_total": seen["total"]})
        cart = await client.get(bag.path, headers=bag.owner)
        paid = await bag.check_out(
            body={**OK, "expected_total": refused.json()["total"]}
        )

        assert seen["total"]["amount"] == 1000
        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/total-changed"
        assert refused.json()["total"]["amount"] == 1789
        assert cart.json()["total"] == refused.json()["total"]
        assert paid.status_code == 201
        assert paid.json()["total"]["amount"] == 1789
        assert paid.json()["shipping"]["source"] == "carrier"


class TestDraft:
    async def test_completed_with_a_method_is_a_checkout(
        self, client, an_operator, a_product, grow_old
    ):
        await a_product("TEA")
        clerk = await an_operator("orders:read", "orders:write")
        lines = [{"sku": "TEA", "quantity": 1}]
        made = await client.post(
            "/v1/draft-orders", json={"lines": lines, **READY}, headers=clerk
        )
        await grow_old()

        paid = await client.post(
            f"/v1/draft-orders/{made.json()['id']}/completion",
            json=OK,
            headers={**clerk, "Idempotency-Key": "key-1"},
        )

        assert paid.status_code == 201, paid.text
        assert paid.json()["shipping"]["price"]["amount"] == 790
