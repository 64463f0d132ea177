"""What goes with what."""

import pytest
from cases import cases

ANY = {"If-Match": "*"}


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, **ANY}


@pytest.fixture
async def goods(client, operator):
    """A pot, a cup, and a tea that is not on sale; their ids by handle."""
    ids = {}
    for handle, status in (("pot", "active"), ("cup", "active"), ("tea", "draft")):
        body = {
            "title": handle,
            "status": status,
            "variants": [{"sku": handle, "price": {"amount": 1, "currency": "EUR"}}],
        }
        made = await client.post("/v1/products", json=body, headers=operator)
        ids[handle] = made.json()["id"]
    return ids


@pytest.fixture
def relate(client, operator):
    async def send(*products, **headers):
        return await client.put(
            "/v1/products/pot/related",
            json={"products": products},
            headers={**operator, **headers},
        )

    return send


class TestRelated:
    async def test_are_in_their_order_and_those_on_sale(
        self, client, operator, goods, relate
    ):
        put = await relate("tea", goods["cup"])

        everything = await client.get("/v1/products/pot/related", headers=operator)
        on_sale = await client.get("/v1/products/pot/related")
        assert put.json() == everything.json()
        assert put.headers["ETag"] == everything.headers["ETag"]
        handles = [one["handle"] for one in everything.json()["items"]]
        assert handles == ["tea", "cup"]
        assert [one["handle"] for one in on_sale.json()["items"]] == ["cup"]
        again = {"If-None-Match": on_sale.headers["ETag"]}
        spared = await client.get("/v1/products/pot/related", headers=again)
        assert spared.status_code == 304

    @pytest.mark.usefixtures("goods")
    async def test_raise_the_version_when_they_change(self, client, operator, relate):
        for named in (("cup",), ("cup",), ()):
            await relate(*named)

        shown = (await client.get("/v1/products/pot")).json()
        told = await client.get("/v1/products/pot/history", headers=operator)
        assert shown["version"] == 3
        assert told.json()["items"][0]["changes"][0]["field"] == "/related"

    async def test_go_with_a_product_that_is_deleted(
        self, client, operator, goods, relate
    ):
        await relate("cup")

        gone = await client.delete(f"/v1/products/{goods['cup']}", headers=operator)

        assert gone.status_code == 204
        assert (await client.get("/v1/products/pot/related")).json() == {"items": []}

    @cases(
        ("named", "faults"),
        [
            (["none"], ["/products/0"]),
            (["Not a handle", "cup"], ["/products/0"]),
            (["cup", "cup", "pot"], ["/products/1", "/products/2"]),
            (["cup"] * 51, ["/products"]),
        ],
    )
    @pytest.mark.usefixtures("goods")
    async def test_name_what_is_wrong(self, relate, named, faults):
        answer = await relate(*named)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == faults

    @pytest.mark.usefixtures("goods")
    async def test_need_the_version(self, client, operator, relate):
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        path = "/v1/products/pot/related"

        without = await client.put(path, json={"products": []}, headers=blind)
        stale = await relate("cup", **{"If-Match": '"9"'})

        assert (without.status_code, stale.status_code) == (428, 412)
