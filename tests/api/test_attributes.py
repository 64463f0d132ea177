"""What is said of products besides, by definitions that hold."""

import pytest
from cases import cases

from holdfast.kernel.ids import new_id
from holdfast.workflows.attributes import show_products

PRODUCT = {
    "title": "Table",
    "status": "active",
    "variants": [{"sku": "T", "price": {"amount": 1, "currency": "EUR"}}],
}


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, "If-Match": "*"}


@pytest.fixture
def define(client, operator):
    async def send(code, type_="text", **fields):
        body = {"code": code, "name": code.title(), "type": type_, **fields}
        return await client.post("/v1/attributes", json=body, headers=operator)

    return send


@pytest.fixture
async def defined(define):
    for code, type_, fields in (
        ("material", "choice", {"choices": ["oak", "beech"], "filterable": True}),
        ("depth", "number", {}),
        ("goes_with", "reference", {}),
    ):
        (await define(code, type_, **fields)).raise_for_status()


@pytest.fixture
def table(client, operator):
    """Make a table with these attributes; returns the answer."""

    async def make(**attributes):
        body = PRODUCT | {"attributes": attributes}
        return await client.post("/v1/products", json=body, headers=operator)

    return make


@pytest.mark.usefixtures("defined")
class TestDefinitions:
    async def test_are_listed_in_order_and_found(self, client):
        first = await client.get("/v1/attributes?limit=2")
        rest = await client.get(f"/v1/attributes?limit=2&after={first.json()['next']}")
        one = await client.get("/v1/attributes/depth")

        listed = first.json()["items"] + rest.json()["items"]
        assert [a["code"] for a in listed] == ["depth", "goes_with", "material"]
        assert one.json() == listed[0]
        assert (await client.get("/v1/attributes/none")).status_code == 404
        assert (await client.get("/v1/attributes/N%20o")).status_code == 404
        bad = await client.get("/v1/attributes?after=WyJ4IiwieSJd")
        assert bad.status_code == 422

    async def test_are_there_once(self, define):
        assert (await define("depth")).json()["code"] == "depth"

    async def test_are_changed_but_for_their_type(self, client, operator, shop):
        path = "/v1/attributes/material"
        said = {"name": "Wood", "choices": ["beech", "oak", "ash"], "filterable": False}

        changed = await client.patch(path, json=said, headers=operator)
        same = await client.patch(path, json=said, headers=operator)
        typed = await client.patch(path, json={"type": "text"}, headers=operator)

        assert changed.json().items() >= said.items()
        assert changed.json()["version"] == same.json()["version"] == 2
        assert typed.status_code == 422
        assert await show_products(shop.db, "material") == 0

    async def test_need_the_version(self, client, operator):
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        path = "/v1/attributes/depth"
        for headers, status in ((blind, 428), ({**blind, "If-Match": '"9"'}, 412)):
            changed = await client.patch(path, json={}, headers=headers)
            gone = await client.delete(path, headers=headers)
            assert (changed.status_code, gone.status_code) == (status, status)

    async def test_stay_while_products_have_values(self, client, operator, table):
        path = "/v1/attributes/material"
        made = await table(material="oak")

        fewer = await client.patch(path, json={"choices": ["beech"]}, headers=operator)
        gone = await client.delete(path, headers=operator)
        await client.patch(
            made.headers["Location"],
            json={"attributes": {"material": None}},
            headers=operator,
        )
        later = await client.delete(path, headers=operator)

        assert (fewer.status_code, fewer.json()["values"]) == (409, ["oak"])
        assert (gone.status_code, later.status_code) == (409, 204)


@pytest.mark.usefixtures("defined")
class TestValues:
    async def test_are_kept_merged_and_told_in_the_history(
        self, client, operator, table
    ):
        made = await table(material="oak", depth=40.5)

        changed = await client.patch(
            made.headers["Location"],
            json={"attributes": {"depth": None, "goes_with": made.json()["id"]}},
            headers=operator,
        )

        assert made.json()["attributes"] == {"material": "oak", "depth": 40.5}
        assert changed.json()["attributes"] == {
            "material": "oak",
            "goes_with": made.json()["id"],
        }
        read = await client.get("/v1/products/table")
        assert read.json() == changed.json()

    @cases(
        ("said", "pointer"),
        [
            ({"material": "glass"}, "/attributes/material"),
            ({"unheard_of": 1}, "/attributes/unheard_of"),
            ({"Not A Code": 1}, "/attributes/Not A Code"),
            ({"depth": "40"}, "/attributes/depth"),
            ({"goes_with": str(new_id())}, "/attributes/goes_with"),
        ],
    )
    async def test_are_held_to_their_definitions(self, table, said, pointer):
        answer = await table(**said)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
