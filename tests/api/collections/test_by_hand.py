"""What is put into a collection by hand, and in which order."""

import pytest

from holdfast.domain import catalog
from holdfast.kernel.ids import new_id


@pytest.fixture
async def gifts(collect, sell):
    """A collection and five products, by handle, that are not in it yet."""
    await collect("Gifts")
    return {
        title.lower(): (await sell(title))["id"]
        for title in ("Cup", "Pot", "Tea", "Jug", "Box")
    }


class TestReplace:
    async def test_puts_them_in_that_order_and_no_others(self, ask, titles, gifts):
        put = await ask(
            "PUT", "gifts/products", {"products": ["tea", gifts["cup"], "pot"]}
        )
        again = await ask("PUT", "gifts/products", {"products": ["tea", "cup", "pot"]})

        assert await titles("gifts") == ["Tea", "Cup", "Pot"]
        assert (put.json()["version"], again.json()["version"]) == (2, 2)
        await ask("PUT", "gifts/products", {"products": ["jug", "tea"]})
        assert await titles("gifts") == ["Jug", "Tea"]
        told = (await ask("GET", "gifts/history")).json()["items"][0]
        assert told["changes"][0]["field"] == "/products"
        assert told["changes"][0]["new"] == [gifts["jug"], gifts["tea"]]

    async def test_says_which_do_not_exist_or_are_there_twice(self, ask, titles, gifts):
        wrong = [
            "cup",
            "no-such",
            gifts["cup"],
            str(new_id()),
            "Not A Handle",
            "\u202e",
        ]

        answer = await ask("PUT", "gifts/products", {"products": wrong})

        assert answer.status_code == 422
        assert [
            (error["pointer"], error["detail"]) for error in answer.json()["errors"]
        ] == [
            ("/products/1", "does not exist"),
            ("/products/2", "is there twice"),
            ("/products/3", "does not exist"),
            ("/products/4", "does not exist"),
            ("/products/5", "does not exist"),
        ]
        assert await titles("gifts") == []

    async def test_takes_so_many_and_no_more(self, ask, gifts):
        many = [str(new_id()) for _ in range(catalog.MAX_COLLECTED + 1)]

        answer = await ask("PUT", "gifts/products", {"products": many})

        assert answer.json()["errors"][0]["pointer"] == "/products"

    async def test_is_not_for_a_collection_with_a_rule(self, collect, ask, sell):
        await sell("Cup")
        rule = {"conditions": [{"field": "tag", "values": ["x"]}]}
        await collect("Tagged", rule=rule)

        for method, path, body in (
            ("PUT", "tagged/products", {"products": ["cup"]}),
            ("POST", "tagged/products", {"product": "cup"}),
            ("PATCH", "tagged/products/cup", {"position": 1}),
            ("DELETE", "tagged/products/cup", None),
        ):
            answer = await ask(method, path, body)
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/collection-by-rule"


class TestOneByOne:
    async def test_stand_where_they_are_put(self, ask, titles, gifts):
        for product, position in (
            *(("cup", None), ("pot", 1), ("tea", 2), ("jug", 99)),
            (gifts["box"], 1),
        ):
            body = {"product": product} | ({"position": position} if position else {})
            assert (await ask("POST", "gifts/products", body)).status_code == 201
        assert await titles("gifts") == ["Box", "Pot", "Tea", "Cup", "Jug"]

        moved = await ask("PATCH", "gifts/products/jug", {"position": 2})
        assert moved.json()["version"] == 7
        await ask("PATCH", f"gifts/products/{gifts['box']}", {"position": 500})
        assert await titles("gifts") == ["Jug", "Pot", "Tea", "Cup", "Box"]
        stays = await ask("PATCH", "gifts/products/box", {"position": 5})
        assert stays.json()["version"] == 8

        out = await ask("DELETE", "gifts/products/tea")
        assert out.status_code == 204
        assert await titles("gifts") == ["Jug", "Pot", "Cup", "Box"]
        told = (await ask("GET", "gifts/history")).json()["items"]
        assert told[0]["changes"] == [
            {"field": f"/products/{gifts['tea']}", "old": 3, "new": None}
        ]
        assert told[2]["changes"] == [
            {"field": f"/products/{gifts['jug']}", "old": 5, "new": 2}
        ]

    async def test_are_there_once_and_must_exist(self, ask, gifts):
        await ask("POST", "gifts/products", {"product": "cup"})

        for product in ("cup", "no-such", "", "x" * 999):
            answer = await ask("POST", "gifts/products", {"product": product})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "/product"
        for product in ("tea", "no-such", str(new_id())):
            for method, body in (("PATCH", {"position": 1}), ("DELETE", None)):
                answer = await ask(method, f"gifts/products/{product}", body)
                assert answer.json()["type"] == "/problems/not-in-collection"

    @pytest.mark.parametrize("position", [0, -1, 10**30, "1", None])
    async def test_stand_at_a_position_or_are_refused(self, ask, gifts, position):
        await ask("POST", "gifts/products", {"product": "cup"})

        answer = await ask("PATCH", "gifts/products/cup", {"position": position})

        assert answer.json()["type"] == "/problems/invalid-request"

    async def test_heed_a_version_that_is_named(self, ask, gifts):
        late = await ask(
            "POST", "gifts/products", {"product": "cup"}, **{"If-Match": '"9"'}
        )

        assert late.status_code == 412

    async def test_are_so_many_and_no_more(self, ask, gifts, monkeypatch):
        monkeypatch.setattr(catalog, "MAX_COLLECTED", 2)
        answers = [
            await ask("POST", "gifts/products", {"product": product})
            for product in ("cup", "pot", "tea")
        ]

        assert [answer.status_code for answer in answers] == [201, 201, 422]

    async def test_go_with_the_product(self, client, operator, ask, titles, gifts):
        await ask("PUT", "gifts/products", {"products": ["tea", "cup"]})

        await client.delete("/v1/products/tea", headers=operator)

        assert await titles("gifts") == ["Cup"]


class TestPages:
    async def test_go_through_all_while_others_move(self, client, ask, gifts):
        await ask("PUT", "gifts/products", {"products": list(gifts)})
        seen, after, moves = [], None, iter((("box", 1), ("cup", 1)))
        while True:
            asked = {"limit": 2} | ({"after": after} if after else {})
            page = (
                await client.get("/v1/collections/gifts/products", params=asked)
            ).json()
            seen += [one["handle"] for one in page["items"]]
            after = page["next"]
            if after is None:
                break
            # What is moved before the place that was reached shifts nobody else.
            product, position = next(moves)
            await ask("PATCH", f"gifts/products/{product}", {"position": position})

        assert seen == ["cup", "pot", "tea", "jug"]

    async def test_lead_on_whatever_the_script_of_the_handle(
        self, client, ask, collect, gifts
    ):
        await collect("\u043f\u043e\u0434\u0430\u0440\u043a\u0438")
        here = "\u043f\u043e\u0434\u0430\u0440\u043a\u0438/products"
        await ask("PUT", here, {"products": list(gifts)})
        first = await client.get(f"/v1/collections/{here}?limit=3")
        first.raise_for_status()

        second = await client.get(first.links["next"]["url"])

        assert len(second.raise_for_status().json()["items"]) == 2

    async def test_show_buyers_what_is_on_sale(
        self, client, operator, ask, titles, gifts, sell
    ):
        for title, status in (("Old", "archived"), ("Next", "draft")):
            await sell(title, status=status)
        at = {"publish_at": "2027-01-01T00:00:00Z"}
        await sell("Soon", status="scheduled", **at)
        await ask(
            *("PUT", "gifts/products"), {"products": ["old", "cup", "next", "soon"]}
        )

        assert await titles("gifts") == ["Cup"]
        assert len(await titles("gifts", headers=operator)) == 4
        assert await titles("gifts", headers=operator, status="draft") == ["Next"]
        hidden = await client.get("/v1/collections/gifts/products?status=draft")
        assert hidden.json()["type"] == "/problems/filter-invalid"
