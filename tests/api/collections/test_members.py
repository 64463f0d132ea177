"""Who belongs to a collection, as the very next request sees it."""

from datetime import timedelta

import pytest
from cases import cases

_COUNT = """
SELECT sum(calls)::bigint AS calls FROM pg_stat_statements
WHERE query NOT ILIKE '%pg_stat_statements%' AND query NOT LIKE '%FROM controls%'
"""


def tagged(*tags, **fields):
    return {"conditions": [{"field": "tag", "values": tags, **fields}]}


_WOOD = {"field": "attribute", "code": "wood"}
_RANGE = {"field": "attribute_range", "code": "depth"}
_PRICE = {"field": "price", "currency": "EUR"}
WRONG = [
    ({"field": "colour", "values": ["x"]}, "field"),
    ({"field": "tag", "values": ["x"], "operator": "like"}, "operator"),
    ({"field": "tag", "values": []}, "values"),
    ({"field": "tag"}, "values"),
    ({"field": "tag", "values": ["a\x00"]}, "values/0"),
    ({"field": "tag", "values": ["a"], "and": 1}, "and"),
    ({"field": "title", "text": "&|!"}, "text"),
    ({"field": "category", "values": ["nowhere"]}, "values/0"),
    ({"field": "attribute", "code": "x", "values": [1]}, "code"),
    ({"field": "attribute", "code": "\u202e'", "values": [1]}, "code"),
    ({**_WOOD, "values": ["oak", "elm"]}, "values/1"),
    ({**_WOOD, "values": [{"a": 1}]}, "values/0"),
    ({**_RANGE, "code": "wood", "least": "oak"}, "code"),
    ({**_RANGE, "least": "1"}, "least"),
    ({**_RANGE, "most": 10**40}, "most"),
    (_RANGE, "least"),
    ({**_PRICE, "least": -1}, "least"),
    ({**_PRICE, "most": 10**40}, "most"),
    ({**_PRICE, "least": 2, "most": 1}, "most"),
    ({"field": "price", "currency": "euro"}, "currency"),
    ({"field": "created", "days": 10**9}, "days"),
]


class TestByRule:
    async def test_follow_each_write_of_a_product(
        self, client, operator, collect, sell, titles
    ):
        await collect("Gifts", rule=tagged("gift"))

        async def change(**fields):
            done = await client.patch("/v1/products/cup", json=fields, headers=operator)
            done.raise_for_status()

        await sell("Cup", tags=["gift"])
        assert await titles("gifts") == ["Cup"]
        await change(tags=[])
        assert await titles("gifts") == []
        await change(tags=["sale", "gift"])
        assert await titles("gifts") == ["Cup"]
        await change(status="archived")
        assert await titles("gifts") == []
        assert await titles("gifts", headers=operator) == ["Cup"]

    async def test_follow_what_is_not_of_the_product(
        self, client, operator, collect, sell, titles, clock
    ):
        """Stock, the tree of categories, and time."""
        for name, parent in (("Drinks", None), ("Tea", "drinks"), ("Cups", None)):
            body = {"name": name, "parent": parent}
            await client.post("/v1/categories", json=body, headers=operator)
        await sell("Sencha", categories=["tea"])
        shelf = {"field": "category", "values": ["drinks"]}
        fresh = {"field": "created", "days": 2}
        await collect("Drinkable", rule={"conditions": [shelf]})
        await collect(
            "There", rule={"conditions": [{"field": "available", "value": True}]}
        )
        await collect("New", rule={"conditions": [fresh]})

        assert await titles("there") == []
        level = {"on_hand": 3, "reason": "delivery"}
        put = await client.put("/v1/inventory/Sencha", json=level, headers=operator)
        assert put.is_success, put.text
        assert await titles("there") == ["Sencha"]

        assert await titles("drinkable") == ["Sencha"]
        moved = {"parent": "cups"}
        await client.patch("/v1/categories/tea", json=moved, headers=operator)
        assert await titles("drinkable") == []

        clock.advance(days=2)
        assert await titles("new") == ["Sencha"]
        clock.advance(seconds=1)
        assert await titles("new") == []

    async def test_see_what_goes_on_sale_at_that_second(
        self, collect, sell, titles, clock
    ):
        await collect("Gifts", rule=tagged("gift"))
        at = (clock() + timedelta(hours=1)).isoformat()
        await sell("Cup", tags=["gift"], status="scheduled", publish_at=at)

        assert await titles("gifts") == []
        clock.advance(hours=1)
        assert await titles("gifts") == ["Cup"]

    async def test_keep_categories_by_id_whatever_they_are_called(
        self, client, operator, collect, sell, titles
    ):
        made = await client.post(
            "/v1/categories", json={"name": "Tea"}, headers=operator
        )
        await sell("Sencha", categories=["tea"])
        rule = {"conditions": [{"field": "category", "values": ["tea"]}]}

        kept = (await collect("Drinkable", rule=rule)).json()["rule"]
        renamed = {"handle": "leaves"}
        await client.patch("/v1/categories/tea", json=renamed, headers=operator)

        assert kept["conditions"][0]["values"] == [made.json()["id"]]
        assert await titles("drinkable") == ["Sencha"]

    async def test_give_way_to_what_was_put_in_when_the_rule_goes(
        self, ask, collect, sell, titles
    ):
        for title in ("Cup", "Pot"):
            await sell(title, tags=["gift"] if title == "Pot" else [])
        await collect("Gifts")
        await ask("PUT", "gifts/products", {"products": ["cup"]})

        await ask("PATCH", "gifts", {"rule": tagged("gift"), "sort": "title"})
        assert await titles("gifts") == ["Pot"]
        await ask("PATCH", "gifts", {"rule": None})
        assert await titles("gifts") == ["Cup"]

    @cases(("condition", "place"), WRONG)
    async def test_refuse_a_condition_that_is_none(
        self, client, operator, collect, condition, place
    ):
        wood = {"code": "wood", "name": "Wood", "type": "choice", "choices": ["oak"]}
        depth = {"code": "depth", "name": "Depth", "type": "number"}
        for body in (wood, depth):
            await client.post("/v1/attributes", json=body, headers=operator)
        sound = {"field": "tag", "values": ["x"]}

        answer = await collect("Odd", rule={"conditions": [sound, condition]})

        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["errors"]
        assert error["pointer"] == f"/rule/conditions/1/{place}"

    @pytest.mark.parametrize("count", [0, 51, 5_000])
    async def test_refuse_a_rule_without_conditions_and_with_thousands(
        self, collect, count
    ):
        answer = await collect("Odd", rule=tagged("x") | {"conditions": [{}] * count})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("/rule/conditions")

    async def test_keep_attributes_of_every_type(
        self, client, operator, collect, sell, titles
    ):
        for code, type_ in (("deep", "number"), ("made", "date"), ("own", "boolean")):
            body = {"code": code, "name": code, "type": type_}
            await client.post("/v1/attributes", json=body, headers=operator)
        await sell("Cup", attributes={"deep": 2.50, "made": "2026-01-31", "own": True})
        await sell("Pot", attributes={"deep": 40, "made": "2026-06-01", "own": False})
        here = {"field": "attribute"}
        span = {"field": "attribute_range"}

        for number, (condition, found) in enumerate(
            (
                ({**here, "code": "deep", "values": [2.5, 7]}, ["Cup"]),
                ({**here, "code": "own", "values": [False]}, ["Pot"]),
                ({**span, "code": "deep", "least": 3}, ["Pot"]),
                ({**span, "code": "made", "most": "2026-03-01"}, ["Cup"]),
            )
        ):
            rule = {"conditions": [condition]}
            made = await collect(f"C{number}", rule=rule)
            assert made.status_code == 201, made.text
            assert await titles(f"c{number}") == found


class TestOrder:
    async def test_is_that_of_the_collection_or_what_is_asked_for(
        self, client, ask, collect, sell, titles, clock
    ):
        for title, price in (("B", 300), ("A", 200), ("C", 100)):
            await sell(title, price=price, tags=["x"])
            clock.advance(seconds=1)
        await collect("By rule", rule=tagged("x"), sort="title")
        await collect("By hand")
        await ask("PUT", "by-hand/products", {"products": ["b", "c", "a"]})

        orders = {"newest": "CAB", "title": "ABC", "price": "CAB", "-price": "BAC"}
        for sort, order in orders.items():
            assert await titles("by-rule", sort=sort) == list(order)
            assert await titles("by-hand", sort=sort) == list(order)
            await ask("PATCH", "by-rule", {"sort": sort})
            assert await titles("by-rule") == list(order)
        assert await titles("by-hand") == ["B", "C", "A"]
        refused = await client.get("/v1/collections/by-rule/products?sort=manual")
        assert refused.json()["type"] == "/problems/filter-invalid"

    @pytest.mark.parametrize("sort", ["newest", "title", "price", "-price", "manual"])
    async def test_goes_on_page_by_page(self, client, ask, collect, sell, sort):
        handles = []
        for number in range(7):
            made = await sell(f"P{number}", price=100 + number % 3)
            handles.append(made["handle"])
        await collect("All", sort=sort)
        await ask("PUT", "all/products", {"products": handles})
        whole = (await client.get("/v1/collections/all/products")).json()["items"]

        seen, path = [], "/v1/collections/all/products?limit=3"
        while path is not None:
            page = await client.get(path)
            seen += page.json()["items"]
            path = page.links["next"]["url"] if "next" in page.links else None

        assert seen == whole
        assert sorted(one["handle"] for one in seen) == handles


class TestSearch:
    async def test_looks_within_a_collection(self, client, ask, collect, sell):
        for title, tags in (("Red cup", ["x"]), ("Blue cup", []), ("Red pot", ["x"])):
            await sell(title, sku=title, tags=tags, vendor="Acme")
        await collect("By rule", rule=tagged("x"))
        await collect("By hand")
        await ask("PUT", "by-hand/products", {"products": ["blue-cup", "red-pot"]})

        for asked, found in (
            ("collection=by-rule&q=cup", ["Red cup"]),
            ("collection=by-rule&sort=title", ["Red cup", "Red pot"]),
            ("collection=by-hand&q=cup", ["Blue cup"]),
            ("collection=by-hand&vendor=Acme&sort=title", ["Blue cup", "Red pot"]),
        ):
            page = (await client.get(f"/v1/search?{asked}&facets=true")).json()
            assert [one["title"] for one in page["items"]] == found
            assert page["matches"] == {"count": len(found), "exact": True}
        missing = await client.get("/v1/search?collection=nowhere")
        assert missing.json()["type"] == "/problems/collection-not-found"


class TestStatements:
    @pytest.mark.parametrize(
        ("rule", "sort"),
        [(None, "manual"), (None, "newest"), (tagged("x"), "newest")],
        ids=["by hand", "by hand, newest first", "by rule"],
    )
    async def test_are_three_for_a_page_of_twenty(
        self, client, database, ask, collect, sell, sort, rule
    ):
        handles = [
            (await sell(f"P{number}", tags=["x"]))["handle"] for number in range(21)
        ]
        await collect("All")
        await ask("PUT", "all/products", {"products": handles})
        await ask("PATCH", "all", {"rule": rule, "sort": sort})
        await client.get("/v1/collections/all/products")
        async with database.statement() as connection:
            await connection.execute(
                "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"
            )
            await connection.execute("SELECT pg_stat_statements_reset()")

        page = (await client.get("/v1/collections/all/products")).json()

        (row,) = await database.fetch(_COUNT)
        assert len(page["items"]) == 20
        assert page["next"] is not None
        assert row["calls"] == 3
