"""What a search shows is what it costs whoever asks."""


class TestFind:
    async def test_says_what_each_match_costs_in_a_currency(self, client, a_product):
        await a_product("MUG")

        plain = (await client.get("/v1/search?q=title")).json()
        asked = (await client.get("/v1/search?q=title&currency=EUR")).json()
        listed = (await client.get("/v1/products?currency=EUR")).json()

        assert "offer" not in plain["items"][0]["variants"][0]
        assert asked["items"] == listed["items"]
        assert asked["items"][0]["variants"][0]["offer"]["price"] == {
            "amount": 999,
            "currency": "EUR",
        }

    async def test_shows_each_match_as_the_list_does(self, client, a_product):
        for number in range(3):
            await a_product(f"MUG-{number}", on_hand=number)

        found = (await client.get("/v1/search?sort=price")).json()
        listed = (await client.get("/v1/products")).json()

        assert found["items"] == listed["items"]
        numbers = [item["variants"][0]["available"] for item in found["items"]]
        assert numbers == [0, 1, 2]
