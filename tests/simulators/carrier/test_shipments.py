"""Shipments, and what becomes of them."""

import asyncio

import httpx
import pytest

from holdfast.simulators.carrier import Book, Line, build
from holdfast.simulators.journal import Journal


@pytest.fixture
def tracked(carrier):
    """The events of a shipment, and its status."""

    async def look(made) -> tuple[list[str], str]:
        number = made.json()["tracking_number"]
        tracking = (await carrier.get(f"/v1/tracking/{number}")).json()
        return [event["status"] for event in tracking["events"]], tracking["status"]

    return look


@pytest.fixture
def after(carrier):
    async def wait(**units: float) -> None:
        hours = units.get("hours", 0) + 24 * units.get("days", 0)
        body = {"seconds": hours * 3600}
        await carrier.post("/control/clock/advance", json=body)

    return wait


class TestShip:
    async def test_makes_a_label_and_says_what_it_costs(self, carrier, ship):
        response = await ship()

        assert response.status_code == 201
        body = response.json()
        number = body.pop("tracking_number")
        shipment_id = body.pop("id")
        assert number.startswith("HF")
        assert number.endswith("DE")
        assert len(number) == 13
        assert body == {
            "key": "key-1",
            "service": "standard",
            "reference": "order-1",
            "status": "created",
            "label_url": f"http://ship/v1/shipments/{shipment_id}/label.pdf",
            "price": {"amount": 490, "currency": "EUR"},
            "created_at": "2026-11-27T08:00:00.000000Z",
        }
        found = await carrier.get("/v1/shipments/by-key/key-1")
        assert found.json() == response.json()

    async def test_costs_what_its_parcels_cost_together(self, ship):
        parcels = [{"weight_grams": 600}, {"weight_grams": 100}]

        response = await ship(service="express", parcels=parcels, currency="GBP")

        price = {"amount": -(-(2 * (490 + 390) + 500) * 85 // 100), "currency": "GBP"}
        assert response.json()["price"] == price

    async def test_the_same_key_again_is_the_same_shipment(self, ship):
        first, second = await ship(), await ship()

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.content == second.content

    @pytest.mark.parametrize(
        "change",
        [
            {"service": "express"},
            {"reference": "order-2"},
            {"parcels": [{"weight_grams": 601}]},
            {"currency": "USD"},
        ],
    )
    async def test_the_same_key_for_another_shipment_is_refused(self, ship, change):
        await ship()

        response = await ship(**change)

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/idempotency-key-reused"

    async def test_of_many_at_once_with_one_key_one_ships(self, carrier, ship):
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(ship()) for _ in range(30)]

        answers = [call.result() for call in calls]
        assert sorted(answer.status_code for answer in answers) == [200] * 29 + [201]
        assert len({answer.content for answer in answers}) == 1

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"service": "teleport"}, "/service"),
            ({"reference": ""}, "/reference"),
            ({"reference": "r" * 256}, "/reference"),
            ({"parcels": []}, "/parcels"),
            ({"parcels": [{"weight_grams": 1}] * 101}, "/parcels"),
            ({"parcels": [{"weight_grams": -1}]}, "/parcels/0/weight_grams"),
            ({"parcels": [{"weight_grams": 10**12}]}, "/parcels/0/weight_grams"),
            ({"parcels": [{"weight_grams": 1, "length_mm": 5}]}, "/parcels/0"),
            ({"ship_to": {"name": "x"}}, "/ship_to"),
            ({"ship_to": None}, "/ship_to"),
            ({"simulate": {"journey": {"outcome": "eaten"}}}, "/simulate"),
        ],
    )
    async def test_a_wrong_value_is_refused_and_pointed_at(self, ship, change, pointer):
        response = await ship(**change)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"].startswith(pointer)

    async def test_refuses_what_no_van_takes(self, ship):
        measures = {"length_mm": 1201, "width_mm": 10, "height_mm": 10}

        response = await ship(parcels=[{"weight_grams": 1, **measures}])

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/parcel-too-large"

    async def test_bytes_that_are_no_text_are_malformed(self, carrier):
        response = await carrier.post(
            "/v1/shipments",
            content=b'{"reference": "\xff"}',
            headers={"Idempotency-Key": "k"},
        )

        assert response.status_code == 400

    async def test_a_full_book_refuses_and_keeps_what_it_has(self, a_shipment):
        transport = httpx.ASGITransport(build(Book(max_shipments=1)))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ship"
        ) as client:
            answers = [
                await client.post(
                    "/v1/shipments", json=a_shipment(), headers={"Idempotency-Key": key}
                )
                for key in ("a", "b", "a")
            ]

        assert [answer.status_code for answer in answers] == [201, 503, 200]


class TestTracking:
    async def test_follows_the_timetable(self, ship, tracked, after):
        made = await ship()
        seen = [(await tracked(made))[1]]

        for hours in (6, 42, 40, 7, 1, 1000):
            await after(hours=hours)
            seen.append((await tracked(made))[1])

        assert seen == [
            "created",
            "in_transit",
            "in_transit",
            "out_for_delivery",
            "out_for_delivery",
            "delivered",
            "delivered",
        ]

    async def test_dates_each_event_when_it_was_due(self, carrier, ship, after):
        made = await ship()
        await after(days=30)

        number = made.json()["tracking_number"]
        events = (await carrier.get(f"/v1/tracking/{number}")).json()["events"]

        assert [event["happened_at"][:16] for event in events] == [
            "2026-11-27T08:00",
            "2026-11-27T14:00",
            "2026-11-29T08:00",
            "2026-12-01T00:00",
            "2026-12-01T08:00",
        ]
        assert events[0]["location"] == "Hamburg, DE"
        assert events[-1]["location"] == "Lyon, FR"
        assert len({event["id"] for event in events}) == 5

    @pytest.mark.parametrize(
        ("outcome", "last_three"),
        [
            ("delivered", ["in_transit", "out_for_delivery", "delivered"]),
            ("exception", ["exception", "out_for_delivery", "delivered"]),
            ("returned", ["out_for_delivery", "exception", "returned"]),
            ("lost", ["in_transit", "in_transit", "lost"]),
            ("stuck", ["created"]),
        ],
    )
    async def test_an_outcome_can_be_asked_for_in_three_ways(
        self, carrier, ship, tracked, after, outcome, last_three
    ):
        by_reference = await ship("a", reference=f"order-1#{outcome}")
        by_field = await ship("b", simulate={"journey": {"outcome": outcome}})
        await carrier.put("/control/scenario", json={"journey": {"outcome": outcome}})
        by_scenario = await ship("c")
        await after(days=60)

        for made in (by_reference, by_field, by_scenario):
            events, status = await tracked(made)
            assert events[-3:] == last_three
            assert status == last_three[-1]

    async def test_a_share_is_lost_by_the_seed(self, carrier, ship, tracked, after):
        runs = []

        for run in range(2):
            await carrier.post("/control/reset")
            await carrier.put(
                "/control/scenario",
                json={"seed": 4, "journey": {"outcome": "lost", "rate": 0.4}},
            )
            made = [await ship(f"{run}-{number}") for number in range(12)]
            await after(days=60)
            runs.append([(await tracked(one))[1] for one in made])

        assert runs[0] == runs[1]
        assert set(runs[0]) == {"lost", "delivered"}

    async def test_a_timetable_of_ones_own_is_kept(self, ship, tracked, after):
        timetable = [
            {"after_seconds": 3600, "status": "delivered", "location": "the moon"},
            {"after_seconds": 60, "status": "in_transit"},
        ]
        made = await ship(simulate={"journey": {"timetable": timetable}})
        seen = []

        for hours in (0, 0.02, 1):
            await after(hours=hours)
            seen.append((await tracked(made))[0][1:])

        assert seen == [[], ["in_transit"], ["in_transit", "delivered"]]

    async def test_an_unknown_number_is_not_found(self, carrier):
        response = await carrier.get("/v1/tracking/HF000000005DE")

        assert response.status_code == 404
        assert response.json()["type"] == "/problems/shipment-not-found"


class TestEvents:
    async def test_by_hand_end_the_timetable(self, carrier, ship, tracked, after):
        made = await ship()
        path = f"/control/shipments/{made.json()['id']}/events"

        response = await carrier.post(
            path,
            json={"status": "lost", "description": "Fell off", "location": "Paris"},
        )
        await after(days=60)

        assert response.status_code == 201
        assert response.json()["events"][-1]["description"] == "Fell off"
        assert await tracked(made) == (["created", "lost"], "lost")

    async def test_refuse_what_is_no_status(self, carrier, ship):
        made = await ship()

        response = await carrier.post(
            f"/control/shipments/{made.json()['id']}/events", json={"status": "eaten"}
        )

        assert response.status_code == 422

    async def test_are_told_one_by_one(self, carrier, ship, receiver, after):
        await carrier.put("/control/webhook", json=receiver.target)
        scenario = {"before_answer": True}
        await carrier.put("/control/webhook/scenario", json=scenario)
        made = await ship()
        await after(days=60)

        received = await receiver.until(5)

        statuses = [webhook.event["data"]["status"] for webhook in received]
        assert statuses == [
            *("created", "in_transit", "in_transit"),
            *("out_for_delivery", "delivered"),
        ]
        assert receiver.types == ["shipment.updated"] * 5
        number = made.json()["tracking_number"]
        shown = (await carrier.get(f"/v1/tracking/{number}")).json()
        assert received[-1].event["data"] == shown


class TestCancel:
    async def test_stops_it_before_pickup_and_is_the_same_again(
        self, carrier, ship, tracked, after
    ):
        made = await ship()

        first, second = [
            await carrier.post("/v1/shipments/by-key/key-1/cancel") for _ in range(2)
        ]
        await after(days=60)

        assert first.json() == second.json()
        assert first.json()["status"] == "canceled"
        assert await tracked(made) == (["created", "canceled"], "canceled")

    async def test_refuses_what_is_under_way(self, carrier, ship, after):
        await ship()
        await after(hours=6)

        response = await carrier.post("/v1/shipments/by-key/key-1/cancel")

        assert response.status_code == 409
        assert response.json()["type"] == "/problems/shipment-under-way"

    async def test_an_unknown_key_can_never_ship(self, carrier, ship):
        tombstone = await carrier.post("/v1/shipments/by-key/key-1/cancel")

        late = await ship()

        assert (late.status_code, late.json()) == (200, tombstone.json())
        assert tombstone.json()["tracking_number"] is None
        shipment_id = tombstone.json()["id"]
        label = await carrier.get(f"/v1/shipments/{shipment_id}/label.pdf")
        event = await carrier.post(
            f"/control/shipments/{shipment_id}/events", json={"status": "delivered"}
        )
        assert (label.status_code, event.status_code) == (404, 409)


class TestJournal:
    async def test_shipments_go_on_where_the_last_process_stopped(
        self, tmp_path, stopped_clock, a_shipment
    ):
        path = tmp_path / "carrier.jsonl"
        seen = []

        for hours in (6, 500):
            journal = Journal(path, Line)
            app = build(Book(journal, clock=stopped_clock))
            app.start()
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://ship"
            ) as client:
                made = await client.post(
                    "/v1/shipments", json=a_shipment(), headers={"Idempotency-Key": "k"}
                )
                body = {"seconds": hours * 3600}
                await client.post("/control/clock/advance", json=body)
                number = made.json()["tracking_number"]
                tracking = await client.get(f"/v1/tracking/{number}")
                seen.append((made.status_code, tracking.json()["status"], number))
            journal.close()

        assert [(status, where) for status, where, _ in seen] == [
            (201, "in_transit"),
            (200, "delivered"),
        ]
        assert seen[0][2] == seen[1][2]
