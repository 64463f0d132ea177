"""Levels and their ledger: listed, filtered, set up."""

from cases import cases

from holdfast.domain import inventory
from holdfast.domain.inventory import MAIN

FAR = "9999-12-31T23:59:59-05:00"


class TestBrowse:
    async def test_pages_visit_each_level_once_by_sku(self, keep, berlin, a_product):
        for sku in ("TEA", "CUP", "POT"):
            await a_product(sku, on_hand=3)
        lines = [{"sku": sku, "location": berlin, "delta": 1} for sku in ("TEA", "CUP")]
        await keep(
            "POST", "/v1/inventory/adjustments", {"reason": "found", "lines": lines}
        )

        seen, path = [], "/v1/inventory?limit=2"
        while path is not None:
            page = await keep("GET", path)
            seen += [(n["sku"], n["location"]) for n in page.json()["items"]]
            link = page.headers.get("link")
            path = link and link.partition(">")[0].removeprefix("<")

        assert [sku for sku, _ in seen] == ["CUP", "CUP", "POT", "TEA", "TEA"]
        assert len(set(seen)) == 5

    async def test_filters(self, keep, berlin, a_product, order_of):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=5)
        path = "/v1/inventory/TEA/locations/main"
        await keep("PATCH", path, {"low_stock_threshold": 2})

        async def skus(query):
            listed = (await keep("GET", f"/v1/inventory{query}")).json()["items"]
            return [n["sku"] for n in listed]

        assert await skus("?sku=TEA") == ["TEA"]
        assert await skus("?sku=te") == []
        assert await skus("?location=berlin") == []
        assert await skus("?low=true") == []
        await order_of("TEA", 3)
        assert await skus("?low=true&location=main") == ["TEA"]

    @cases(
        ("query", "slug"),
        [
            ("?location=nowhere", "location-not-found"),
            ("?low=maybe", "invalid-request"),
            ("?after=x", "bad-cursor"),
            ("?limit=0", "invalid-request"),
            ("?unknown=1", "invalid-request"),
        ],
    )
    async def test_a_filter_at_fault_is_refused(self, keep, query, slug):
        answer = await keep("GET", f"/v1/inventory{query}")

        assert answer.json()["type"] == f"/problems/{slug}"


class TestSettings:
    async def test_changes_what_it_says_and_keeps_the_rest(self, keep, a_product):
        await a_product("TEA", on_hand=10)
        path = "/v1/inventory/TEA/locations/main"
        await keep("PATCH", path, {"safety_stock": 4, "low_stock_threshold": 2})

        answer = await keep(
            "PATCH", path, {"backorder_limit": 3, "low_stock_threshold": None}
        )

        level = answer.json()
        assert answer.status_code == 200
        assert (level["safety_stock"], level["backorder_limit"]) == (4, 3)
        assert level["low_stock_threshold"] is None
        assert level["available"] == 9

    async def test_what_buyers_see_follows(self, client, keep, berlin, a_product):
        tea = await a_product("TEA", on_hand=10, status="active")
        line = {"sku": "TEA", "location": berlin, "delta": 5}
        await keep(
            "POST", "/v1/inventory/adjustments", {"reason": "found", "lines": [line]}
        )
        await keep("PATCH", "/v1/inventory/TEA/locations/main", {"safety_stock": 40})

        listed = (await client.get("/v1/products")).json()["items"]

        (variant,) = listed[0]["variants"]
        assert (variant["id"], variant["available"]) == (str(tea), 5)

    async def test_a_limit_cannot_break_a_promise(self, keep, a_product, order_of):
        await a_product("TEA", on_hand=1)
        path = "/v1/inventory/TEA/locations/main"
        await keep("PATCH", path, {"backorder_limit": 9})
        await order_of("TEA", 8)

        answer = await keep("PATCH", path, {"backorder_limit": 6})

        assert answer.json()["type"] == "/problems/stock-below-reserved"
        assert (await keep("PATCH", path, {"backorder_limit": 7})).status_code == 200

    @cases(
        "body",
        [
            {"safety_stock": -1},
            {"safety_stock": None},
            {"backorder_limit": 10**18},
            {"low_stock_threshold": "2"},
            {"on_hand": 3},
        ],
    )
    async def test_a_body_at_fault_changes_nothing(self, keep, tea, body):
        answer = await keep("PATCH", "/v1/inventory/TEA/locations/main", body)

        assert answer.status_code == 422

    async def test_of_what_is_not_there_are_not_found(self, keep, a_product):
        await a_product("TEA")

        sku = await keep("PATCH", "/v1/inventory/POT/locations/main", {})
        place = await keep("PATCH", "/v1/inventory/TEA/locations/nowhere", {})

        assert sku.json()["type"] == "/problems/unknown-stock"
        assert place.json()["type"] == "/problems/location-not-found"


class TestLedger:
    async def test_filters_and_pages(self, client, keep, berlin, a_product, clock):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=5)
        started = clock().isoformat()
        clock.advance(hours=1)
        lines = [{"sku": sku, "location": berlin, "delta": 1} for sku in ("TEA", "CUP")]
        body = {"kind": "receipt", "reason": "received", "lines": lines}
        await keep("POST", "/v1/inventory/adjustments", body)
        later = clock().isoformat()

        async def moved(**query):
            answer = await keep("GET", "/v1/stock-movements", params=query)
            return [(n["sku"], n["location"]) for n in answer.json()["items"]]

        assert len(await moved()) == 4
        assert await moved(sku="TEA") == [("TEA", "berlin"), ("TEA", "main")]
        assert await moved(location="berlin", sku="CUP") == [("CUP", "berlin")]
        assert await moved(kind="receipt") == [("CUP", "berlin"), ("TEA", "berlin")]
        assert len(await moved(actor="test")) == 2
        assert len(await moved(since=later)) == 2
        assert len(await moved(until=later, since=started)) == 2
        ever = {"since": "0001-01-01T00:00:00+01:00", "until": FAR}
        assert len(await moved(**ever)) == 4
        first = await keep("GET", "/v1/stock-movements?limit=3&actor=test")
        assert first.json()["next"] is None

    async def test_of_an_order(self, keep, a_product, order_of, shop, clock):
        from_order = await a_product("TEA", on_hand=5)
        order_id = await order_of("TEA", 2)
        async with shop.db.transaction() as tx:
            await inventory.ship(
                *(tx, order_id, {from_order: 2}),
                location_id=MAIN,
                actor="test",
                reference="parcel",
                at=clock(),
            )

        answer = await keep("GET", f"/v1/stock-movements?order_id={order_id}")

        (sale,) = answer.json()["items"]
        assert (sale["kind"], sale["delta"]) == ("sale", -2)

    @cases(
        ("query", "slug"),
        [
            ("?kind=theft", "invalid-request"),
            ("?since=yesterday", "invalid-request"),
            ("?order_id=1", "invalid-request"),
            ("?sku=POT", "unknown-stock"),
            ("?location=nowhere", "location-not-found"),
            ("?after=x", "bad-cursor"),
        ],
    )
    async def test_a_filter_at_fault_is_refused(self, keep, query, slug):
        answer = await keep("GET", f"/v1/stock-movements{query}")

        assert answer.json()["type"] == f"/problems/{slug}"
