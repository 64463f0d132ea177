"""Who is signed in reaches their own carts and orders without the cart's token."""

import pytest


@pytest.fixture
def checked_out(client, a_product):
    """Order as somebody; returns the cart and the order."""

    async def order(headers):
        await a_product("TEA")
        cart = {
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
        made = await client.post("/v1/carts", json=cart, headers=headers)
        cart = made.raise_for_status().json()
        answer = await client.post(
            f"/v1/carts/{cart['id']}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**headers, "Idempotency-Key": "key-1"},
        )
        return cart, answer.raise_for_status().json()

    return order


class TestOwnOrder:
    async def test_is_placed_and_read_with_the_access_token_alone(
        self, client, signed_in, checked_out
    ):
        ada = await signed_in()
        cart, order = await checked_out(ada.headers)

        for path, body in (
            (f"/v1/orders/{order['id']}", order),
            (f"/v1/carts/{cart['id']}", None),
        ):
            answer = await client.get(path, headers=ada.headers)
            assert answer.status_code == 200
            assert body is None or answer.json() == body

    async def test_is_not_there_for_another_customer(
        self, client, signed_in, checked_out
    ):
        cart, order = await checked_out((await signed_in()).headers)
        stranger = await signed_in()

        for path in (f"/v1/orders/{order['id']}", f"/v1/carts/{cart['id']}"):
            answer = await client.get(path, headers=stranger.headers)
            assert answer.status_code == 404

    async def test_still_opens_to_the_token_of_its_cart(
        self, client, signed_in, checked_out
    ):
        cart, order = await checked_out((await signed_in()).headers)

        answer = await client.get(
            f"/v1/orders/{order['id']}",
            headers={"Authorization": f"Bearer {cart['token']}"},
        )

        assert answer.json() == order

    async def test_is_nobodys_when_the_client_may_not_shop_for_them(
        self, client, signed_in
    ):
        reader = await signed_in(scopes=["orders:own", "account:read"])

        made = await client.post("/v1/carts", json={}, headers=reader.headers)

        cart = made.raise_for_status().json()
        answer = await client.get(f"/v1/carts/{cart['id']}", headers=reader.headers)
        assert answer.status_code == 403


class TestByEmail:
    async def test_operators_find_the_orders_of_an_address(
        self, client, signed_in, checked_out, an_operator
    ):
        _, order = await checked_out((await signed_in()).headers)
        operator = await an_operator("orders:read")

        async def found(email):
            answer = await client.get(
                "/v1/orders", params={"email": email}, headers=operator
            )
            return answer.json()["items"]

        assert await found("ADA@Example.com") == [order]
        assert await found("grace@example.com") == []
