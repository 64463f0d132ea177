"""Changes of products as an operator makes them."""

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

BODY = {
    "title": "Crème Tea",
    "status": "active",
    "description_html": "<p onclick='x()'>A cup</p>",
    "options": [{"name": "Size", "values": ["S", "L"]}],
    "variants": [
        {
            "sku": "TEA-S",
            "price": {"amount": 490, "currency": "EUR"},
            "options": {"Size": "S"},
        },
        {
            "sku": "TEA-L",
            "price": {"amount": 900, "currency": "EUR"},
            "compare_at_price": {"amount": 1000, "currency": "EUR"},
            "options": {"Size": "L"},
            "weight_grams": 250,
            "barcode": "0123",
        },
    ],
}


@pytest.fixture
async def operator(an_operator):
    return {**await an_operator("products:write", "products:read"), "If-Match": "*"}


@pytest.fixture
async def tea(client, operator):
    """A product that is on sale."""
    made = await client.post("/v1/products", json=BODY, headers=operator)
    assert made.status_code == 201, made.text
    return made.json()


class TestChange:
    async def test_changes_what_is_given_and_keeps_the_rest(
        self, client, operator, tea, clock
    ):
        clock.advance(seconds=1)

        answer = await client.patch(
            f"/v1/products/{tea['id']}",
            json={
                "title": "Cream Tea",
                "tags": ["new"],
                "images": [{"url": "/images/demo/a.webp", "alt": "Tea"}],
                "options": [{"name": "Size", "values": ["S", "L", "XL"]}],
                "variants": [
                    {
                        "sku": "TEA-L",
                        "price": {"amount": 950, "currency": "EUR"},
                        "compare_at_price": None,
                        "barcode": None,
                        "weight_grams": 0,
                    },
                    {
                        "sku": "TEA-XL",
                        "price": {"amount": 1, "currency": "EUR"},
                        "options": {"Size": "XL"},
                    },
                ],
            },
            headers=operator,
        )

        now = answer.json()
        assert answer.status_code == 200
        assert now == (await client.get("/v1/products/creme-tea")).json()
        assert (now["title"], now["tags"], now["handle"]) == (
            "Cream Tea",
            ["new"],
            "creme-tea",
        )
        assert now["updated_at"] > now["created_at"] == tea["created_at"]
        assert now["images"][0]["alt"] == "Tea"
        assert now["variants"][0] == tea["variants"][0]
        assert (
            now["variants"][1] | {"id": tea["variants"][1]["id"]} == now["variants"][1]
        )
        assert now["variants"][1]["compare_at_price"] is None
        assert now["variants"][2]["sku"] == "TEA-XL"

    async def test_changes_nothing_when_nothing_is_given(
        self, client, operator, tea, clock
    ):
        clock.advance(seconds=1)

        answer = await client.patch("/v1/products/creme-tea", json={}, headers=operator)

        assert answer.json() == tea

    @cases(
        ("change", "pointer"),
        [
            (
                {"variants": [{"sku": "NEW", "options": {"Size": "S"}}]},
                "/variants/0/price",
            ),
            (
                {
                    "variants": [
                        {"sku": "NEW", "price": {"amount": 1, "currency": "EUR"}}
                    ]
                },
                "/variants/2/options",
            ),
            ({"title": ""}, "/title"),
            ({"variants": [{"sku": ""}] * 80_000}, "/variants"),
            ({"images": [{"url": ""}] * 70_000}, "/images"),
            ({"options": [{"name": "", "values": []}] * 40_000}, "/options"),
            ({"tags": [""] * 300_000}, "/tags"),
        ],
    )
    @pytest.mark.usefixtures("tea")
    async def test_names_the_field_it_refuses(self, client, operator, change, pointer):
        answer = await client.patch(
            "/v1/products/creme-tea", json=change, headers=operator
        )

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    async def test_says_that_there_is_none(self, client, operator):
        answer = await client.patch(
            f"/v1/products/{new_id()}", json={}, headers=operator
        )

        assert answer.status_code == 404
