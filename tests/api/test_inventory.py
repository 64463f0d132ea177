"""Stock as operators see it over HTTP."""

import pytest
from cases import cases

from holdfast.domain.inventory import MAX_LEVEL


@pytest.fixture
async def keeper(an_operator):
    return await an_operator("inventory:read", "inventory:write")


class TestShow:
    async def test_tells_what_is_there_and_what_is_free(
        self, client, a_product, keeper
    ):
        tea = await a_product("TEA", on_hand=7)

        answer = await client.get("/v1/inventory/TEA", headers=keeper)

        level = answer.json()
        assert answer.status_code == 200
        numbers = {
            "sku": "TEA",
            "variant_id": str(tea),
            "on_hand": 7,
            "reserved": 0,
            "available": 7,
            "updated_at": "2026-11-27T08:00:00Z",
        }
        settings = {
            "location": "main",
            "safety_stock": 0,
            "backorder_limit": 0,
            "low_stock_threshold": None,
        }
        assert level == {
            **numbers,
            "total_available": 7,
            "locations": [{**numbers, **settings}],
        }

    @cases("sku", ["NOBODY", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "x" * 3000])
    async def test_a_sku_nobody_keeps_is_not_found(self, client, keeper, sku):
        answer = await client.get(f"/v1/inventory/{sku}", headers=keeper)

        assert answer.status_code == 404

    @cases("sku", ["A B", "TEE-Ü", "50%", "a/b", "?", "#1", "a;b"])
    async def test_any_sku_has_an_address(self, client, a_product, keeper, sku):
        await a_product(sku, on_hand=7)
        quoted = "".join(f"%{byte:02x}" for byte in sku.encode())

        level = await client.get(f"/v1/inventory/{quoted}", headers=keeper)
        moved = await client.get(f"/v1/inventory/{quoted}/movements", headers=keeper)

        assert level.json()["sku"] == sku
        assert moved.json()["items"][0]["delta"] == 7


class TestChange:
    async def test_writes_the_difference_to_the_ledger(self, client, a_product, keeper):
        await a_product("TEA", on_hand=7)

        answer = await client.put(
            "/v1/inventory/TEA",
            json={"on_hand": 3, "reason": "broken cups"},
            headers=keeper,
        )
        moved = await client.get("/v1/inventory/TEA/movements", headers=keeper)

        assert (answer.status_code, answer.json()["available"]) == (200, 3)
        newest = moved.json()["items"][0]
        assert (newest["kind"], newest["delta"]) == ("adjustment", -4)
        assert newest["reason"] == "broken cups"
        assert newest["actor"].startswith("key:")

    async def test_the_same_level_again_moves_nothing(self, client, a_product, keeper):
        await a_product("TEA", on_hand=7)

        await client.put("/v1/inventory/TEA", json={"on_hand": 7}, headers=keeper)

        moved = await client.get("/v1/inventory/TEA/movements", headers=keeper)
        assert len(moved.json()["items"]) == 1

    async def test_cannot_break_a_promise_to_a_buyer(
        self, client, database, a_product, keeper
    ):
        await a_product("TEA", on_hand=7)
        async with database.transaction() as tx:
            await tx.execute("UPDATE stock SET reserved = 5")

        answer = await client.put(
            "/v1/inventory/TEA", json={"on_hand": 4}, headers=keeper
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/stock-below-reserved"
        assert answer.json()["reserved"] == 5

    @cases(
        "body",
        [
            {},
            {"on_hand": -1},
            {"on_hand": MAX_LEVEL + 1},
            {"on_hand": 10**18},
            {"on_hand": "3"},
            {"on_hand": 1.5},
            {"on_hand": None},
            {"on_hand": 3, "reserved": 0},
            {"on_hand": 3, "reason": "x" * 256},
            {"on_hand": 3, "reason": "\x00"},
        ],
    )
    async def test_a_body_at_fault_changes_nothing(
        self, client, database, tea, keeper, body
    ):
        answer = await client.put("/v1/inventory/TEA", json=body, headers=keeper)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        assert await database.fetchval("SELECT on_hand FROM stock") == 10

    async def test_a_sku_nobody_keeps_is_not_found(self, client, keeper):
        answer = await client.put(
            "/v1/inventory/TEA", json={"on_hand": 3}, headers=keeper
        )

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/unknown-stock"


class TestMovements:
    async def test_pages_visit_each_movement_once(self, client, a_product, keeper):
        await a_product("TEA", on_hand=1)
        for level in (2, 3, 4):
            body = {"on_hand": level}
            await client.put("/v1/inventory/TEA", json=body, headers=keeper)

        first = await client.get("/v1/inventory/TEA/movements?limit=3", headers=keeper)
        link = first.headers["link"].partition(">")[0].removeprefix("<")
        second = await client.get(link, headers=keeper)

        seen = first.json()["items"] + second.json()["items"]
        assert len({movement["id"] for movement in seen}) == 4
        assert second.json()["next"] is None

    async def test_of_a_sku_nobody_keeps_are_not_found(self, client, keeper):
        answer = await client.get("/v1/inventory/TEA/movements", headers=keeper)

        assert answer.status_code == 404


class TestAccess:
    @pytest.mark.parametrize(
        ("method", "path", "body", "scope"),
        [
            ("GET", "/v1/inventory/TEA", None, "inventory:read"),
            ("PUT", "/v1/inventory/TEA", {"on_hand": 1}, "inventory:write"),
            ("GET", "/v1/inventory/TEA/movements", None, "inventory:read"),
        ],
    )
    async def test_is_for_keys_with_the_scope(
        self, client, an_operator, method, path, body, scope
    ):
        other = "inventory:write" if scope == "inventory:read" else "inventory:read"
        weak = await an_operator(other)

        nobody = await client.request(method, path, json=body)
        refused = await client.request(method, path, json=body, headers=weak)

        assert nobody.status_code == 401
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
