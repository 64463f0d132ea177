"""Categories as a client sees them."""

import re

import pytest


@pytest.fixture
async def operator(an_operator):
    return await an_operator("products:write")


class TestCategories:
    async def test_are_added_listed_and_found(self, client, operator):
        for name in ("Teas", "Cups"):
            made = await client.post(
                "/v1/categories", json={"name": name}, headers=operator
            )
            assert made.status_code == 201

        first = await client.get("/v1/categories?limit=1")
        link = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])[1]
        second = await client.get(link)

        assert [c["handle"] for c in first.json()["items"]] == ["teas"]
        assert [c["handle"] for c in second.json()["items"]] == ["cups"]
        assert (await client.get(made.headers["Location"])).json() == made.json()
        assert (await client.get("/v1/categories/cups")).json() == made.json()
        assert (await client.get("/v1/categories/none")).status_code == 404

    async def test_are_refused_when_they_break_a_rule_or_exist(self, client, operator):
        bad = await client.post("/v1/categories", json={"name": ""}, headers=operator)
        wanted = {"name": "Teas", "handle": "teas"}
        await client.post("/v1/categories", json=wanted, headers=operator)
        again = await client.post("/v1/categories", json=wanted, headers=operator)

        assert bad.json()["type"] == "/problems/category-invalid"
        assert again.json()["type"] == "/problems/duplicate-handle"
