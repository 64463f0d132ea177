"""A payment that its buyer has to approve at their bank first."""

import httpx
import pytest
from cases import cases

SECURE = {"payment_method": "pm_card_3ds", "return_url": "https://shop.example/paid"}


@pytest.fixture
def read(client):
    async def send(order, owner):
        return (await client.get(f"/v1/orders/{order['id']}", headers=owner)).json()

    return send


class TestCheckout:
    async def test_sends_the_buyer_to_their_bank(
        self, a_bag, payment_provider, read, shop
    ):
        bag = await a_bag(TEA=2)

        answer = await bag.check_out(body=SECURE)

        order = answer.json()
        assert answer.status_code == 202
        assert (order["status"], order["payment"]["status"]) == ("pending", "pending")
        action = order["payment"]["next_action"]
        assert action["type"] == "redirect"
        assert action["url"].startswith(f"{payment_provider.url}/3ds/")
        assert await read(order, bag.owner) == order
        assert (await bag.check_out(body=SECURE)).content == answer.content

    @pytest.mark.parametrize(
        ("decides", "status"), [("approve", "confirmed"), ("decline", "failed")]
    )
    async def test_what_the_buyer_decides_is_told_by_webhook(
        self, a_bag, tell, control, read, decides, status
    ):
        bag = await a_bag(TEA=2)
        order = (await bag.check_out(body=SECURE)).json()
        path = f"/control/charges/{order['id']}/complete"
        made = control("POST", path, json={"outcome": decides})

        await tell(f"charge.{made['status']}", made)

        after = await read(order, bag.owner)
        assert after["status"] == status
        assert after["payment"]["next_action"] is None

    @cases(
        "url",
        [
            *("javascript:alert(1)", "ftp://x/", "https://", "//shop.example/"),
            *("https://x/\n", "https://x/ y", "https://" + "x" * 3000, ""),
        ],
    )
    async def test_a_buyer_comes_back_only_to_a_page(self, a_bag, faults, url):
        bag = await a_bag(TEA=2)

        answer = await bag.check_out(body={**SECURE, "return_url": url})

        assert faults(answer) == ["/return_url"]


@pytest.mark.slow
class TestTold:
    """The simulator's own webhooks reach a running shop."""

    @pytest.mark.parametrize(
        ("decides", "status"), [("approve", "confirmed"), ("decline", "failed")]
    )
    async def test_settle_the_order_without_anybody_asking(
        self, running, a_product, control, promised, decides, status
    ):
        await a_product("TEA", on_hand=5)
        fields = {
            "email": "ada@example.com",
            "shipping_method": "pickup",
            "shipping_address": {
                "name": "Ada Lovelace",
                "line1": "12 Main St",
                "city": "London",
                "country": "GB",
            },
            "lines": [{"sku": "TEA", "quantity": 1}],
        }
        async with httpx.AsyncClient(base_url=running, trust_env=False) as buyer:
            cart = (await buyer.post("/v1/carts", json=fields)).json()
            owner = {"Authorization": f"Bearer {cart['token']}"}
            placed = await buyer.post(
                f"/v1/carts/{cart['id']}/checkout",
                json=SECURE,
                headers={**owner, "Idempotency-Key": "one"},
            )
            order = placed.json()
            assert placed.status_code == 202
            path = f"/control/charges/{order['id']}/complete"

            control("POST", path, json={"outcome": decides})

            async def settled():
                now = await buyer.get(f"/v1/orders/{order['id']}", headers=owner)
                return now.json()["status"] == status

            await promised(settled)
