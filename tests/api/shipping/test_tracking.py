"""The carrier tells by webhooks that prove who sent them."""

import base64

import msgspec
import pytest

from holdfast.platform import webhooks
from holdfast.platform.settings import Settings

SECRET = "whsec_" + base64.b64encode(b"the carrier's secret, 32 bytes..").decode()
WEBHOOK = "/v1/webhooks/carrier"


@pytest.fixture
def settings(settings):
    return Settings.read({**settings.raw, "HOLDFAST_CARRIER_WEBHOOK_SECRET": SECRET})


@pytest.fixture
def tell(client, clock):
    """Send a webhook as the carrier would."""

    async def send(body, *, secret=SECRET, id_="evt_1", late_seconds=0, **headers):
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        at = int(clock().timestamp()) - late_seconds
        signed = {
            "webhook-id": id_,
            "webhook-timestamp": str(at),
            "webhook-signature": webhooks.signature(secret, id_, at, content),
            **headers,
        }
        return await client.post(WEBHOOK, content=content, headers=signed)

    return send


def news(shipment, *statuses):
    """What the carrier says of a parcel."""
    events = [
        {
            "id": f"te_{status}",
            "status": status,
            "description": "Signed for by A. Neighbour",
            "location": "London, GB",
            "happened_at": f"2026-11-2{8 + n}T12:00:00Z",
        }
        for n, status in enumerate(statuses)
    ]
    data = {"tracking_number": shipment["tracking_number"], "events": events}
    return {"id": "evt_1", "type": "shipment.updated", "data": data}


class TestWebhook:
    async def test_moves_the_shipment(self, sent, tell, client, packer):
        shipment = await sent()

        answer = await tell(news(shipment, "in_transit", "delivered"))

        assert (answer.status_code, answer.content) == (204, b"")
        now = await client.get(f"/v1/shipments/{shipment['id']}", headers=packer)
        assert now.json()["status"] == "delivered"
        assert now.json()["delivered_at"] == "2026-11-29T12:00:00Z"

    async def test_again_changes_nothing(self, sent, tell, client, packer):
        shipment = await sent()
        body = news(shipment, "in_transit")
        await tell(body)
        path = f"/v1/shipments/{shipment['id']}"
        before = (await client.get(path, headers=packer)).json()

        assert (await tell(body)).status_code == 204

        assert (await client.get(path, headers=packer)).json() == before

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"secret": "whsec_" + base64.b64encode(b"x" * 32).decode()}, "signature"),
            ({"late_seconds": 301}, "timestamp"),
            ({"webhook-signature": ""}, "headers"),
        ],
        ids=["secret", "late", "unsigned"],
    )
    async def test_of_somebody_else_is_refused(
        self, sent, tell, client, packer, wrong, reason
    ):
        shipment = await sent()

        answer = await tell(news(shipment, "delivered"), **wrong)

        assert answer.status_code == 401
        assert answer.json()["reason"] == reason
        now = await client.get(f"/v1/shipments/{shipment['id']}", headers=packer)
        assert now.json()["status"] == "created"

    async def test_of_a_parcel_that_is_not_known_is_told_again_later(self, tell):
        answer = await tell(news({"tracking_number": "HF000"}, "delivered"))

        assert answer.json()["type"] == "/problems/shipment-not-found"

    async def test_about_something_else_is_taken(self, tell):
        assert (await tell({"type": "invoice.paid", "data": {}})).status_code == 204

    @pytest.mark.parametrize("body", [b"", b"{}", b"[" * 10_000], ids=str)
    async def test_that_cannot_be_read_is_refused(self, tell, body):
        answer = await tell(body)

        assert answer.json()["type"] == "/problems/carrier-message-unreadable"

    async def test_that_is_too_large_is_not_looked_at(self, tell):
        answer = await tell(b" " * (256 * 1024 + 1))

        assert answer.status_code == 413

    async def test_is_counted(self, tell, shop):
        await tell({"type": "invoice.paid"})
        await tell({"type": "invoice.paid"}, late_seconds=999)

        def count(result):
            read = shop.metrics.registry.get_sample_value
            return read("holdfast_carrier_webhooks_total", {"result": result})

        assert (count("done"), count("refused")) == (1, 1)


class TestWithoutASecret:
    @pytest.fixture
    def settings(self, settings):
        raw = {k: v for k, v in settings.raw.items() if "WEBHOOK" not in k}
        return Settings.read(raw)

    async def test_nobody_is_believed(self, tell):
        answer = await tell({"type": "invoice.paid"})

        assert answer.json()["type"] == "/problems/webhooks-not-configured"


class TestShow:
    async def test_gives_the_words_of_the_carrier_which_are_not_kept(
        self, sent, client, packer, happen
    ):
        shipment = await sent()
        happen(shipment, "exception")
        path = f"/v1/shipments/{shipment['id']}"

        answer = await client.get(f"{path}/tracking", headers=packer)

        last = answer.json()["events"][-1]
        assert (last["status"], last["description"]) == (
            "exception",
            "Signed for by A. Neighbour",
        )
        assert "Neighbour" not in (await client.get(path, headers=packer)).text

    async def test_while_the_carrier_is_away_is_for_later(
        self, sent, client, packer, carrier
    ):
        path = f"/v1/shipments/{(await sent())['id']}/tracking"
        carrier.misbehave(fail="error", on=["tracking"])

        assert (await client.get(path, headers=packer)).status_code == 503

    async def test_by_hand_is_what_operators_said(self, sent, client, packer):
        path = f"/v1/shipments/{(await sent({'by': 'hand'}))['id']}"
        said = {"status": "in_transit", "happened_at": "2026-11-28T12:00:00+01:00"}
        moved = await client.post(f"{path}/events", json=said, headers=packer)

        answer = await client.get(f"{path}/tracking", headers=packer)

        assert (moved.status_code, moved.json()["status"]) == (201, "in_transit")
        assert answer.json()["events"] == [
            {
                "status": "in_transit",
                "description": "",
                "happened_at": "2026-11-28T11:00:00Z",
            }
        ]

    @pytest.mark.parametrize(
        "moment", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+01:00"]
    )
    async def test_by_hand_is_on_the_calendar(self, sent, client, packer, moment):
        path = f"/v1/shipments/{(await sent({'by': 'hand'}))['id']}"
        said = {"status": "in_transit", "happened_at": moment}

        answer = await client.post(f"{path}/events", json=said, headers=packer)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/happened_at"


class TestReport:
    async def test_is_not_for_what_a_carrier_takes(self, sent, client, packer):
        answer = await client.post(
            f"/v1/shipments/{(await sent())['id']}/events",
            json={"status": "delivered"},
            headers=packer,
        )

        assert answer.json()["type"] == "/problems/shipment-is-tracked"
