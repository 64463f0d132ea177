"""What is bought is called as the shop calls it, whoever buys."""

from holdfast.workflows import stock


class TestCart:
    async def test_names_its_lines_in_the_shops_own_language(
        self, client, database, clock, hemd
    ):
        await stock.set_level(
            database, "SHIRT-S", 5, reason="", actor="test", clock=clock
        )
        body = {"lines": [{"sku": "SHIRT-S", "quantity": 1}]}

        made = await client.post(
            "/v1/carts", json=body, headers={"Accept-Language": "de"}
        )

        assert made.status_code == 201, made.text
        assert made.json()["lines"][0]["title"] == "Shirt - Small"
        assert hemd["title"] == "Shirt"
