"""A parcel is taken once a key, and what the carrier did not say is not guessed."""

from datetime import UTC, datetime

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from holdfast.domain import shipping
from holdfast.domain.shipping import (
    CarrierFailed,
    Consignment,
    Party,
    Refused,
    ShipmentStatus,
    Taken,
    Tracked,
    TrackingEvent,
    UnderWay,
)
from holdfast.platform.embedded.ports import free_port
from holdfast.platform.outgoing import OutgoingCalls

ADA = Party("Ada Lovelace", "12 Main St", "London", "GB", postal_code="SW1A 1AA")
DEPOT = Party("Holdfast", "1 Quay", "Rotterdam", "NL")
PARCEL = Consignment("key-1", "standard", "HF-1001", DEPOT, ADA, 600, "EUR")
TAKEN = Taken("sh_HF000000000", "HF000000000")
NONSENSE = {
    "empty": b"",
    "html": b"<html>",
    "another key": b'{"id": "sh_1", "key": "key-2", "status": "created"}',
    "a path": b'{"id": "../../x", "key": "key-1", "status": "created"}',
    "deep": b"[" * 10_000,
}


@pytest.fixture
def carrier(carrier_at, clerk):
    return carrier_at(clerk.url)


class TestTake:
    async def test_says_who_sends_what_to_whom(self, carrier, clerk):
        assert await carrier.take(PARCEL) == TAKEN
        made = clerk.shipments["key-1"]
        assert made["ship_to"]["postal_code"] == "SW1A 1AA"
        assert made["ship_from"]["city"] == "Rotterdam"
        assert made["parcels"] == [{"weight_grams": 600}]
        assert (made["service"], made["reference"]) == ("standard", "HF-1001")

    @pytest.mark.parametrize("mishap", ["before", "after", 429, 302])
    async def test_is_asked_again_when_it_is_not_certain(self, carrier, clerk, mishap):
        clerk.mishaps = [mishap]

        assert await carrier.take(PARCEL) == TAKEN
        assert len(clerk.shipments) == 1

    async def test_is_unknown_while_the_carrier_fails(self, carrier, clerk):
        clerk.mishaps = ["after"] * 3

        with pytest.raises(CarrierFailed):
            await carrier.take(PARCEL)

        assert await carrier.take(PARCEL) == TAKEN

    async def test_is_unknown_while_there_is_no_carrier(self, carrier_at):
        with pytest.raises(CarrierFailed):
            await carrier_at(f"http://127.0.0.1:{free_port()}").take(PARCEL)

    @pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
    async def test_is_unknown_when_the_answer_is_nonsense(self, carrier_at, says, body):
        with pytest.raises(CarrierFailed):
            await carrier_at(await says(201, body)).take(PARCEL)

    async def test_without_a_tracking_number_is_no_answer(self, carrier_at, says):
        url = await says(201, b'{"id": "sh_1", "key": "key-1", "status": "created"}')

        with pytest.raises(CarrierFailed, match="tracking number"):
            await carrier_at(url).take(PARCEL)

    @pytest.mark.parametrize("status", [400, 404, 422])
    async def test_a_refusal_ends_the_key_first(self, carrier, clerk, status):
        clerk.mishaps = [status]

        refused = await carrier.take(PARCEL)

        assert refused == Refused("parcel-too-large")
        assert clerk.asked[-1] == "POST /v1/shipments/by-key/key-1/cancel"
        assert await carrier.take(PARCEL) == Refused("canceled")

    async def test_a_refusal_that_quotes_something_is_not_repeated(
        self, carrier, clerk
    ):
        clerk.mishaps = [422]
        clerk.problem = {"type": "/problems/No such house: 12 Main St"}

        assert await carrier.take(PARCEL) == Refused("carrier_said_422")

    async def test_a_refusal_is_unknown_while_the_key_cannot_be_ended(
        self, carrier, clerk
    ):
        clerk.mishaps = [422, "before", "before", "before"]

        with pytest.raises(CarrierFailed):
            await carrier.take(PARCEL)

    async def test_a_refusal_that_comes_too_late_is_none(self, carrier, clerk):
        await carrier.take(PARCEL)
        clerk.picked_up = {"key-1"}
        clerk.mishaps = [422]

        assert await carrier.take(PARCEL) == TAKEN


class TestCancel:
    async def test_ends_what_was_taken(self, carrier, clerk):
        await carrier.take(PARCEL)

        await carrier.cancel("key-1")
        await carrier.cancel("key-1")

        assert clerk.shipments["key-1"]["status"] == "canceled"

    async def test_of_an_unknown_key_keeps_it_from_ever_being_sent(self, carrier):
        await carrier.cancel("key-1")

        assert await carrier.take(PARCEL) == Refused("canceled")

    async def test_is_refused_once_it_was_picked_up(self, carrier, clerk):
        await carrier.take(PARCEL)
        clerk.picked_up = {"key-1"}

        with pytest.raises(UnderWay):
            await carrier.cancel("key-1")

    @pytest.mark.parametrize("status", [400, 404, 422])
    async def test_any_other_answer_is_none(self, carrier, clerk, status):
        clerk.mishaps = [status]

        with pytest.raises(CarrierFailed):
            await carrier.cancel("key-1")


class TestLabel:
    async def test_is_the_carriers_pdf(self, carrier, clerk):
        assert await carrier.label("sh_1") == b"%PDF-1.4 a label"
        assert clerk.asked == ["GET /v1/shipments/sh_1/label.pdf"]

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>%PDF-", b"%PDF-" + b"x" * 2 * 1024 * 1024],
        ids=["empty", "html", "endless"],
    )
    async def test_that_is_none_is_not_given(self, carrier, clerk, body):
        clerk.label = body

        with pytest.raises(CarrierFailed):
            await carrier.label("sh_1")


class TestTrack:
    async def test_gives_all_that_happened(self, carrier, clerk):
        clerk.tracking = {
            "tracking_number": "HF1",
            "status": "exception",
            "events": [
                {
                    "id": "te_1",
                    "status": "exception",
                    "description": "No such\x00 house\u202e\nnumber",
                    "location": "London, GB",
                    "happened_at": "2026-11-27T08:00:00.5+01:00",
                }
            ],
        }

        at = datetime(2026, 11, 27, 7, 0, 0, 500_000, tzinfo=UTC)
        event = TrackingEvent(
            "te_1", ShipmentStatus.EXCEPTION, at, "No such house number"
        )
        assert await carrier.track("HF1") == Tracked("HF1", [event])

    async def test_of_what_nobody_knows_is_nothing(self, carrier):
        assert await carrier.track("HF1") is None

    @pytest.mark.parametrize(
        "event",
        [
            {"id": "te_1", "status": "teleported", "happened_at": "2026-11-27T08:00Z"},
            {"id": "te_1", "status": "created", "happened_at": "2026-11-27T08:00:00"},
            {
                "id": "te_1",
                "status": "created",
                "happened_at": "9999-12-31T23:59:59-05:00",
            },
            {
                "id": "x" * 256,
                "status": "created",
                "happened_at": "2026-11-27T08:00:00Z",
            },
            {"id": "\x00", "status": "created", "happened_at": "2026-11-27T08:00:00Z"},
        ],
        ids=["status", "no zone", "never", "long id", "nul"],
    )
    async def test_that_cannot_be_kept_is_no_answer(self, carrier, clerk, event):
        clerk.tracking = {"tracking_number": "HF1", "events": [event]}

        with pytest.raises(CarrierFailed):
            await carrier.track("HF1")

    async def test_any_other_answer_is_none(self, carrier, clerk):
        clerk.mishaps = [400]

        with pytest.raises(CarrierFailed):
            await carrier.track("HF1")


class TestReadWebhook:
    def test_gives_where_a_parcel_is(self):
        data = {"tracking_number": "HF1", "events": []}
        body = msgspec.json.encode({"type": "shipment.updated", "data": data})

        assert shipping.read_webhook(body) == Tracked("HF1", [])

    def test_about_something_else_is_nothing(self):
        assert shipping.read_webhook(b'{"type": "invoice.paid", "data": 1}') is None

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b'{"type": "shipment.updated"}',
            b"[" * 10_000,
            b'{"type": "\xff"}',
        ],
        ids=["empty", "no type", "no data", "deep", "no text"],
    )
    def test_that_cannot_be_read_is_refused(self, body):
        with pytest.raises(CarrierFailed):
            shipping.read_webhook(body)


class TestCalls:
    async def test_are_counted_with_how_they_ended(self, carrier_at, clerk):
        registry = CollectorRegistry()
        carrier = carrier_at(clerk.url, calls=OutgoingCalls(registry))
        clerk.mishaps = ["before"]
        await carrier.take(PARCEL)
        await carrier.track("HF1")

        def count(operation, outcome):
            labels = {"service": "carrier", "operation": operation, "outcome": outcome}
            name = "holdfast_outgoing_call_seconds_count"
            return registry.get_sample_value(name, labels)

        assert count("shipment", "failed") == 1
        assert count("shipment", "answered") == 1
        assert count("tracking", "refused") == 1
