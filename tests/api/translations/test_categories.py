"""Categories are called in every language as their operators say."""

import pytest

from holdfast.workflows.categories import RENAMED, show_products

PATH = "/v1/categories/tops/translations"
TOPS = "categories/tops"


@pytest.mark.usefixtures("shirt")
class TestCategory:
    async def test_is_in_the_language_that_is_wanted(self, read, translate):
        put = await translate("de", {"name": "Obenrum"}, TOPS)

        one, many = await read("/v1/categories/tops"), await read("/v1/categories")
        assert put.status_code == 200
        assert one.json()["name"] == many.json()["items"][0]["name"] == "Obenrum"
        assert one.headers["ETag"].startswith('"2.')
        for shown in (one, many):
            assert shown.headers["Content-Language"] == "de"
            assert shown.headers["Vary"] == "Accept-Language"
        for path in ("/v1/categories/tops", "/v1/categories"):
            own = await read(path, None)
            assert "Tops" in own.text
            assert own.headers["Content-Language"] == "en"

    async def test_is_called_so_by_its_products(
        self, client, operator, read, translate
    ):
        await translate("de", {"name": "Obenrum"}, TOPS)

        shown = await read("/v1/products/shirt")
        assert shown.json()["categories"][0]["name"] == "Obenrum"
        assert shown.json()["title"] == "Shirt"
        assert shown.headers["Content-Language"] == "en, de"

    async def test_lets_its_products_be_found_by_its_name(
        self, database, read, shirt, translate
    ):
        await translate("de", {"name": "Obenrum"}, TOPS)
        events = await database.fetch(
            "SELECT payload FROM outbox WHERE type = $1", RENAMED
        )
        category_id = shirt["categories"][0]["id"]

        await show_products(database, category_id)

        assert len(events) == 1
        found = await read("/v1/search?q=obenrum")
        assert [item["handle"] for item in found.json()["items"]] == ["shirt"]


@pytest.mark.usefixtures("shirt")
class TestTranslations:
    async def test_are_written_against_the_version_of_the_category(
        self, client, operator, translate
    ):
        seen = await client.get("/v1/categories/tops")
        tag = {"If-Match": seen.headers["ETag"]}
        first = await translate("de", {"name": "Obenrum"}, TOPS, **tag)
        second = await translate("fr", {"name": "Hauts"}, TOPS, **tag)
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        without = await client.delete(f"{PATH}/de", headers=blind)

        assert (first.status_code, second.status_code) == (200, 412)
        assert without.status_code == 428

    async def test_are_listed_read_and_taken_away(self, client, operator, translate):
        texts = {"name": "Obenrum", "seo_title": "Alles f\u00fcr oben"}
        for _ in range(2):
            put = await translate("de", texts, TOPS)

        listed = await client.get(PATH, headers=operator)
        one = await client.get(f"{PATH}/DE", headers=operator)
        assert listed.json()["items"] == [one.json()] == [put.json()]
        assert put.headers["ETag"] == one.headers["ETag"]
        gone = [await client.delete(f"{PATH}/de", headers=operator) for _ in range(2)]
        assert [answer.status_code for answer in gone] == [204, 404]
        assert (await client.get(PATH, headers=operator)).json() == {"items": []}

    async def test_tell_nobody_of_a_new_description(
        self, database, client, operator, translate
    ):
        await translate("de", {"description_html": "<p>Oben</p>"}, TOPS)
        await client.delete(f"{PATH}/de", headers=operator)

        events = await database.fetch(
            "SELECT payload FROM outbox WHERE type = $1", RENAMED
        )
        assert events == []

    @pytest.mark.parametrize("body", [{}, {"name": "x" * 256}, {"title": "x"}])
    async def test_are_refused_where_they_break_a_rule(self, translate, body):
        answer = await translate("de", body, TOPS)

        assert answer.status_code == 422
