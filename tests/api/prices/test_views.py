"""Offers stand wherever a variant does, and not in the lists of products alone."""

import pytest

from holdfast.kernel.money import Money


@pytest.fixture
async def sale(set_prices):
    """TEA costs less from ten on, and something in dollars."""
    await set_prices(
        700,
        {"price": {"amount": 600, "currency": "EUR"}, "min_quantity": 10},
        {"price": {"amount": 1100, "currency": "USD"}},
    )


@pytest.fixture
async def cup(client, anyhow, tea, a_product):
    """A product to which TEA is related: where it is."""
    await a_product("CUP", price=Money(500, "EUR"))
    items = (await client.get("/v1/products")).json()["items"]
    ids = {item["variants"][0]["sku"]: item["id"] for item in items}
    path = f"/v1/products/{ids['CUP']}"
    made = await client.put(
        f"{path}/related", json={"products": [ids["TEA"]]}, headers=anyhow
    )
    made.raise_for_status()
    return path


@pytest.fixture
def shown(client, keeper, cup):
    """TEA as each view shows it."""

    async def read(headers=keeper, **query):
        async def get(path, **more):
            answer = await client.get(path, params={**query, **more}, headers=headers)
            return answer.raise_for_status().json()

        related = (await get(f"{cup}/related"))["items"][0]
        path = f"/v1/products/{related['id']}"
        one = f"{path}/variants/{related['variants'][0]['id']}"
        views = {
            "product": (await get(path))["variants"][0],
            "related": related["variants"][0],
            "variants": (await get(f"{path}/variants"))["items"][0],
            "variant": await get(one),
        }
        if headers is keeper:
            coded = await get("/v1/variants", sku="TEA")
            views["coded"] = coded["items"][0]["variant"]
        return views

    return read


class TestViews:
    @pytest.mark.usefixtures("sale")
    async def test_all_say_the_same_of_a_variant(self, shown):
        views = await shown()

        offer = views["product"]["offer"]
        assert offer["price"] == {"amount": 700, "currency": "EUR"}
        assert [n["min_quantity"] for n in offer["breaks"]] == [1, 10]
        assert {name: view == views["product"] for name, view in views.items()} == (
            dict.fromkeys(views, True)
        )

    async def test_say_nothing_where_the_price_says_it_all(self, shown):
        assert not any("offer" in view for view in (await shown()).values())

    @pytest.mark.usefixtures("sale")
    async def test_say_what_it_costs_in_a_currency(self, shown):
        dollars, pounds = await shown(currency="USD"), await shown(currency="GBP")

        assert {v["offer"]["price"]["amount"] for v in dollars.values()} == {1100}
        assert [view["offer"] for view in pounds.values()] == [None] * 5

    async def test_say_what_whoever_asks_pays(
        self, shown, set_prices, make, client, keeper, signed_in
    ):
        club = await make("/v1/customer-groups", code="club", name="Club")
        ours = await make(
            "/v1/price-lists", code="club", name="C", group_ids=[club["id"]]
        )
        await set_prices(650, price_list=ours["id"])
        ada, eve = await signed_in(), await signed_in()
        path = f"/v1/customer-groups/{club['id']}/members/{ada.account_id}"
        (await client.put(path, headers=keeper)).raise_for_status()

        theirs = await shown(headers=ada.headers)

        assert {v["offer"]["price"]["amount"] for v in theirs.values()} == {650}
        others = await shown(headers=eve.headers)
        assert not any("offer" in view for view in others.values())

    async def test_know_the_currencies_there_are(self, client, keeper, cup):
        for path in (f"{cup}/related?", f"{cup}/variants?", "/v1/variants?sku=TEA&"):
            answer = await client.get(f"{path}currency=XXX", headers=keeper)

            assert answer.status_code == 422

    @pytest.mark.usefixtures("sale")
    async def test_pages_keep_to_their_currency(self, client, keeper, tea):
        product = {
            "title": "Glass",
            "status": "active",
            "options": [{"name": "Size", "values": ["S", "L"]}],
            "variants": [
                {
                    "sku": f"GLASS-{size}",
                    "barcode": "0123",
                    "options": {"Size": size},
                    "price": {"amount": 300, "currency": "EUR"},
                }
                for size in ("S", "L")
            ],
        }
        await client.post("/v1/products", json=product, headers=keeper)
        for path in ("/v1/products/glass/variants?", "/v1/variants?barcode=0123&"):
            page = await client.get(f"{path}limit=1&currency=EUR", headers=keeper)
            link = page.headers["Link"]

            more = await client.get(link[1 : link.index(">")], headers=keeper)

            (item,) = more.json()["items"]
            assert item.get("variant", item)["offer"]["price"]["amount"] == 300
