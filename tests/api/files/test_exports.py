"""The whole catalogue over HTTP, as a file."""

import csv
import io
import json

import pytest


@pytest.fixture
def export(client, an_operator):
    async def get(**query):
        staff = await an_operator("products:read")
        return await client.get("/v1/exports/products", headers=staff, params=query)

    return get


class TestExport:
    async def test_is_json_lines_with_everything_on_the_shelves(
        self, export, a_product
    ):
        await a_product("TEA", on_hand=7)
        await a_product("COFFEE", status="draft")

        answer = await export()

        assert answer.headers["content-type"] == "application/jsonl"
        assert answer.headers["content-disposition"].endswith('"products.jsonl"')
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [one["variants"][0]["sku"] for one in lines] == ["TEA", "COFFEE"]
        assert lines[0]["variants"][0]["on_hand"] == 7

    async def test_is_shopifys_csv_if_that_is_asked(self, export, a_product):
        await a_product("=TEA")

        answer = await export(format="shopify_csv", status="active")

        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert (row["Variant SKU"], row["Variant Price"]) == ("'=TEA", "9.99")

    async def test_goes_on_over_pages(self, export, a_product):
        for number in range(205):
            await a_product(f"TEA-{number}")

        answer = await export()

        skus = [json.loads(x)["variants"][0]["sku"] for x in answer.text.splitlines()]
        assert skus == [f"TEA-{number}" for number in range(205)]

    async def test_refuses_what_it_does_not_know(self, export):
        for query in ({"format": "xml"}, {"status": "sold"}, {"since": "1"}):
            answer = await export(**query)

            assert answer.status_code == 422
            assert answer.json()["type"] == "/problems/invalid-request"
