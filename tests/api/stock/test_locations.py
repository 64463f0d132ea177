"""Locations: where stock is, in what order orders take from them."""

import asyncio

from cases import cases

ADDRESS = {
    "name": "Stock room",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


class TestCreate:
    async def test_adds_a_location_that_is_in_use_and_empty(self, keep):
        body = {"code": "berlin-2", "name": "Berlin", "priority": 3, "address": ADDRESS}

        made = await keep("POST", "/v1/locations", body)
        shown = await keep("GET", "/v1/locations/berlin-2")
        listed = await keep("GET", "/v1/locations")

        assert made.status_code == 201
        assert shown.json() == made.json()
        assert made.json()["active"] is True
        assert made.json()["address"] == ADDRESS
        assert [n["code"] for n in listed.json()["items"]] == ["main", "berlin-2"]

    async def test_two_cannot_have_one_code(self, keep, berlin):
        async with asyncio.TaskGroup() as group:
            again = [
                group.create_task(
                    keep("POST", "/v1/locations", {"code": code, "name": "Other"})
                )
                for code in (berlin, "hamburg", "hamburg", "hamburg")
            ]

        codes = sorted(task.result().status_code for task in again)
        assert codes == [201, 409, 409, 409]
        assert again[0].result().json()["type"] == "/problems/location-code-taken"

    @cases(
        "fault",
        [
            {"code": ""},
            {"code": "Berlin"},
            {"code": "-berlin"},
            {"code": "b" * 64},
            {"code": "ber lin"},
            {"code": "../main"},
            {"name": ""},
            {"name": "x" * 256},
            {"name": "a\x00b"},
            {"priority": -1},
            {"priority": 10**9},
            {"priority": "1"},
            {"address": {"city": "Berlin"}},
            {"address": {**ADDRESS, "country": "XX"}},
            {"active": False},
            {"unknown": 1},
        ],
    )
    async def test_a_body_at_fault_adds_nothing(self, keep, fault):
        body = {"code": "berlin", "name": "Berlin", **fault}

        answer = await keep("POST", "/v1/locations", body)

        assert answer.status_code == 422
        assert len((await keep("GET", "/v1/locations")).json()["items"]) == 1


class TestChange:
    async def test_changes_what_it_says_and_keeps_the_rest(self, keep, berlin):
        answer = await keep(
            "PATCH", "/v1/locations/berlin", {"code": "potsdam", "priority": 9}
        )

        assert answer.status_code == 200
        assert answer.json()["name"] == "Berlin"
        assert (await keep("GET", "/v1/locations/berlin")).status_code == 404
        assert (await keep("GET", "/v1/locations/potsdam")).json()["priority"] == 9

    async def test_orders_take_from_the_lowest_priority_first(
        self, keep, berlin, a_product, numbers, order_of
    ):
        await a_product("TEA", on_hand=5)
        await keep("PATCH", "/v1/locations/main", {"priority": 7})
        line = {"sku": "TEA", "location": "berlin", "delta": 5}
        body = {"reason": "received", "kind": "receipt", "lines": [line]}
        await keep("POST", "/v1/inventory/adjustments", body)

        await order_of("TEA", 2)

        assert await numbers("TEA") == {"berlin": (5, 2), "main": (5, 0)}

    async def test_closes_one_where_nothing_is_reserved(
        self, keep, berlin, a_product, numbers, client
    ):
        await a_product("TEA", on_hand=5)
        line = {"sku": "TEA", "location": "berlin", "delta": 5}
        body = {"reason": "received", "kind": "receipt", "lines": [line]}
        await keep("POST", "/v1/inventory/adjustments", body)

        closed = await keep("PATCH", "/v1/locations/berlin", {"active": False})

        assert closed.json()["active"] is False
        shown = (await keep("GET", "/v1/inventory/TEA")).json()
        assert shown["total_available"] == 5
        opened = await keep("PATCH", "/v1/locations/berlin", {"active": True})
        assert opened.json()["active"] is True
        shown = (await keep("GET", "/v1/inventory/TEA")).json()
        assert shown["total_available"] == 10

    async def test_does_not_close_one_that_owes_goods(
        self, keep, berlin, a_product, order_of
    ):
        await a_product("TEA", on_hand=0)
        line = {"sku": "TEA", "location": "berlin", "delta": 5}
        body = {"reason": "received", "kind": "receipt", "lines": [line]}
        await keep("POST", "/v1/inventory/adjustments", body)
        await order_of("TEA", 2)

        answer = await keep("PATCH", "/v1/locations/berlin", {"active": False})

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/location-in-use"
        assert answer.json()["reserved"] == 2

    async def test_the_main_location_stays_open(self, keep):
        answer = await keep("PATCH", "/v1/locations/main", {"active": False})

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/main-location"

    async def test_cannot_take_the_code_of_another(self, keep, berlin):
        answer = await keep("PATCH", "/v1/locations/berlin", {"code": "main"})

        assert answer.json()["type"] == "/problems/location-code-taken"

    async def test_a_level_that_opens_in_a_closed_location_knows(
        self, keep, berlin, a_product
    ):
        await a_product("TEA", on_hand=0)
        await keep("PATCH", "/v1/locations/berlin", {"active": False})
        line = {"sku": "TEA", "location": "berlin", "delta": 5}
        body = {"reason": "received", "kind": "receipt", "lines": [line]}

        await keep("POST", "/v1/inventory/adjustments", body)

        assert (await keep("GET", "/v1/inventory/TEA")).json()["total_available"] == 0
