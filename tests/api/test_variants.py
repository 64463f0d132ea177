"""Variants at addresses of their own, and what may be deleted."""

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PRICE = {"amount": 490, "currency": "EUR"}
BODY = {
    "title": "Tea",
    "status": "active",
    "images": [{"url": "/images/demo/a.webp"}],
    "options": [{"name": "Size", "values": ["S", "M", "L"]}],
    "variants": [
        {"sku": "TEA-S", "price": PRICE, "options": {"Size": "S"}},
        {"sku": "TEA-L", "price": PRICE, "options": {"Size": "L"}},
    ],
}
MEDIUM = {"sku": "TEA-M", "price": PRICE, "options": {"Size": "M"}}
ANY = {"If-Match": "*"}


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write", "products:read", "inventory:write")


@pytest.fixture
async def tea(client, operator):
    made = await client.post("/v1/products", json=BODY, headers=operator)
    return made.raise_for_status().json()


@pytest.fixture
def paths(tea):
    """Where the product is, its variants, and the second of them."""
    product = f"/v1/products/{tea['id']}"
    return (
        product,
        f"{product}/variants",
        f"{product}/variants/{tea['variants'][1]['id']}",
    )


class TestReads:
    async def test_are_what_the_product_says_of_it(self, client, paths, tea):
        one = await client.get(paths[2])
        by_handle = await client.get(paths[2].replace(tea["id"], "tea"))

        assert one.json() == by_handle.json() == tea["variants"][1]
        again = {"If-None-Match": one.headers["ETag"]}
        assert (await client.get(paths[2], headers=again)).status_code == 304

    async def test_come_in_pages(self, client, paths, tea):
        first = await client.get(f"{paths[1]}?limit=1")
        second = await client.get(f"{paths[1]}?limit=1&after={first.json()['next']}")

        assert first.json()["items"] + second.json()["items"] == tea["variants"]
        assert second.json()["next"] is None

    async def test_show_nothing_of_what_is_not_on_sale(self, client, operator, paths):
        await client.patch(
            paths[0], json={"status": "draft"}, headers={**operator, **ANY}
        )

        assert (await client.get(paths[1])).status_code == 404
        assert (await client.get(paths[2])).status_code == 404
        assert (await client.get(paths[2], headers=operator)).status_code == 200

    @pytest.mark.usefixtures("tea")
    async def test_say_that_there_is_none(self, client):
        answer = await client.get(f"/v1/products/tea/variants/{new_id()}")

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/variant-not-found"


class TestAdding:
    async def test_puts_one_behind_the_others_with_no_stock(
        self, client, operator, paths
    ):
        made = await client.post(paths[1], json=MEDIUM, headers=operator)

        product = (await client.get(paths[0])).json()
        assert made.status_code == 201
        assert product["variants"][2] == made.json()
        assert (made.json()["title"], made.json()["available"]) == ("M", 0)
        assert product["version"] == 2
        assert (await client.get(made.headers["Location"])).json() == made.json()

    @cases(
        ("wrong", "pointer"),
        [
            ({"sku": "TEA-S"}, "/sku"),
            ({"sku": ""}, "/sku"),
            ({"sku": "a\u0000b"}, "/sku"),
            ({"options": {"Size": "S"}}, "/options"),
            ({"options": {}}, "/options"),
            ({"options": {"Size": "XXL"}}, "/options/Size"),
            ({"price": {"amount": 1, "currency": "USD"}}, "/variants"),
            ({"price": {"amount": -1, "currency": "EUR"}}, "/price/amount"),
            ({"barcode": "a\nb"}, "/barcode"),
            ({"weight_grams": 10**15}, "/weight_grams"),
            ({"image_id": str(new_id())}, "/image_id"),
        ],
    )
    async def test_names_what_is_wrong(self, client, operator, paths, wrong, pointer):
        answer = await client.post(paths[1], json=MEDIUM | wrong, headers=operator)

        assert answer.status_code == 422, answer.text
        pointers = [error["pointer"] for error in answer.json()["errors"]]
        assert pointers == [pointer]
        assert (await client.get(paths[0])).json()["version"] == 1

    async def test_refuses_a_sku_of_another_product(
        self, client, operator, paths, a_product
    ):
        await a_product("MUG")

        answer = await client.post(
            paths[1], json=MEDIUM | {"sku": "MUG"}, headers=operator
        )

        assert answer.status_code == 409
        assert answer.json()["sku"] == "MUG"

    async def test_heeds_the_version_where_one_is_named(self, client, operator, paths):
        stale = {**operator, "If-Match": '"7"'}

        answer = await client.post(paths[1], json=MEDIUM, headers=stale)

        assert answer.status_code == 412


class TestChanging:
    async def test_changes_what_is_given_and_keeps_its_id(
        self, client, operator, paths, tea
    ):
        tag = (await client.get(paths[2])).headers["ETag"]
        picture = tea["images"][0]["id"]

        changed = await client.patch(
            paths[2],
            json={
                "sku": "TEA-XL",
                "options": {"Size": "M"},
                "barcode": "0123",
                "image_id": picture,
                "compare_at_price": {"amount": 900, "currency": "EUR"},
            },
            headers={**operator, "If-Match": tag},
        )

        expected = tea["variants"][1] | {
            "sku": "TEA-XL",
            "title": "M",
            "options": {"Size": "M"},
            "barcode": "0123",
            "image_id": picture,
            "compare_at_price": {"amount": 900, "currency": "EUR"},
        }
        assert changed.json() == expected
        product = (await client.get(paths[0])).json()
        # What it costs is told besides.
        assert product["variants"][1].items() >= expected.items()
        assert product["version"] == 2

    async def test_leaves_the_version_where_nothing_changes(
        self, client, operator, paths
    ):
        await client.patch(paths[2], json={"sku": "TEA-L"}, headers={**operator, **ANY})

        assert (await client.get(paths[0])).json()["version"] == 1

    async def test_refuses_the_sku_of_another_product(
        self, client, operator, paths, a_product
    ):
        await a_product("MUG")

        answer = await client.patch(
            paths[2], json={"sku": "MUG"}, headers={**operator, **ANY}
        )

        assert answer.json()["type"] == "/problems/duplicate-sku"

    async def test_forgets_an_image_that_the_product_lost(
        self, client, operator, paths, tea
    ):
        editor = {**operator, **ANY}
        picture = tea["images"][0]["id"]
        await client.patch(paths[2], json={"image_id": picture}, headers=editor)

        await client.patch(paths[0], json={"images": []}, headers=editor)

        assert (await client.get(paths[2])).json()["image_id"] is None


class TestDeleting:
    async def test_takes_the_variant_off_the_product(self, client, operator, paths):
        gone = await client.delete(paths[2], headers={**operator, **ANY})

        left = (await client.get(paths[0])).json()
        assert gone.status_code == 204
        assert [variant["sku"] for variant in left["variants"]] == ["TEA-S"]
        assert left["version"] == 2
        again = await client.post(paths[1], json=MEDIUM, headers=operator)
        assert again.status_code == 201

    async def test_needs_the_version(self, client, operator, paths):
        for headers, status in (
            (operator, 428),
            ({**operator, "If-Match": '"9"'}, 412),
        ):
            for path in (paths[0], paths[2]):
                gone = await client.delete(path, headers=headers)
                assert gone.status_code == status

    async def test_keeps_what_has_a_ledger(self, client, operator, paths):
        editor = {**operator, **ANY}
        for units in (1, 0):
            level = await client.put(
                "/v1/inventory/TEA-L", json={"on_hand": units}, headers=operator
            )
            assert level.status_code == 200

        variant = await client.delete(paths[2], headers=editor)
        product = await client.delete(paths[0], headers=editor)

        assert variant.json()["type"] == "/problems/variant-in-use"
        assert product.json()["skus"] == ["TEA-L"]
        assert (await client.get(paths[0])).json()["version"] == 1

    async def test_keeps_the_last(self, client, operator, paths, tea):
        editor = {**operator, **ANY}
        await client.delete(paths[2], headers=editor)

        last = await client.delete(
            f"{paths[1]}/{tea['variants'][0]['id']}", headers=editor
        )

        assert last.json()["type"] == "/problems/last-variant"

    async def test_ends_a_product_and_keeps_its_history(
        self, client, operator, paths, tea
    ):
        gone = await client.delete(paths[0], headers={**operator, **ANY})

        assert gone.status_code == 204
        assert (await client.get(paths[0], headers=operator)).status_code == 404
        told = await client.get(f"{paths[0]}/history", headers=operator)
        assert [note["action"] for note in told.json()["items"]] == [
            *("deleted", "created"),
        ]
        made = await client.post("/v1/products", json=BODY, headers=operator)
        assert made.status_code == 201
