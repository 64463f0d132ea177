"""Products as a client sees them."""

import re
from contextlib import AsyncExitStack

import pytest
from cases import cases
from polling import is_polled

from holdfast.platform.db import Database

BODY = {
    "title": "Crème Tea",
    "status": "active",
    "description_html": "<p onclick='x()'>A cup</p>",
    "options": [{"name": "Size", "values": ["S", "L"]}],
    "variants": [
        {
            "sku": "TEA-S",
            "price": {"amount": 490, "currency": "EUR"},
            "options": {"Size": "S"},
        },
        {
            "sku": "TEA-L",
            "price": {"amount": 900, "currency": "EUR"},
            "compare_at_price": {"amount": 1000, "currency": "EUR"},
            "options": {"Size": "L"},
            "weight_grams": 250,
            "barcode": "0123",
        },
    ],
}


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write", "products:read")


@pytest.fixture
async def tea(client, operator):
    """A product that is on sale."""
    made = await client.post("/v1/products", json=BODY, headers=operator)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
def statements(monkeypatch):
    """Every statement that is read from here on."""
    seen = []
    read = Database._read

    async def counted(self, method, query, args):
        if not is_polled(query):
            seen.append(query)
        return await read(self, method, query, args)

    monkeypatch.setattr(Database, "_read", counted)
    return seen


# Fixed, because every test process must name its tests alike.
NOBODYS_ID = "01a205b5-8c52-787d-a479-e3a655f76aae"


class TestBrowse:
    async def test_gives_pages_with_a_link_to_the_next(
        self, client, a_product, statements
    ):
        for number in range(5):
            await a_product(f"SKU-{number}")
        statements.clear()

        first = await client.get("/v1/products?limit=3")
        link = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])[1]
        second = await client.get(link)

        assert first.headers["Content-Type"] == "application/json"
        skus = [
            item["variants"][0]["sku"]
            for page in (first, second)
            for item in page.json()["items"]
        ]
        assert skus == [f"SKU-{number}" for number in range(5)]
        assert second.json()["next"] is None
        assert "Link" not in second.headers
        assert first.json()["items"][0]["variants"][0]["available"] == 10
        # The products, and what they cost whoever asks.
        assert len(statements) == 4

    async def test_needs_two_statements_for_a_page_of_a_category(
        self, client, operator, a_product, statements
    ):
        await client.post("/v1/categories", json={"name": "Teas"}, headers=operator)
        for number in range(20):
            await a_product(f"SKU-{number}")
        await client.get("/v1/products?q=warm")
        statements.clear()

        page = await client.get("/v1/products?category=teas&q=title")

        assert page.status_code == 200
        assert len(statements) == 2

    async def test_is_an_empty_list_in_an_empty_shop(self, client):
        assert (await client.get("/v1/products")).json() == {"items": [], "next": None}

    async def test_finds_by_words_and_keeps_them_in_the_link(self, client, a_product):
        for sku in ("A", "B"):
            await a_product(sku)

        page = await client.get("/v1/products", params={"q": "title of", "limit": 1})
        nothing = await client.get("/v1/products?q=zzz")
        blank = await client.get("/v1/products?q=%20")

        assert page.headers["Link"].startswith("</v1/products?limit=1&q=title+of&after")
        assert nothing.json()["items"] == []
        assert len(blank.json()["items"]) == 2

    async def test_is_of_a_category_by_handle_or_id(self, client, operator, tea):
        made = await client.post(
            "/v1/categories", json={"name": "Teas"}, headers=operator
        )
        await client.patch(
            f"/v1/products/{tea['id']}",
            json={"categories": ["teas"]},
            headers={**operator, "If-Match": "*"},
        )

        for key in ("teas", made.json()["id"]):
            page = await client.get(f"/v1/products?category={key}")
            assert [item["id"] for item in page.json()["items"]] == [tea["id"]]
        unknown = await client.get("/v1/products?category=none")
        assert unknown.status_code == 404
        assert unknown.json()["type"] == "/problems/category-not-found"

    async def test_shows_what_is_not_on_sale_to_operators_alone(
        self, client, operator, a_product
    ):
        await a_product("SOLD", status="active")
        await a_product("HIDDEN", status="draft")

        async def skus(query="", headers=None):
            page = await client.get(f"/v1/products{query}", headers=headers)
            return [item["variants"][0]["sku"] for item in page.json()["items"]]

        assert await skus() == ["SOLD"]
        assert await skus("?status=draft") == []
        assert await skus("?q=hidden") == []
        assert await skus(headers=operator) == ["SOLD", "HIDDEN"]
        assert await skus("?status=draft", operator) == ["HIDDEN"]

    @cases(
        ("query", "status", "slug"),
        [
            ("limit=0", 422, "invalid-request"),
            ("limit=101", 422, "invalid-request"),
            ("limit=x", 422, "invalid-request"),
            ("after=x", 422, "bad-cursor"),
            ("q=" + "a" * 201, 422, "invalid-request"),
            ("q=%00", 422, "invalid-request"),
            ("q=%ff", 400, "malformed-request"),
            ("category=..%2F..%2Fetc", 404, "category-not-found"),
            ("status=sold", 422, "invalid-request"),
            ("colour=red", 422, "invalid-request"),
        ],
    )
    async def test_refuses_a_question_it_does_not_understand(
        self, client, query, status, slug
    ):
        answer = await client.get(f"/v1/products?{query}")

        assert (answer.status_code, answer.json()["type"]) == (
            status,
            f"/problems/{slug}",
        )

    @cases("q", ["'", "\\", "a & | !", ":*", "(", "<->", "--", "🫖"])
    async def test_answers_whatever_is_searched_for(self, client, q):
        assert (await client.get("/v1/products", params={"q": q})).status_code == 200


class TestShow:
    async def test_answers_by_id_and_by_handle(self, client, tea, statements):
        statements.clear()

        by_id = await client.get(f"/v1/products/{tea['id']}")
        by_handle = await client.get("/v1/products/creme-tea")

        assert by_id.json() == by_handle.json()
        assert by_id.json() | {"variants": tea["variants"]} == tea
        # One of its prices is compared with another: what that was is one more each.
        assert len(statements) == 4

    async def test_takes_one_statement_where_the_price_says_it_all(
        self, client, a_product, statements
    ):
        await a_product("CUP")
        (cup,) = (await client.get("/v1/products")).json()["items"]
        statements.clear()

        assert (await client.get(f"/v1/products/{cup['handle']}")).json() == cup
        assert len(statements) == 1

    async def test_hides_what_is_not_on_sale(self, client, operator):
        body = BODY | {"status": "draft"}
        made = await client.post("/v1/products", json=body, headers=operator)
        path = made.headers["Location"]

        assert (await client.get(path)).status_code == 404
        shown = (await client.get(path, headers=operator)).json()
        assert shown["id"] == made.json()["id"]

    @cases("key", ["none", "..%2f..%2fetc%2fpasswd", "%2e%2e", "Crème", NOBODYS_ID])
    async def test_says_that_there_is_none(self, client, key):
        answer = await client.get(f"/v1/products/{key}")

        assert answer.status_code == 404


class TestCreate:
    async def test_answers_with_the_product_and_its_address(self, client, operator):
        made = await client.post("/v1/products", json=BODY, headers=operator)

        product = made.json()
        assert made.status_code == 201
        assert made.headers["Location"] == f"/v1/products/{product['id']}"
        assert product["handle"] == "creme-tea"
        assert product["description_html"] == "<p>A cup</p>"
        assert product["created_at"] == "2026-11-27T08:00:00.000000Z"
        large = product["variants"][1]
        assert large | {"id": ""} == {
            "id": "",
            "sku": "TEA-L",
            "title": "L",
            "options": {"Size": "L"},
            "price": {"amount": 900, "currency": "EUR"},
            "compare_at_price": {"amount": 1000, "currency": "EUR"},
            "weight_grams": 250,
            "barcode": "0123",
            "image_id": None,
            "available": 0,
        }
        assert list(product) == [
            "id",
            "handle",
            "title",
            "description_html",
            "vendor",
            "product_type",
            "status",
            "tags",
            "options",
            "categories",
            "images",
            "variants",
            "created_at",
            "updated_at",
            "version",
            "seo_title",
            "seo_description",
            "publish_at",
            "unpublish_at",
            "attributes",
        ]

    @cases(
        ("change", "slug", "pointer"),
        [
            ({"colour": "red"}, "invalid-request", "/colour"),
            ({"title": 5}, "invalid-request", "/title"),
            ({"title": ""}, "product-invalid", "/title"),
            ({"variants": []}, "product-invalid", "/variants"),
            ({"handle": "../../etc/passwd"}, "product-invalid", "/handle"),
            ({"status": "sold"}, "invalid-request", "/status"),
            ({"categories": ["none"]}, "product-invalid", "/categories/0"),
            ({"images": [{"url": "file:///etc"}]}, "product-invalid", "/images/0/url"),
            (
                {"options": [{"name": "Size", "values": []}]},
                "product-invalid",
                "/options/0/values",
            ),
            (
                {"variants": [BODY["variants"][0] | {"price": {"amount": 1}}]},
                "invalid-request",
                "/variants/0/price/currency",
            ),
            (
                {
                    "variants": [
                        BODY["variants"][0]
                        | {"price": {"amount": 10**18, "currency": "EUR"}}
                    ]
                },
                "invalid-request",
                "/variants/0/price/amount",
            ),
            (
                {
                    "variants": [
                        BODY["variants"][0]
                        | {"price": {"amount": 1, "currency": "XXX"}}
                    ]
                },
                "product-invalid",
                "/variants/0/price/currency",
            ),
            ({"title": "a\x00"}, "invalid-request", "/title"),
        ],
    )
    async def test_names_the_field_it_refuses(
        self, client, operator, change, slug, pointer
    ):
        answer = await client.post("/v1/products", json=BODY | change, headers=operator)

        assert answer.status_code == 422
        assert answer.json()["type"] == f"/problems/{slug}"
        assert answer.json()["errors"][0]["pointer"] == pointer

    @pytest.mark.usefixtures("tea")
    async def test_refuses_a_handle_or_sku_that_is_taken(self, client, operator):
        same = await client.post("/v1/products", json=BODY, headers=operator)
        other = await client.post(
            "/v1/products", json=BODY | {"handle": "other"}, headers=operator
        )

        assert (same.status_code, same.json()["type"]) == (
            409,
            "/problems/duplicate-handle",
        )
        assert same.json()["handle"] == "creme-tea"
        assert (other.status_code, other.json()["type"]) == (
            409,
            "/problems/duplicate-sku",
        )
        assert other.json()["sku"] == "TEA-S"

    async def test_is_for_operators_with_the_scope(self, client, an_operator):
        reader = await an_operator("products:read")

        assert (await client.post("/v1/products", json=BODY)).status_code == 401
        refused = await client.post("/v1/products", json=BODY, headers=reader)
        assert refused.status_code == 403


class TestLooking:
    async def test_goes_on_while_all_connections_of_writers_are_taken(
        self, shop, client, tea
    ):
        """As they are while every commit waits for a slow disk."""
        (one,) = (await client.get("/v1/products")).json()["items"]
        async with AsyncExitStack() as borrowed:
            for _ in range(shop.settings.database_pool_size):
                await borrowed.enter_async_context(shop.db.acquire())

            for path in (
                *("/v1/products?currency=EUR", f"/v1/products/{one['handle']}"),
                *("/v1/products?q=tea", "/v1/search?q=tea", "/v1/suggestions?q=te"),
            ):
                answer = await client.get(path)
                assert answer.status_code == 200, path
