"""Translations are written against the version of what they are of."""

import pytest
from cases import cases

from holdfast.domain.catalog import MAX_TRANSLATIONS

PATH = "/v1/products/shirt/translations"


@pytest.mark.usefixtures("shirt")
class TestReplace:
    async def test_answers_with_what_is_kept_under_the_tag_of_the_product(
        self, client, operator, translate
    ):
        put = await translate("DE-at", {"title": "Hemderl", "seo_title": ""})

        got = await client.get(f"{PATH}/de-AT", headers=operator)
        assert put.json() == got.json()
        assert put.headers["ETag"] == got.headers["ETag"]
        assert put.headers["ETag"].startswith('"2.')
        assert got.json().keys() == {"locale", "title", "updated_at"}
        assert got.json()["locale"] == "de-AT"
        again = operator | {"If-None-Match": got.headers["ETag"]}
        assert (await client.get(f"{PATH}/de-AT", headers=again)).status_code == 304

    async def test_replaces_all_that_was_said(self, client, operator, translate):
        await translate("de", {"title": "Hemd", "seo_title": "Hemden"})
        await translate("fr", {"title": "Chemise"})
        await translate("de", {"title": "Leinenhemd"})

        listed = (await client.get(PATH, headers=operator)).json()["items"]
        assert [(one["locale"], one["title"]) for one in listed] == [
            ("de", "Leinenhemd"),
            ("fr", "Chemise"),
        ]
        assert "seo_title" not in listed[0]

    async def test_raises_the_version_where_something_changes(
        self, client, operator, translate
    ):
        bodies = ({"title": "Hemd"}, {"title": "Hemd"}, {"title": "Leinenhemd"})
        tags = [(await translate("de", body)).headers["ETag"] for body in bodies]

        shown = (await client.get("/v1/products/shirt")).json()
        assert [tag[1] for tag in tags] == ["2", "2", "3"]
        assert shown["version"] == 3

    async def test_needs_the_version_of_the_product(self, client, operator, translate):
        seen = await client.get("/v1/products/shirt")
        first = await translate(**{"If-Match": seen.headers["ETag"]})
        second = await translate(**{"If-Match": seen.headers["ETag"]})
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        without = await client.put(f"{PATH}/de", json={"title": "x"}, headers=blind)

        assert first.status_code == 200
        assert (second.status_code, second.json()["version"]) == (412, 2)
        assert without.status_code == 428

    async def test_says_in_the_history_who_said_what(self, client, operator, translate):
        await translate("de", {"title": "Hemd"})
        await client.delete(f"{PATH}/de", headers=operator)

        told = await client.get("/v1/products/shirt/history", headers=operator)
        last, first = told.json()["items"][:2]
        assert (last["version"], first["version"]) == (3, 2)
        assert last["changes"] == [
            {"field": "/translations/de", "old": {"title": "Hemd"}, "new": None}
        ]
        assert first["changes"][0]["old"] is None
        assert first["actor"] == last["actor"] != "system"

    @cases("locale", ["en", "eng", "xx", "de_AT", "*", "de-UK", "i-default", "a" * 300])
    async def test_takes_languages_other_than_the_shops_own(self, translate, locale):
        answer = await translate(locale, {"title": "x"})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "locale"

    @cases(
        ("body", "status"),
        [
            ({"title": "x" * 256}, 422),
            ({"colour": "red"}, 422),
            ({"title": 7}, 422),
            ({"title": "a\x00b"}, 422),
            ({"options": {"Gone": {"name": "Fort"}}}, 422),
            ({"options": {"Size": "Gr\u00f6\u00dfe"}}, 422),
            ({"attributes": {"feel": "weich"}}, 422),
            ([], 422),
        ],
    )
    async def test_says_what_is_wrong_with_a_body(self, translate, body, status):
        answer = await translate("de", body)

        assert answer.status_code == status
        assert answer.json()["errors"]

    async def test_has_room_for_so_many_languages(self, database, shirt, translate):
        texts = {"title": "x", "description_html": "\u0436\u0448 " * 7_000}
        languages = [f"q{a}{b}" for a in "abcdef" for b in "vwxyz"]
        for locale in languages[: MAX_TRANSLATIONS - 2]:
            await database.fetch(
                "INSERT INTO product_translations VALUES ($1, $2, $3, now())",
                *(shirt["id"], locale, texts),
            )

        fits = [await translate(locale) for locale in ("de", "fr", "de")]
        over = await translate("it")

        assert [answer.status_code for answer in fits] == [200, 200, 200]
        assert (over.status_code, over.json()["most"]) == (409, MAX_TRANSLATIONS)


@pytest.mark.usefixtures("hemd")
class TestDelete:
    async def test_shows_the_product_in_the_shops_own_language(
        self, client, operator, read
    ):
        gone = await client.delete(f"{PATH}/de", headers=operator)

        shown = await read("/v1/products/shirt")
        assert gone.status_code == 204
        assert shown.json()["title"] == "Shirt"
        assert shown.headers["Content-Language"] == "en"
        assert (await read("/v1/search?q=leinenhemd")).json()["items"] == []

    async def test_is_not_found_twice(self, client, operator):
        for status in (204, 404):
            gone = await client.delete(f"{PATH}/de", headers=operator)
            assert gone.status_code == status
        assert gone.json()["type"] == "/problems/translation-not-found"

    async def test_goes_with_the_product(self, client, operator):
        gone = await client.delete("/v1/products/shirt", headers=operator)

        assert gone.status_code == 204


class TestReading:
    @pytest.mark.parametrize("path", [PATH, f"{PATH}/de"])
    @pytest.mark.usefixtures("hemd")
    async def test_is_for_operators(self, client, path):
        assert (await client.get(path)).status_code == 401

    async def test_says_that_there_is_no_such_product(self, client, operator):
        answer = await client.get(PATH, headers=operator)

        assert answer.json()["type"] == "/problems/product-not-found"
