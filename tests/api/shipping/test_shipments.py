"""Operators send orders, and see what becomes of it; buyers follow their parcels."""

import io

import pypdf
import pytest
from cases import cases

from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id


class TestCreate:
    async def test_sends_all_that_is_open(self, buy_something, send, client, packer):
        order = await buy_something()

        answer = await send(order)

        assert answer.status_code == 201
        (shipment,) = answer.json()["shipments"]
        assert shipment["order_id"] == order.id
        assert shipment["order_number"] == order.number
        assert (shipment["status"], shipment["by"]) == ("created", "carrier")
        assert (shipment["location"], shipment["service"]) == ("main", "standard")
        assert shipment["lines"] == [
            {"position": 1, "sku": "TEA", "title": "Title of TEA", "quantity": 3}
        ]
        now = (await client.get(order.path, headers=packer)).json()
        assert now["status"] == "completed"

    async def test_needs_no_body(self, buy_something, client, packer):
        order = await buy_something()

        answer = await client.post(
            f"{order.path}/shipments", headers={**packer, "Idempotency-Key": "k"}
        )

        assert answer.status_code == 201

    async def test_sends_the_lines_that_are_named(self, buy_something, send):
        order = await buy_something(TEA=3, CUP=2)
        body = {"lines": [{"position": 2, "quantity": 1}], "location": "main"}

        (shipment,) = (await send(order, body)).json()["shipments"]

        assert [(n["sku"], n["quantity"]) for n in shipment["lines"]] == [("CUP", 1)]

    async def test_is_told_twice_in_the_same_words(self, buy_something, send):
        order, key = await buy_something(), {"Idempotency-Key": "one"}

        first = await send(order, **key)
        again = await send(order, **key)

        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == first.content

    async def test_waits_for_a_carrier_that_is_away(self, buy_something, send, carrier):
        order = await buy_something()
        carrier.misbehave(fail="error", on=["shipment"])

        answer = await send(order)

        assert answer.status_code == 202
        assert answer.headers["Retry-After"] == "5"
        (shipment,) = answer.json()["shipments"]
        assert (shipment["status"], shipment["label"]) == ("pending", None)

    async def test_says_that_the_carrier_refuses(self, buy_something, send):
        answer = await send(await buy_something(), {"service": "teleport"})

        assert answer.status_code == 409
        problem = answer.json()
        assert problem["type"] == "/problems/shipment-refused"
        assert len(problem["shipment_ids"]) == len(problem["reasons"]) == 1

    @cases(
        "body",
        [
            {"tracking_number": "BIKE-1"},
            {"by": "carrier", "tracking_number": "BIKE-1"},
            {"by": "hand", "service": "express"},
            {"lines": [{"position": 1, "quantity": 1}] * 2},
            {"lines": []},
            {"lines": [{"position": 0, "quantity": 1}]},
            {"by": "hand", "tracking_number": "a b"},
        ],
    )
    async def test_refuses_what_contradicts_itself(self, buy_something, send, body):
        answer = await send(await buy_something(), body)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"

    async def test_of_an_order_that_is_not_there_is_not_found(self, client, packer):
        answer = await client.post(
            f"/v1/orders/{new_id()}/shipments",
            headers={**packer, "Idempotency-Key": "k"},
        )

        assert answer.status_code == 404

    @pytest.mark.parametrize("location", ["nowhere", str(new_id())], ids=["code", "id"])
    async def test_from_nowhere_is_not_found(self, buy_something, send, location):
        answer = await send(await buy_something(), {"location": location})

        assert answer.json()["type"] == "/problems/location-not-found"


class TestOfOrder:
    async def test_shows_the_buyer_where_it_is(
        self, buy_something, send, client, happen
    ):
        order = await buy_something()
        await send(order)

        answer = await client.get(f"{order.path}/shipments", headers=order.buyer)

        (parcel,) = answer.json()["items"]
        assert parcel["tracking_number"].startswith("HF")
        assert parcel["lines"][0]["quantity"] == 3
        assert {"actor", "location", "failure_reason"}.isdisjoint(parcel)

    async def test_is_not_there_for_others(self, buy_something, client):
        order = await buy_something()
        stranger = tokens.new_token(tokens.CART)

        answer = await client.get(
            f"{order.path}/shipments", headers={"Authorization": f"Bearer {stranger}"}
        )

        assert answer.status_code == 404

    async def test_comes_in_pages(self, buy_something, send, client, packer):
        order = await buy_something()
        for _ in range(3):
            body = {"by": "hand", "lines": [{"position": 1, "quantity": 1}]}
            assert (await send(order, body)).status_code == 201
        path = f"{order.path}/shipments?limit=2"

        first = (await client.get(path, headers=packer)).json()
        rest = await client.get(f"{path}&after={first['next']}", headers=packer)

        assert len(first["items"]) == 2
        assert len(rest.json()["items"]) == 1
        assert rest.json()["next"] is None


class TestBrowse:
    async def test_finds_by_status_order_and_location(self, sent, client, packer):
        shipment, other = await sent(), await sent({"by": "hand"})
        await client.post(
            f"/v1/shipments/{other['id']}/events",
            json={"status": "exception"},
            headers=packer,
        )

        async def found(query):
            answer = await client.get(f"/v1/shipments?{query}", headers=packer)
            return [item["id"] for item in answer.json()["items"]]

        assert await found("") == [other["id"], shipment["id"]]
        assert await found("status=exception") == [other["id"]]
        assert await found(f"order={shipment['order_id']}") == [shipment["id"]]
        assert await found("location=main&limit=1") == [other["id"]]
        assert await found(f"location={shipment['location_id']}&status=lost") == []

    async def test_at_an_unknown_location_is_not_found(self, client, packer):
        answer = await client.get("/v1/shipments?location=nowhere", headers=packer)

        assert answer.status_code == 404


class TestShow:
    async def test_gives_what_was_made(self, sent, client, packer):
        shipment = await sent()

        answer = await client.get(f"/v1/shipments/{shipment['id']}", headers=packer)

        assert answer.json() == shipment

    async def test_of_nothing_is_not_found(self, client, packer):
        answer = await client.get(f"/v1/shipments/{new_id()}", headers=packer)

        assert answer.json()["type"] == "/problems/shipment-not-found"


class TestLabel:
    async def test_is_the_carriers_pdf(self, sent, client, packer):
        shipment = await sent()

        answer = await client.get(shipment["label"], headers=packer)

        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(pypdf.PdfReader(io.BytesIO(answer.content)).pages) == 1

    async def test_while_the_carrier_is_away_is_for_later(
        self, sent, client, packer, carrier
    ):
        shipment = await sent()
        carrier.misbehave(fail="error", on=["label"])

        answer = await client.get(shipment["label"], headers=packer)

        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/carrier-unavailable"

    async def test_of_what_is_made_by_hand_is_none(self, sent, client, packer):
        shipment = await sent({"by": "hand"})
        path = f"/v1/shipments/{shipment['id']}/label.pdf"

        answer = await client.get(path, headers=packer)

        assert shipment["label"] is None
        assert answer.json()["type"] == "/problems/label-not-found"


class TestCancel:
    async def test_brings_it_back(self, sent, client, packer):
        shipment = await sent()
        path = f"/v1/shipments/{shipment['id']}/cancel"

        answer = await client.post(path, headers=packer)

        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["label"]) == ("canceled", None)

    async def test_waits_for_a_carrier_that_is_away(
        self, sent, client, packer, carrier
    ):
        shipment = await sent()
        carrier.misbehave(fail="error", on=["cancel"])
        path = f"/v1/shipments/{shipment['id']}/cancel"

        answer = await client.post(path, headers=packer)

        assert answer.status_code == 202
        assert answer.json()["cancel_requested_at"] is not None

    async def test_is_too_late_once_it_was_picked_up(
        self, sent, client, packer, happen
    ):
        shipment = await sent()
        happen(shipment, "in_transit")
        path = f"/v1/shipments/{shipment['id']}/cancel"

        answer = await client.post(path, headers=packer)

        assert answer.json()["type"] == "/problems/shipment-under-way"


class TestReship:
    async def test_opens_what_was_lost(self, sent, client, packer):
        lost = await sent({"by": "hand"})
        path = f"/v1/shipments/{lost['id']}"
        early = await client.post(f"{path}/reship", headers=packer)
        await client.post(f"{path}/events", json={"status": "lost"}, headers=packer)

        answer = await client.post(f"{path}/reship", headers=packer)

        assert early.json()["type"] == "/problems/shipment-not-lost"
        assert answer.status_code == 200
        order = await client.get(f"/v1/orders/{lost['order_id']}", headers=packer)
        assert order.json()["fulfilment_status"] == "unfulfilled"
