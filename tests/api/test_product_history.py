"""Who changed what, as operators read it."""

import pytest

from holdfast.kernel.ids import new_id

BODY = {
    "title": "Tea",
    "status": "active",
    "variants": [{"sku": "TEA-1", "price": {"amount": 490, "currency": "EUR"}}],
}


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, "If-Match": "*"}


class TestHistory:
    async def test_tells_every_change_with_its_actor_the_latest_first(
        self, client, operator, clock
    ):
        made = await client.post("/v1/products", json=BODY, headers=operator)
        path = made.headers["Location"]
        clock.advance(seconds=5)
        price = {"amount": 390, "currency": "EUR"}
        await client.patch(
            path,
            json={"title": "Chai", "variants": [{"sku": "TEA-1", "price": price}]},
            headers=operator,
        )
        await client.patch(path, json={"title": "Chai"}, headers=operator)

        told = await client.get(f"{path}/history", headers=operator)
        by_handle = await client.get("/v1/products/tea/history", headers=operator)

        changed, created = told.json()["items"]
        assert by_handle.json() == told.json()
        assert (created["action"], created["version"]) == ("created", 1)
        assert (changed["action"], changed["version"]) == ("changed", 2)
        assert changed["actor"].startswith("key:")
        assert changed["at"] > created["at"]
        assert changed["changes"] == [
            {"field": "/title", "old": "Tea", "new": "Chai"},
            {
                "field": "/variants/TEA-1/price",
                "old": {"amount": 490, "currency": "EUR"},
                "new": price,
            },
        ]

    async def test_comes_in_pages(self, client, operator):
        made = await client.post("/v1/products", json=BODY, headers=operator)
        path = made.headers["Location"]
        for title in ("A", "B"):
            await client.patch(path, json={"title": title}, headers=operator)

        versions, link = [], f"{path}/history?limit=1"
        while link is not None:
            page = await client.get(link, headers=operator)
            versions += [note["version"] for note in page.json()["items"]]
            link = page.links.get("next", {}).get("url")

        assert versions == [3, 2, 1]

    async def test_is_nothing_of_a_product_there_never_was(self, client, operator):
        for name in (new_id(), "never"):
            answer = await client.get(f"/v1/products/{name}/history", headers=operator)

            assert answer.status_code == 404
