"""Whoever reads is answered in the language they want, and told which it is."""

import pytest
from cases import cases

from holdfast.api.editions import tag_of


@pytest.mark.usefixtures("hemd")
class TestProduct:
    async def test_is_in_the_language_that_is_wanted(self, read):
        shown = await read("/v1/products/shirt", "de-AT, en;q=0.5")

        product = shown.json()
        assert (product["title"], product["description_html"]) == (
            "Leinenhemd",
            "<p>Weich</p>",
        )
        assert product["options"][0] == {
            "name": "Gr\u00f6\u00dfe",
            "values": ["Klein", "Large"],
        }
        assert product["variants"][0]["title"] == "Klein"
        assert product["variants"][0]["options"] == {"Gr\u00f6\u00dfe": "Klein"}
        assert shown.headers["Content-Language"] == "de"
        assert shown.headers["Vary"] == "Accept-Language"

    @cases(
        "accept", [None, "", "en", "fr", "*", "de;q=0", "de_AT", "\x7f", "x" * 60_000]
    )
    async def test_is_in_the_shops_own_for_everybody_else(self, read, accept):
        shown = await read("/v1/products/shirt", accept)

        assert shown.json()["title"] == "Shirt"
        assert shown.headers["Content-Language"] == "en"
        assert shown.headers["Vary"] == "Accept-Language"

    async def test_is_the_same_by_id_and_by_handle(self, hemd, read):
        by_id = await read(f"/v1/products/{hemd['id']}")

        assert by_id.text == (await read("/v1/products/shirt")).text

    async def test_may_be_wanted_in_several_lines(self, client):
        lines = [("Accept-Language", "fr"), ("Accept-Language", "de;q=0.9")]

        shown = await client.get("/v1/products/shirt", headers=lines)

        assert shown.json()["title"] == "Leinenhemd"

    def test_has_another_tag_where_nothing_else_is_different(self):
        # The same texts as the shop's own are another answer all the same.
        tags = {tag_of(b"{}", 3, language) for language in ("de", "fr", None)}

        assert len(tags) == 3

    async def test_has_a_tag_of_its_own_in_each_language(self, read, translate):
        await translate("fr", {"title": "Shirt", "description_html": "<p>Soft</p>"})

        tags = [
            (await read("/v1/products/shirt", accept)).headers["ETag"]
            for accept in ("de", "fr", "en", None)
        ]

        assert len(set(tags)) == 3
        assert tags[2] == tags[3]
        assert {tag[1] for tag in tags} == {"3"}
        spared = await read("/v1/products/shirt", **{"If-None-Match": tags[0]})
        assert spared.status_code == 304
        assert spared.headers["Content-Language"] == "de"
        assert spared.headers["Vary"] == "Accept-Language"
        other = await read("/v1/products/shirt", "en", **{"If-None-Match": tags[0]})
        assert other.status_code == 200

    async def test_can_be_changed_by_the_tag_of_any_language(
        self, client, operator, read
    ):
        seen = (await read("/v1/products/shirt")).headers["ETag"]

        changed = await client.patch(
            "/v1/products/shirt",
            json={"title": "Blouse"},
            headers=operator | {"If-Match": seen},
        )

        assert changed.status_code == 200

    async def test_takes_one_statement_in_any_language(self, read, statements):
        asked = {}
        for accept in ("de", "en", None):
            statements.clear()
            await read("/v1/products/shirt", accept)
            (asked[accept],) = statements

        assert "product_translations" in asked["de"]
        assert "product_translations" not in asked["en"]
        assert asked["en"] == asked[None]

    async def test_says_what_it_is_in_where_some_is_not_translated(
        self, read, translate
    ):
        await translate("fr", {"title": "Chemise"})

        shown = await read("/v1/products/shirt", "fr")

        assert shown.json()["description_html"] == "<p>Soft</p>"
        assert shown.headers["Content-Language"] == "fr, en"

    @pytest.mark.parametrize("path", ["/related", "/variants", "/variants/{variant}"])
    async def test_has_parts_in_the_same_language(
        self, client, operator, hemd, read, path
    ):
        other = {"title": "Cup", "variants": hemd["variants"], "status": "active"}
        price = {"amount": 1, "currency": "EUR"}
        other["variants"] = [{"sku": "CUP", "price": price}]
        await client.post("/v1/products", json=other, headers=operator)
        related = {"products": ["shirt"]}
        await client.put("/v1/products/cup/related", json=related, headers=operator)
        of = "cup" if path == "/related" else "shirt"
        path = path.format(variant=hemd["variants"][0]["id"])

        shown = await read(f"/v1/products/{of}{path}")

        assert "Klein" in shown.text
        assert shown.headers["Content-Language"] == "de"
        own = await read(f"/v1/products/{of}{path}", None)
        assert "Small" in own.text
        assert own.headers["ETag"] != shown.headers["ETag"]


@pytest.mark.usefixtures("hemd")
class TestLists:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/products",
            "/v1/products?category=tops",
            "/v1/products?q=leinenhemd",
            "/v1/search",
            "/v1/search?q=leinenhemd&facets=true",
            "/v1/search?q=Klein&sort=title",
        ],
    )
    async def test_are_in_the_language_that_is_wanted(self, read, statements, path):
        # The first search of a process asks what the server can.
        await read("/v1/search?q=warm")
        statements.clear()

        shown = await read(path)

        assert [item["title"] for item in shown.json()["items"]] == ["Leinenhemd"]
        assert shown.headers["Content-Language"] == "de"
        assert shown.headers["Vary"] == "Accept-Language"
        assert len(statements) <= 3
        own = await read(path, None)
        assert [item["title"] for item in own.json()["items"]] == ["Shirt"]
        assert own.headers["Content-Language"] == "en"
        assert own.headers["ETag"] != shown.headers["ETag"]

    @pytest.mark.parametrize("sort", ["manual", "title"])
    async def test_of_a_collection_are_so_as_well(self, client, operator, read, sort):
        made = {"title": "Linen", "status": "active"}
        await client.post("/v1/collections", json=made, headers=operator)
        path = "/v1/collections/linen/products"
        put = {"products": ["shirt"]}
        await client.put(path, json=put, headers=operator)

        shown = await read(f"{path}?sort={sort}")

        assert [item["title"] for item in shown.json()["items"]] == ["Leinenhemd"]
        assert shown.headers["Content-Language"] == "de"
        own = await read(f"{path}?sort={sort}", None)
        assert [item["title"] for item in own.json()["items"]] == ["Shirt"]

    async def test_name_every_language_that_is_in_them(self, client, operator, read):
        price = {"amount": 1, "currency": "EUR"}
        cup = {"title": "Cup", "status": "active"}
        cup["variants"] = [{"sku": "CUP", "price": price}]
        await client.post("/v1/products", json=cup, headers=operator)

        shown = await read("/v1/products")

        titles = [item["title"] for item in shown.json()["items"]]
        assert titles == ["Leinenhemd", "Cup"]
        assert shown.headers["Content-Language"] == "de, en"

    async def test_page_through_with_drafts_for_operators(self, operator, read):
        shown = await read("/v1/products?status=active", **operator)

        assert shown.json()["items"][0]["title"] == "Leinenhemd"
        everything = await read("/v1/products", **operator)
        assert everything.json()["items"][0]["title"] == "Leinenhemd"
        nothing = await read("/v1/products?status=draft")
        assert nothing.headers["Vary"] == "Accept-Language"


@pytest.mark.usefixtures("hemd")
class TestSuggestions:
    @pytest.mark.parametrize("typed", ["leinen", "shi"])
    async def test_call_products_as_the_reader_does(self, read, typed):
        shown = await read(f"/v1/suggestions?q={typed}")

        assert [p["title"] for p in shown.json()["products"]] == ["Leinenhemd"]
        assert shown.headers["Content-Language"] == "de"
        own = await read(f"/v1/suggestions?q={typed}", None)
        assert [p["title"] for p in own.json()["products"]] == ["Shirt"]
        assert own.headers["Vary"] == "Accept-Language"

    async def test_call_a_product_as_the_shop_does_without_a_title(
        self, read, translate
    ):
        await translate("de", {"seo_title": "Hemden"})

        shown = await read("/v1/suggestions?q=shi")

        assert [p["title"] for p in shown.json()["products"]] == ["Shirt"]


class TestFinding:
    async def test_finds_translated_words_in_the_next_request(
        self, read, shirt, translate
    ):
        before = await read("/v1/search?q=leinenhemd")
        await translate()
        found = await read("/v1/search?q=leinenhemd")

        assert before.json()["items"] == []
        assert len(found.json()["items"]) == 1

    @pytest.mark.usefixtures("shirt")
    async def test_takes_words_for_the_language_that_is_wanted(self, read, translate):
        await translate("de", {"description_html": "<p>Wie ein Haus</p>"})

        asked = {
            "wanted": ("/v1/search?q=h\u00e4user", "de"),
            "said": ("/v1/search?q=h\u00e4user&language=de", None),
            "neither": ("/v1/search?q=h\u00e4user", None),
        }
        found = {
            name: len((await read(path, accept)).json()["items"])
            for name, (path, accept) in asked.items()
        }

        assert found == {"wanted": 1, "said": 1, "neither": 0}
