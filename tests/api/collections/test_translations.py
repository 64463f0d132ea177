"""Collections are called in every language as their operators say."""

import pytest
from cases import cases

from holdfast.domain.catalog import translations

PATH = "/v1/collections"
GESCHENKE = {"title": "Geschenke", "description_html": "<p onclick=x>F\u00fcr dich</p>"}


@pytest.fixture
async def gifts(collect):
    made = await collect("Gifts", seo_title="All gifts")
    return made.json()


@pytest.mark.usefixtures("gifts")
class TestCollection:
    async def test_is_in_the_language_that_is_wanted(self, client, ask):
        put = await ask("PUT", "gifts/translations/de-at", GESCHENKE)

        assert put.json()["locale"] == "de-AT"
        assert put.json()["description_html"] == "<p>F\u00fcr dich</p>"
        for path in (f"{PATH}/gifts", PATH):
            said = {"Accept-Language": "de-AT, fr;q=0.5"}
            answer = await client.get(path, headers=said)
            shown = answer.json()
            shown = shown["items"][0] if "items" in shown else shown
            assert (shown["title"], shown["seo_title"]) == ("Geschenke", "All gifts")
            assert answer.headers["Content-Language"] == "de-AT, en"
            assert answer.headers["Vary"] == "Accept-Language"
            own = await client.get(path)
            assert own.headers["Content-Language"] == "en"
            assert "Geschenke" not in own.text
            assert own.headers["ETag"] != answer.headers["ETag"]
            spared = await client.get(
                path, headers={**said, "If-None-Match": answer.headers["ETag"]}
            )
            assert spared.status_code == 304

    async def test_shows_its_products_in_that_language(self, client, ask, sell):
        await sell("Cup")
        await ask("PUT", "gifts/products", {"products": ["cup"]})
        operator = await ask("GET", "gifts")
        put = await client.put(
            "/v1/products/cup/translations/de",
            json={"title": "Tasse"},
            headers=dict(operator.request.headers),
        )
        assert put.status_code == 200, put.text

        for sort in ("manual", "title"):
            page = await client.get(
                f"{PATH}/gifts/products?sort={sort}", headers={"Accept-Language": "de"}
            )
            assert [one["title"] for one in page.json()["items"]] == ["Tasse"]
            assert page.headers["Content-Language"] == "de"


@pytest.mark.usefixtures("gifts")
class TestTranslations:
    async def test_are_written_against_the_version_of_the_collection(
        self, client, ask, gifts
    ):
        tag = {"If-Match": (await ask("GET", "gifts")).headers["ETag"]}

        first = await ask("PUT", "gifts/translations/de", GESCHENKE, **tag)
        same = await ask("PUT", "gifts/translations/de", GESCHENKE)
        second = await ask("PUT", "gifts/translations/fr", {"title": "Cadeaux"}, **tag)
        late = await ask("DELETE", "gifts/translations/de", **tag)

        assert first.headers["ETag"] == same.headers["ETag"]
        assert (second.status_code, late.status_code) == (412, 412)
        (told, _) = (await ask("GET", "gifts/history")).json()["items"]
        assert told["version"] == 2
        assert told["changes"][0]["field"] == "/translations/de"
        assert told["changes"][0]["new"]["title"] == "Geschenke"

    async def test_need_a_version(self, client, an_operator):
        operator = await an_operator("products:write")

        for method, body in (("PUT", GESCHENKE), ("DELETE", None)):
            blind = await client.request(
                method, f"{PATH}/gifts/translations/de", json=body, headers=operator
            )
            assert blind.status_code == 428

    async def test_are_listed_read_and_taken_away(self, ask):
        put = await ask("PUT", "gifts/translations/de", GESCHENKE)

        listed = await ask("GET", "gifts/translations")
        one = await ask("GET", "gifts/translations/DE")
        assert listed.json()["items"] == [one.json()] == [put.json()]
        gone = [await ask("DELETE", "gifts/translations/de") for _ in range(2)]
        assert [answer.status_code for answer in gone] == [204, 404]
        assert (await ask("GET", "gifts/translations")).json() == {"items": []}
        told = (await ask("GET", "gifts/history")).json()["items"][0]
        assert told["changes"][0]["new"] is None

    @cases(
        "body",
        [{}, {"title": "x" * 256}, {"title": "a\nb"}, {"name": "x"}, {"title": 1}],
    )
    async def test_are_refused_where_they_break_a_rule(self, ask, body):
        assert (await ask("PUT", "gifts/translations/de", body)).status_code == 422

    @pytest.mark.parametrize("locale", ["en", "xx", "de_AT", "x" * 300])
    async def test_are_in_another_language_than_the_shop(self, ask, locale):
        answer = await ask("PUT", f"gifts/translations/{locale}", GESCHENKE)

        assert answer.status_code == 422

    async def test_are_so_many_and_no_more(self, ask, monkeypatch):
        monkeypatch.setattr(translations, "MAX_TRANSLATIONS", 1)
        await ask("PUT", "gifts/translations/de", GESCHENKE)

        full = await ask("PUT", "gifts/translations/fr", {"title": "Cadeaux"})

        assert full.json()["type"] == "/problems/too-many-translations"
