"""Searching, as a client does it."""

import re

import pytest
from cases import cases

from holdfast.platform.db import Database
from holdfast.workflows import stock


def product(title, sku, *, price=100, size="M", **fields):
    return {
        "title": title,
        "status": "active",
        "options": [{"name": "Size", "values": [size]}],
        "variants": [
            {
                "sku": sku,
                "price": {"amount": price, "currency": "EUR"},
                "options": {"Size": size},
            }
        ],
        **fields,
    }


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write", "products:read")


@pytest.fixture
def sell(client, operator):
    """Put a product into the shop."""

    async def put(title, sku, **fields):
        body = product(title, sku, **fields)
        if sku.startswith("SAME-"):
            body["handle"] = sku.lower()
        made = await client.post("/v1/products", json=body, headers=operator)
        assert made.status_code == 201, made.text
        return made.json()

    return put


@pytest.fixture
async def mugs(sell):
    await sell("Blue Mug", "MUG-1", vendor="Acme", tags=["gift"], price=500)
    await sell("Red Mug", "MUG-2", vendor="Bolt, Inc.", price=700, size="L")
    await sell("Red Tea Towel", "TOWEL-1", vendor="Acme", price=900)


@pytest.fixture
def titles(client):
    """The titles that a search finds."""

    async def find(headers=None, **query):
        answer = await client.get("/v1/search", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        return [item["title"] for item in answer.json()["items"]]

    return find


@pytest.fixture
def statements(monkeypatch):
    """Every statement about products that is read from here on."""
    seen = []
    read = Database._read

    async def counted(self, method, query, args):
        if "product" in query or "search" in query:
            seen.append(query)
        return await read(self, method, query, args)

    monkeypatch.setattr(Database, "_read", counted)
    return seen


class TestFind:
    async def test_finds_a_product_in_the_request_after_its_write(
        self, client, operator, sell, titles
    ):
        made = await sell("Blue Mug", "CODE-1")
        before = await titles(q="blue")
        seen = await client.get(f"/v1/products/{made['id']}")
        await client.patch(
            f"/v1/products/{made['id']}",
            json={"title": "Green Cup"},
            headers=operator | {"If-Match": seen.headers["ETag"]},
        )

        assert before == ["Blue Mug"]
        assert await titles(q="green cup") == ["Green Cup"]
        assert await titles(q="mug") == []

    @pytest.mark.usefixtures("mugs")
    async def test_narrows_by_what_was_chosen(self, titles):
        assert await titles(vendor="Acme", sort="title") == [
            "Blue Mug",
            "Red Tea Towel",
        ]
        assert await titles(vendor='"Bolt, Inc."') == ["Red Mug"]
        assert await titles(option="Size:L") == ["Red Mug"]
        assert await titles(tag="gift", q="mug") == ["Blue Mug"]
        assert await titles(price_min=600, price_max=800, currency="EUR") == ["Red Mug"]
        assert await titles(price_min=1, currency="USD") == []
        assert await titles(available="true") == []

    @pytest.mark.usefixtures("mugs")
    async def test_counts_what_each_further_choice_would_show(self, client):
        answer = await client.get(
            "/v1/search", params={"q": "red", "vendor": "Acme", "facets": "true"}
        )

        page = answer.json()
        assert [item["title"] for item in page["items"]] == ["Red Tea Towel"]
        assert page["matches"] == {"count": 1, "exact": True}
        facets = {facet["name"]: facet["values"] for facet in page["facets"]}
        assert facets["vendor"] == [
            {"value": "Acme", "count": 1, "chosen": True},
            {"value": "Bolt, Inc.", "count": 1, "chosen": False},
        ]
        assert facets["option.Size"] == [{"value": "M", "count": 1, "chosen": False}]
        assert page["prices"] == [{"currency": "EUR", "low": 900, "high": 900}]

    @pytest.mark.usefixtures("mugs")
    async def test_says_how_many_can_be_bought(self, client, database, clock):
        await stock.set_level(
            database, "MUG-1", 1, reason="delivery", actor="test", clock=clock
        )

        page = (await client.get("/v1/search?q=mug&facets=true")).json()

        counts = {"available": 1, "unavailable": 1, "exact": True}
        assert page["availability"] == counts

    async def test_finds_numbers_from_one_to_another(
        self, client, operator, sell, titles
    ):
        await client.post(
            "/v1/attributes",
            json={"code": "ml", "name": "Ml", "type": "number", "filterable": True},
            headers=operator,
        )
        for title, size in (("Small Mug", 200), ("Large Mug", 400.5)):
            await sell(title, title, attributes={"ml": size})

        assert await titles(attribute="ml:200", q="mug") == ["Small Mug"]
        assert await titles(attribute="ml:300..", q="mug") == ["Large Mug"]
        assert await titles(attribute="ml:100..400.5", sort="title") == [
            "Large Mug",
            "Small Mug",
        ]

    @pytest.mark.usefixtures("mugs")
    async def test_says_what_it_took_for_a_typing_error(self, client):
        page = (await client.get("/v1/search?q=towle")).json()

        assert [item["title"] for item in page["items"]] == ["Red Tea Towel"]
        assert page["corrections"] == {"towle": ["towel"]}
        assert page["relaxed"] is False

    @pytest.mark.usefixtures("mugs")
    async def test_says_that_it_shows_what_has_some_of_the_words(self, client):
        page = (await client.get("/v1/search?q=blue+towel")).json()

        assert {item["title"] for item in page["items"]} == {
            "Blue Mug",
            "Red Tea Towel",
        }
        assert page["relaxed"] is True

    @pytest.mark.parametrize(
        "sort", ["relevance", "newest", "price", "-price", "title"]
    )
    async def test_leads_through_all_of_it_in_every_order(self, client, sell, sort):
        for number in range(7):
            await sell(f"Mug {number % 3}", f"SAME-{number}", price=100 * (number % 2))
        whole = (await client.get(f"/v1/search?q=mug&sort={sort}")).json()

        walked, path = [], f"/v1/search?q=mug&sort={sort}&limit=2"
        while path:
            page = await client.get(path)
            walked += page.json()["items"]
            link = page.headers.get("Link")
            path = link and re.fullmatch(r'<(.+)>; rel="next"', link)[1]

        assert [item["id"] for item in walked] == [
            item["id"] for item in whole["items"]
        ]
        assert len(walked) == 7

    async def test_needs_three_statements_for_a_page_of_20_with_facets(
        self, client, operator, sell, statements
    ):
        await client.post("/v1/categories", json={"name": "Mugs"}, headers=operator)
        for number in range(20):
            await sell(f"Mug {number}", f"MUG-{number}", categories=["mugs"])
        await client.get("/v1/search?q=warm")
        statements.clear()

        page = await client.get("/v1/search?q=mugg+blue&category=mugs&facets=true")

        assert len(page.json()["items"]) == 20
        assert len(statements) == 3

    async def test_is_of_a_category_with_all_below_it(
        self, client, operator, database, sell, titles
    ):
        ids = {}
        for name in ("Kitchen", "Mugs"):
            made = await client.post(
                "/v1/categories", json={"name": name}, headers=operator
            )
            ids[name] = made.json()["id"]
        await database.fetch(
            "UPDATE categories SET parent_id = $1 WHERE id = $2",
            ids["Kitchen"],
            ids["Mugs"],
        )
        await sell("Blue Mug", "MUG-1", categories=["mugs"])

        assert await titles(category="kitchen") == ["Blue Mug"]
        assert await titles(category=ids["Kitchen"], q="mug") == ["Blue Mug"]
        unknown = await client.get("/v1/search?category=none")
        assert unknown.status_code == 404
        assert unknown.json()["type"] == "/problems/category-not-found"

    async def test_shows_what_is_not_on_sale_to_operators_alone(
        self, client, operator, sell, titles
    ):
        await sell("Secret Mug", "MUG-1", status="draft")

        assert await titles(q="mug") == []
        assert await titles(q="mug", headers=operator) == ["Secret Mug"]
        refused = await client.get("/v1/search?status=draft")
        assert refused.json()["type"] == "/problems/filter-invalid"

    @pytest.mark.usefixtures("mugs")
    async def test_leaves_out_facets_first_under_load(self, client, shop):
        shop.load.guard.levels.force(1, until=float("inf"))

        page = (await client.get("/v1/search?q=mug&facets=true")).json()

        assert page["degraded"] == ["facets"]
        assert "facets" not in page
        assert len(page["items"]) == 2

    async def test_says_304_to_who_has_it(self, client, sell):
        await sell("Blue Mug", "MUG-1")
        first = await client.get("/v1/search?q=mug")

        again = await client.get(
            "/v1/search?q=mug", headers={"If-None-Match": first.headers["ETag"]}
        )

        assert again.status_code == 304

    @cases(
        ("query", "status", "slug"),
        [
            ("q=" + "a" * 10_000, 422, "invalid-request"),
            ("colour=red", 422, "invalid-request"),
            ("sort=best", 422, "invalid-request"),
            ("limit=0", 422, "invalid-request"),
            ("after=x", 422, "bad-cursor"),
            ("q=%00", 422, "invalid-request"),
            ("q=%ff", 400, "malformed-request"),
            ("price_min=5", 422, "filter-invalid"),
            ("price_min=99999999999999999999&currency=EUR", 422, "invalid-request"),
            ("currency=euro", 422, "invalid-request"),
            ("vendor=", 422, "filter-invalid"),
            ("vendor=%22", 422, "filter-invalid"),
            ("option=Size", 422, "filter-invalid"),
            ("attribute=ml:20..10", 422, "filter-invalid"),
            ("attribute=ml:ten..", 422, "filter-invalid"),
            ("attribute=nothing:1..2", 422, "filter-invalid"),
            ("attribute=nothing:Green", 422, "filter-invalid"),
            ("attribute=ml:%2E%2E", 422, "filter-invalid"),
            ("option=Size:M;Size:L", 422, "filter-invalid"),
            ("option=a:1;b:1;c:1;d:1;e:1;f:1;g:1", 422, "filter-invalid"),
            ("language=x%27", 422, "invalid-request"),
            ("available=maybe", 422, "invalid-request"),
            ("category=..%2F..%2Fetc", 404, "category-not-found"),
        ],
    )
    async def test_refuses_a_question_it_does_not_understand(
        self, client, query, status, slug
    ):
        answer = await client.get(f"/v1/search?{query}")

        assert (answer.status_code, answer.json()["type"]) == (
            status,
            f"/problems/{slug}",
        )

    @pytest.fixture
    async def mug(self, sell):
        await sell("Blue Mug", "MUG-1")

    @cases(
        "q",
        [
            *("'", "\\", "a & | !", ":*", "(", "<->", "--", "🫖", "%", "_", "^[a-z]+$"),
            *('"', '"a', "or", "or or", "-", "-a", "a\u0301", "שלום", "\u202etop"),
            *("<script>", "&amp;", "$1", "{}", "a" * 200, "ß ﬁ ﷺ", "1e400", "NaN"),
        ],
    )
    async def test_answers_whatever_is_searched_for(self, client, mug, q):
        for query in ({}, {"facets": "true", "sort": "price"}):
            answer = await client.get("/v1/search", params={"q": q, **query})
            assert answer.status_code == 200
        assert (await client.get("/v1/suggestions", params={"q": q})).status_code == 200


class TestSuggest:
    @pytest.mark.usefixtures("mugs")
    async def test_completes_the_last_word_and_names_products(self, client):
        answer = (await client.get("/v1/suggestions?q=red+t")).json()

        assert answer["queries"] == ["red tea", "red towel"]
        assert [item["title"] for item in answer["products"]] == ["Red Tea Towel"]
        assert answer["products"][0]["handle"] == "red-tea-towel"

    @pytest.mark.usefixtures("mugs")
    async def test_mends_a_typing_error(self, client):
        answer = (await client.get("/v1/suggestions?q=towle")).json()

        assert answer["queries"] == ["towel"]
        assert [item["title"] for item in answer["products"]] == ["Red Tea Towel"]

    async def test_says_nothing_of_what_is_not_on_sale(self, client, sell):
        await sell("Secret Mug", "MUG-1", status="draft")

        answer = (await client.get("/v1/suggestions?q=secr")).json()

        assert answer == {"queries": [], "products": []}


class TestSynonyms:
    async def test_find_what_else_was_meant_from_the_next_search_on(
        self, client, operator, sell, titles
    ):
        await sell("Blue Couch", "COUCH-1")
        await sell("Laptop Briefcase", "CASE-1")
        assert await titles(q="sofa") == []

        for body in (
            {"synonyms": ["Sofa", "Couch"]},
            {"term": "computer bag", "synonyms": ["briefcase"]},
        ):
            made = await client.post("/v1/search/synonyms", json=body, headers=operator)
            assert made.status_code == 201

        assert await titles(q="blue sofa") == ["Blue Couch"]
        assert await titles(q="computer bag") == ["Laptop Briefcase"]
        listed = await client.get("/v1/search/synonyms", headers=operator)
        assert [s["typed"] for s in listed.json()["items"]] == [
            ["couch", "sofa"],
            ["computer bag"],
        ]
        path = f"/v1/search/synonyms/{listed.json()['items'][0]['id']}"
        any_there_is = {**operator, "If-Match": "*"}
        assert (await client.delete(path, headers=any_there_is)).status_code == 204
        assert (await client.delete(path, headers=any_there_is)).status_code == 404
        assert await titles(q="blue sofa") == ["Blue Couch"]
        assert await titles(q="sofa") == []

    @cases(
        ("body", "slug"),
        [
            ({"synonyms": ["sofa"]}, "synonyms-invalid"),
            ({"synonyms": ["Sofa", "sofa!"]}, "synonyms-invalid"),
            ({"synonyms": ["a b c d", "e"]}, "synonyms-invalid"),
            ({"term": "!", "synonyms": ["sofa"]}, "synonyms-invalid"),
            ({"synonyms": []}, "invalid-request"),
            ({"synonyms": ["a" * 101, "b"]}, "invalid-request"),
            ({"synonyms": ["a", "b"], "terms": []}, "invalid-request"),
            ({"synonyms": ["a\x00", "b"]}, "invalid-request"),
        ],
    )
    async def test_refuses_what_cannot_be_searched_for(
        self, client, operator, body, slug
    ):
        answer = await client.post("/v1/search/synonyms", json=body, headers=operator)

        assert answer.status_code == 422
        assert answer.json()["type"] == f"/problems/{slug}"
