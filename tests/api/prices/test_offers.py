import pytest
from cases import cases

from holdfast.kernel.money import Money

_COUNT = """
SELECT sum(calls)::bigint AS calls FROM pg_stat_statements
WHERE query LIKE '%products%' OR query LIKE '%prices%'
"""


@pytest.fixture
def offers(client):
    """The offers of the products on sale, by SKU; absent ones are absent."""

    async def read(currency=None, headers=None):
        query = {} if currency is None else {"currency": currency}
        answer = await client.get("/v1/products", params=query, headers=headers)
        items = answer.raise_for_status().json()["items"]
        single = [
            (
                await client.get(
                    f"/v1/products/{item['id']}", params=query, headers=headers
                )
            ).json()
            for item in items
        ]
        assert single == items
        return {
            variant["sku"]: variant["offer"]
            for item in items
            for variant in item["variants"]
            if "offer" in variant
        }

    return read


@pytest.fixture
def reprice(client, keeper, tea):
    """Change the price of the variant itself."""

    async def send(amount, compare_at):
        page = (await client.get("/v1/products")).json()
        (product,) = page["items"]
        money = {"amount": compare_at, "currency": "EUR"} if compare_at else None
        change = {
            "sku": "TEA",
            "price": {"amount": amount, "currency": "EUR"},
            "compare_at_price": money,
        }
        answer = await client.patch(
            f"/v1/products/{product['id']}",
            json={"variants": [change]},
            headers={**keeper, "If-Match": "*"},
        )
        answer.raise_for_status()

    return send


class TestOffers:
    async def test_there_is_none_where_the_price_says_it_all(self, offers, tea):
        assert await offers() == {}

    async def test_in_a_currency_say_what_each_costs_in_it(
        self, offers, set_prices, a_product
    ):
        await a_product("CUP", price=Money(500, "EUR"))
        await set_prices({"price": {"amount": 1100, "currency": "USD"}})

        dollars, euros = await offers("USD"), await offers("EUR")

        assert dollars["CUP"] is None
        assert dollars["TEA"]["price"] == {"amount": 1100, "currency": "USD"}
        assert {sku: n["price"]["amount"] for sku, n in euros.items()} == {
            "TEA": 1000,
            "CUP": 500,
        }

    async def test_of_a_group_are_seen_by_its_members_alone(
        self, offers, set_prices, make, client, keeper, signed_in
    ):
        club = await make("/v1/customer-groups", code="club", name="Club")
        groups = [club["id"]]
        ours = await make("/v1/price-lists", code="club", name="C", group_ids=groups)
        await set_prices(700, price_list=ours["id"])
        ada, eve = await signed_in(), await signed_in()
        path = f"/v1/customer-groups/{club['id']}/members/{ada.account_id}"
        await client.put(path, headers=keeper)

        theirs = await offers(headers=ada.headers)

        assert theirs["TEA"]["price"]["amount"] == 700
        assert theirs["TEA"]["compare_at_price"]["amount"] == 1000
        assert (await offers(headers=eve.headers), await offers()) == ({}, {})

    async def test_of_a_group_remember_the_list_that_was_withdrawn(
        self, offers, set_prices, reprice, make, client, keeper, signed_in, clock
    ):
        club = await make("/v1/customer-groups", code="club", name="Club")
        groups = [club["id"]]
        ours = await make("/v1/price-lists", code="club", name="C", group_ids=groups)
        await set_prices(700, price_list=ours["id"])
        ada, eve = await signed_in(), await signed_in()
        path = f"/v1/customer-groups/{club['id']}/members/{ada.account_id}"
        await client.put(path, headers=keeper)
        clock.advance(minutes=1)
        path = f"/v1/price-lists/{ours['id']}"
        gone = await client.delete(path, headers={**keeper, "If-Match": "*"})
        clock.advance(minutes=1)
        await reprice(900, 1000)

        lowest = [
            (await offers(headers=who.headers))["TEA"]["lowest_price_30_days"]["amount"]
            for who in (ada, eve)
        ]

        assert gone.status_code == 204
        assert lowest == [700, 1000]

    async def test_say_the_prices_by_quantity(self, offers, set_prices):
        ten = {"price": {"amount": 800, "currency": "EUR"}, "min_quantity": 10}
        await set_prices(ten)

        found = (await offers())["TEA"]["breaks"]

        assert [(n["min_quantity"], n["price"]["amount"]) for n in found] == [
            (1, 1000),
            (10, 800),
        ]

    async def test_change_the_tag_of_the_product(self, client, set_prices):
        (product,) = (await client.get("/v1/products")).json()["items"]
        path = f"/v1/products/{product['handle']}"
        before = await client.get(path)
        await set_prices(700)

        has = {"If-None-Match": before.headers["etag"]}
        after = await client.get(path, headers=has)

        assert after.status_code == 200
        assert after.json()["variants"][0]["offer"]["price"]["amount"] == 700

    @cases("currency", ["XXX", "eur", "EURO", "", "<b>"])
    async def test_an_unknown_currency_is_said_to_be_one(self, client, tea, currency):
        (product,) = (await client.get("/v1/products")).json()["items"]
        for path in ("/v1/products", f"/v1/products/{product['id']}"):
            answer = await client.get(path, params={"currency": currency})

            assert answer.status_code == 422, answer.text

    async def test_of_a_page_of_twenty_take_one_statement(
        self, client, database, a_product, set_prices
    ):
        for number in range(19):
            await a_product(f"CUP-{number}")
        await set_prices(700)
        await client.get("/v1/products?limit=20")
        async with database.statement() as connection:
            await connection.execute(
                "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"
            )
            await connection.execute("SELECT pg_stat_statements_reset()")

        page = (await client.get("/v1/products?limit=20")).json()

        (row,) = await database.fetch(_COUNT)
        assert len(page["items"]) == 20
        assert row["calls"] == 2


class TestLowestPrice:
    async def test_stands_beside_what_a_reduced_price_is_compared_with(
        self, offers, reprice, clock
    ):
        clock.advance(days=60)
        await reprice(900, None)
        clock.advance(days=10)
        await reprice(950, None)
        clock.advance(days=10)
        await reprice(800, 1000)
        clock.advance(days=5)

        offer = (await offers())["TEA"]

        assert offer["price"]["amount"] == 800
        assert offer["compare_at_price"]["amount"] == 1000
        # It was 900 for ten of the thirty days before; that it was 1000 is longer ago.
        assert offer["lowest_price_30_days"]["amount"] == 900

    async def test_knows_prices_that_were_taken_off(self, offers, set_prices, clock):
        clock.advance(days=60)
        now = clock()
        flash = {
            "price": {"amount": 600, "currency": "EUR"},
            "starts_at": now.isoformat(),
            "ends_at": now.replace(hour=23).isoformat(),
        }
        await set_prices(flash)
        clock.advance(days=20)
        # Sweeps away what is over.
        later = {
            "price": {"amount": 700, "currency": "EUR"},
            "starts_at": clock().isoformat(),
        }
        await set_prices(later)

        offer = (await offers())["TEA"]

        assert offer["price"]["amount"] == 700
        assert offer["lowest_price_30_days"]["amount"] == 600

    async def test_knows_for_whom_a_list_was_that_is_withdrawn(
        self, offers, set_prices, make, client, anyhow, clock, signed_in
    ):
        clock.advance(days=60)
        club = await make("/v1/customer-groups", code="club", name="Club")
        groups = [club["id"]]
        ours = await make("/v1/price-lists", code="club", name="C", group_ids=groups)
        await set_prices(500, price_list=ours["id"])
        clock.advance(days=3)
        await client.delete(f"/v1/price-lists/{ours['id']}", headers=anyhow)
        clock.advance(days=3)
        now = clock().isoformat()
        await set_prices(
            {"price": {"amount": 900, "currency": "EUR"}, "starts_at": now}
        )
        later = await make("/v1/price-lists", code="later", name="L", group_ids=groups)
        await set_prices(890, price_list=later["id"])

        ada, eve = await signed_in(), await signed_in()
        path = f"/v1/customer-groups/{club['id']}/members/{ada.account_id}"
        await client.put(path, headers=anyhow)

        lowest = [
            (await offers(headers=who.headers))["TEA"]["lowest_price_30_days"]["amount"]
            for who in (ada, eve)
        ]

        assert lowest == [500, 1000]

    async def test_knows_for_whom_a_list_was_before(
        self, offers, set_prices, make, client, anyhow, clock
    ):
        clock.advance(days=60)
        sale = await make("/v1/price-lists", code="sale", name="Sale")
        await set_prices(500, price_list=sale["id"])
        clock.advance(days=3)
        club = await make("/v1/customer-groups", code="club", name="Club")
        change = {"group_ids": [club["id"]]}
        await client.patch(f"/v1/price-lists/{sale['id']}", json=change, headers=anyhow)
        clock.advance(days=3)
        now = clock().isoformat()
        await set_prices(
            {"price": {"amount": 900, "currency": "EUR"}, "starts_at": now}
        )

        offer = (await offers())["TEA"]

        # Everybody could buy at 500 six days ago.
        assert offer["lowest_price_30_days"]["amount"] == 500
