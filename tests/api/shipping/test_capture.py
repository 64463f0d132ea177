"""Where money is only set aside at checkout, the first shipment takes it."""

import pytest

from holdfast.platform.settings import Settings


@pytest.fixture
def settings(settings):
    return Settings.read({**settings.raw, "HOLDFAST_CAPTURE": "shipment"})


class TestFirstShipment:
    async def test_takes_the_money(
        self, buy_something, send, client, packer, payment_provider
    ):
        order = await buy_something()
        before = (await client.get(order.path, headers=packer)).json()

        body = {"lines": [{"position": 1, "quantity": 1}], "location": "main"}
        assert (await send(order, body)).status_code == 201

        after = (await client.get(order.path, headers=packer)).json()
        assert before["payment_status"] == "authorized"
        assert after["payment_status"] == "captured"
        captured = payment_provider.get("/v1/summary")["captured"]
        assert captured["count"] == 1

    async def test_that_waits_for_the_carrier_takes_nothing(
        self, buy_something, send, client, packer, carrier
    ):
        order = await buy_something()
        carrier.misbehave(fail="error", on=["shipment"])

        assert (await send(order)).status_code == 202

        now = (await client.get(order.path, headers=packer)).json()
        assert now["payment_status"] == "authorized"

    async def test_of_everything_completes_the_order(
        self, buy_something, send, client, packer
    ):
        order = await buy_something()

        await send(order)

        now = (await client.get(order.path, headers=packer)).json()
        assert (now["status"], now["payment_status"]) == ("completed", "captured")
