"""Attributes and their choices are called in every language as operators say."""

import pytest

WOOD = "attributes/wood"
PATH = f"/v1/{WOOD}/translations"


@pytest.fixture(autouse=True)
async def wood(client, operator):
    """An attribute with two choices, and one without a word in another language."""
    said = [
        {"code": "wood", "name": "Wood", "type": "choice", "choices": ["oak", "ash"]},
        {"code": "year", "name": "Year", "type": "number", "position": 1},
    ]
    for one in said:
        made = await client.post("/v1/attributes", json=one, headers=operator)
        assert made.status_code == 201


class TestAttribute:
    async def test_is_in_the_language_that_is_wanted(self, read, translate):
        texts = {"name": "Holz", "choices": {"oak": "Eiche"}}
        put = await translate("de", texts, WOOD)

        one, many = await read(f"/v1/{WOOD}"), await read("/v1/attributes")

        assert put.status_code == 200
        assert one.json() == many.json()["items"][0]
        assert one.json()["name"] == "Holz"
        assert one.json()["choices"] == ["oak", "ash"]
        assert one.json()["choice_names"] == {"oak": "Eiche"}
        assert one.headers["ETag"].startswith('"2.')
        assert one.headers["Content-Language"] == "de, en"
        assert many.json()["items"][1]["name"] == "Year"
        for shown in (one, many):
            assert shown.headers["Vary"] == "Accept-Language"
        for path in (f"/v1/{WOOD}", "/v1/attributes"):
            own = await read(path, None)
            assert "Wood" in own.text
            assert "Eiche" not in own.text
            assert own.headers["Content-Language"] == "en"

    async def test_of_a_region_is_filled_up_by_its_language(self, read, translate):
        await translate("de", {"name": "Holz", "choices": {"ash": "Esche"}}, WOOD)
        await translate("de-AT", {"choices": {"oak": "Eich'n"}}, WOOD)

        shown = (await read(f"/v1/{WOOD}", "de-AT")).json()

        assert shown["name"] == "Holz"
        assert shown["choice_names"] == {"oak": "Eich'n", "ash": "Esche"}

    async def test_has_no_name_for_a_choice_that_is_gone(
        self, client, operator, read, translate
    ):
        await translate("de", {"choices": {"oak": "Eiche", "ash": "Esche"}}, WOOD)
        anyhow = {**operator, "If-Match": "*"}
        body = {"choices": ["ash"]}
        await client.patch(f"/v1/{WOOD}", json=body, headers=anyhow)

        shown = (await read(f"/v1/{WOOD}")).json()

        assert (shown["choices"], shown["choice_names"]) == (["ash"], {"ash": "Esche"})


class TestTranslations:
    async def test_are_written_against_the_version_of_the_attribute(
        self, client, operator, translate
    ):
        seen = await client.get(f"/v1/{WOOD}")
        tag = {"If-Match": seen.headers["ETag"]}
        first = await translate("de", {"name": "Holz"}, WOOD, **tag)
        second = await translate("fr", {"name": "Bois"}, WOOD, **tag)
        blind = {k: v for k, v in operator.items() if k != "If-Match"}
        without = await client.delete(f"{PATH}/de", headers=blind)

        assert (first.status_code, second.status_code) == (200, 412)
        assert without.status_code == 428

    async def test_are_listed_read_noted_and_taken_away(
        self, client, operator, translate
    ):
        for _ in range(2):
            put = await translate("de", {"name": "Holz"}, WOOD)

        listed = await client.get(PATH, headers=operator)
        one = await client.get(f"{PATH}/DE", headers=operator)
        assert listed.json()["items"] == [one.json()] == [put.json()]
        assert put.headers["ETag"] == one.headers["ETag"]
        gone = [await client.delete(f"{PATH}/de", headers=operator) for _ in range(2)]
        assert [answer.status_code for answer in gone] == [204, 404]
        told = await client.get(f"/v1/{WOOD}/history", headers=operator)
        assert [
            (item["version"], [c["field"] for c in item["changes"]])
            for item in told.json()["items"]
        ] == [(3, ["/translations/de"]), (2, ["/translations/de"]), (1, [])]

    @pytest.mark.parametrize(
        ("locale", "texts", "pointer"),
        [
            ("de", {}, ""),
            ("de", {"name": "a\u0000"}, None),
            ("de", {"name": "a\nb"}, "/name"),
            ("de", {"name": "x" * 256}, "/name"),
            ("de", {"choices": {"elm": "Ulme"}}, "/choices/elm"),
            ("de", {"choices": {"oak": "ash"}}, "/choices"),
            ("en", {"name": "a"}, None),
            ("d_e", {"name": "a"}, None),
            ("de", {"title": "a"}, None),
        ],
    )
    async def test_that_do_not_fit_are_refused(self, translate, locale, texts, pointer):
        answer = await translate(locale, texts, WOOD)

        assert answer.status_code in (400, 422)
        if pointer is not None:
            assert answer.json()["type"] == "/problems/translation-invalid"
            assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_of_what_is_not_there_are_not_found(self, translate):
        answer = await translate("de", {"name": "a"}, "attributes/none")

        assert answer.status_code == 404
