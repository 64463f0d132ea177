"""Shelves on shelves: made, moved, renamed and taken down."""

import asyncio
from uuid import UUID

import pytest
from cases import cases

from holdfast.domain.catalog import tree
from holdfast.workflows.categories import RENAMED, show_products

ANY = {"If-Match": "*"}


@pytest.fixture
async def operator(an_operator):
    made = await an_operator("products:write", "products:read")
    return {**made, **ANY}


@pytest.fixture
def shelf(client, operator):
    """Make a category under another; returns the answer."""

    async def make(name, parent=None, **fields):
        body = {"name": name, "parent": parent, **fields}
        return await client.post("/v1/categories", json=body, headers=operator)

    return make


@pytest.fixture
async def drinks(shelf):
    """drinks > tea > (green, black), and cups beside."""
    for name, parent in (
        *(("Drinks", None), ("Tea", "drinks"), ("Green", "tea")),
        *(("Black", "tea"), ("Cups", None)),
    ):
        (await shelf(name, parent)).raise_for_status()


@pytest.fixture
def handles(client):
    """The handles in a list of categories."""

    async def read(asked):
        page = await client.get(f"/v1/categories?{asked}")
        return [
            category["handle"] for category in page.raise_for_status().json()["items"]
        ]

    return read


@pytest.fixture
def change(client, operator):
    async def send(category, **fields):
        return await client.patch(
            f"/v1/categories/{category}", json=fields, headers=operator
        )

    return send


@pytest.mark.usefixtures("drinks")
class TestTree:
    async def test_is_read_level_by_level_or_whole(self, handles):
        assert await handles("roots=true") == ["drinks", "cups"]
        assert await handles("parent=tea") == ["green", "black"]
        assert await handles("under=drinks") == ["tea", "green", "black"]
        assert await handles("under=cups") == []
        assert len(await handles("")) == 5

    async def test_moves_with_all_that_is_below(self, change, handles):
        moved = await change("tea", parent="cups")

        assert moved.status_code == 200
        assert await handles("under=cups") == ["tea", "green", "black"]
        assert await handles("under=drinks") == []
        assert (await change("tea", parent=None)).json()["parent_id"] is None

    @pytest.mark.parametrize("parent", ["tea", "green", "nowhere"])
    async def test_never_is_a_cycle(self, change, handles, parent):
        answer = await change("tea", parent=parent)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/category-invalid"
        assert answer.json()["errors"][0]["pointer"] == "/parent"
        assert await handles("under=drinks") == ["tea", "green", "black"]

    async def test_is_no_cycle_when_two_move_at_once(self, change, handles):
        async with asyncio.TaskGroup() as group:
            both = [
                group.create_task(change("drinks", parent="cups")),
                group.create_task(change("cups", parent="drinks")),
            ]

        assert sorted(task.result().status_code for task in both) == [200, 422]
        assert len(await handles("roots=true")) == 1

    async def test_is_so_deep_and_no_deeper(self, shelf, change):
        above = "black"
        for level in range(4, tree.MAX_LEVELS + 1):
            made = await shelf(f"Level {level}", above)
            assert made.status_code == 201, made.text
            above = made.json()["handle"]

        deeper = await shelf("Level 11", above)
        moved = await change("drinks", parent="cups")

        for answer in (deeper, moved):
            assert answer.status_code == 422
            assert "deeper than 10" in answer.json()["errors"][0]["detail"]


@pytest.mark.usefixtures("drinks")
class TestChange:
    async def test_changes_what_is_given_and_raises_the_version(self, client, change):
        changed = await change(
            "tea",
            position=3,
            description_html="<p onclick=x>Tea</p><script>x</script>",
            seo_title="All tea",
        )

        shown = changed.json()
        assert (shown["version"], shown["position"]) == (2, 3)
        assert shown["description_html"] == "<p>Tea</p>"
        read = await client.get("/v1/categories/tea")
        assert (read.json(), read.headers["ETag"]) == (
            *(shown, changed.headers["ETag"]),
        )
        again = {"If-None-Match": read.headers["ETag"]}
        spared = await client.get("/v1/categories/tea", headers=again)
        assert spared.status_code == 304

    async def test_needs_the_version_it_was_made_for(self, client, operator):
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        for headers, status in ((blind, 428), ({**blind, "If-Match": '"9"'}, 412)):
            for send in (
                client.patch("/v1/categories/tea", json={}, headers=headers),
                client.delete("/v1/categories/tea", headers=headers),
            ):
                assert (await send).status_code == status

    async def test_that_says_nothing_new_changes_nothing(self, client, change):
        assert (await change("tea", name="Tea")).json()["version"] == 1

    @cases(
        ("wrong", "type_"),
        [
            ({"name": ""}, "category-invalid"),
            ({"handle": "Not a handle"}, "category-invalid"),
            ({"handle": "cups"}, "duplicate-handle"),
            ({"name": "a\nb"}, "category-invalid"),
            ({"position": -1}, "category-invalid"),
            ({"nonsense": 1}, "invalid-request"),
        ],
    )
    async def test_says_what_is_wrong(self, change, wrong, type_):
        answer = await change("tea", **wrong)

        assert answer.json()["type"] == f"/problems/{type_}"

    async def test_of_a_name_reaches_its_products(self, client, operator, change, shop):
        product = {
            "title": "Sencha",
            "status": "active",
            "categories": ["green"],
            "variants": [{"sku": "S", "price": {"amount": 1, "currency": "EUR"}}],
        }
        await client.post("/v1/products", json=product, headers=operator)
        renamed = (await change("green", name="Green tea")).json()

        await show_products(shop.db, renamed["id"])

        shown = (await client.get("/v1/products/sencha")).json()
        assert shown["categories"][0]["name"] == "Green tea"
        assert shown["version"] == 2

    async def test_of_a_place_reaches_its_products(
        self, client, operator, change, shop
    ):
        product = {
            "title": "Sencha",
            "status": "active",
            "categories": ["black", "green"],
            "variants": [{"sku": "S", "price": {"amount": 1, "currency": "EUR"}}],
        }
        made = await client.post("/v1/products", json=product, headers=operator)
        before = [category["handle"] for category in made.json()["categories"]]
        await change(before[0], position=5)

        (told,) = await shop.db.fetch(
            "SELECT payload FROM outbox WHERE type = $1", RENAMED
        )
        await show_products(shop.db, UUID(told["payload"]["category_id"]))

        shown = (await client.get("/v1/products/sencha")).json()
        after = [category["handle"] for category in shown["categories"]]
        assert after == before[::-1]


@pytest.mark.usefixtures("drinks")
class TestDelete:
    async def test_takes_down_what_is_empty(self, client, operator):
        full = await client.delete("/v1/categories/tea", headers=operator)
        gone = await client.delete("/v1/categories/green", headers=operator)

        assert full.status_code == 409
        assert (full.json()["categories"], full.json()["products"]) == (2, 0)
        assert gone.status_code == 204
        assert (await client.get("/v1/categories/green")).status_code == 404
