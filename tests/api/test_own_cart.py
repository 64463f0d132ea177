"""The cart of whoever signed in, and the one they filled before."""

import pytest
from cases import cases

from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id


@pytest.fixture
async def ada(signed_in):
    return await signed_in()


@pytest.fixture
def merge(client, ada):
    async def send(cart, **different):
        body = {"cart_id": cart["id"], "token": cart["token"], **different}
        return await client.post("/v1/me/cart/merge", json=body, headers=ada.headers)

    return send


class TestShow:
    async def test_is_the_open_cart_that_was_opened_last(
        self, client, ada, signed_in, tea
    ):
        bob = await signed_in()
        body = {"lines": [{"sku": "TEA", "quantity": 1}]}
        await client.post("/v1/carts", json=body, headers=ada.headers)
        last = await client.post("/v1/carts", json=body, headers=ada.headers)
        await client.post("/v1/carts", json=body, headers=bob.headers)

        answer = await client.get("/v1/me/cart", headers=ada.headers)

        assert answer.status_code == 200
        assert answer.headers["etag"] == '"1"'
        assert answer.json() == {k: v for k, v in last.json().items() if k != "token"}

    async def test_without_one_there_is_none(self, client, ada, opened):
        await opened()

        answer = await client.get("/v1/me/cart", headers=ada.headers)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/cart-not-found"

    async def test_is_for_people(self, client, an_operator):
        for headers in ({}, await an_operator("carts:write")):
            answer = await client.get("/v1/me/cart", headers=headers)

            assert answer.status_code in (401, 403)


class TestMerge:
    async def test_a_guests_cart_is_theirs(self, client, ada, opened, merge):
        cart, owner = await opened()

        answer = await merge(cart)

        assert answer.status_code == 200
        assert answer.json()["id"] == cart["id"]
        assert "token" not in answer.json()
        own = await client.get("/v1/me/cart", headers=ada.headers)
        assert own.json() == answer.json()
        assert own.headers["etag"] == answer.headers["etag"] == '"2"'
        gone = await client.get(f"/v1/carts/{cart['id']}", headers=owner)
        assert gone.status_code == 404

    async def test_two_carts_become_one(self, client, ada, opened, merge):
        lines = [{"sku": "TEA", "quantity": 1}]
        cart, owner = await opened()
        theirs = await client.post(
            "/v1/carts", json={"lines": lines}, headers=ada.headers
        )

        answer = await merge(cart)

        assert answer.json()["id"] == theirs.json()["id"]
        assert [line["quantity"] for line in answer.json()["lines"]] == [2]
        for headers, leads_to in (
            (owner, None),
            (ada.headers, theirs.json()["id"]),
        ):
            gone = await client.get(f"/v1/carts/{cart['id']}", headers=headers)
            assert gone.status_code == 410
            assert gone.json()["type"] == "/problems/cart-merged"
            assert gone.json()["cart_id"] == leads_to

    async def test_what_was_merged_is_ordered_by_who_signed_in(
        self, client, ada, a_bag, merge
    ):
        bag = await a_bag(TEA=2)
        cart = (await merge(bag.cart)).json()

        answer = await client.post(
            f"/v1/carts/{cart['id']}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**ada.headers, "Idempotency-Key": "ada-pays"},
        )

        assert answer.status_code == 201
        orders = await client.get("/v1/me/orders", headers=ada.headers)
        assert [n["id"] for n in orders.json()["items"]] == [answer.json()["id"]]

    async def test_an_ordered_cart_names_its_order(self, a_bag, merge):
        bag = await a_bag(TEA=2)
        order = (await bag.check_out()).json()

        answer = await merge(bag.cart)

        assert answer.status_code == 409
        assert answer.json()["order_id"] == order["id"]

    @pytest.mark.parametrize(
        "different",
        [
            {"cart_id": str(new_id())},
            {"token": tokens.new_token(tokens.CART)},
            {"token": "hfc_x"},
        ],
        ids=["another id", "another token", "made up"],
    )
    async def test_needs_the_id_and_its_token(self, opened, merge, different):
        cart, _ = await opened()

        answer = await merge(cart, **different)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/cart-not-found"

    @cases(
        ("different", "field"),
        [
            ({"token": "hfk_x"}, "/token"),
            ({"token": ""}, "/token"),
            ({"token": "hfc_" + "x" * 256}, "/token"),
            ({"token": None}, "/token"),
            ({"cart_id": "1"}, "/cart_id"),
            ({"cart_id": 1}, "/cart_id"),
            ({"more": 1}, "/more"),
        ],
    )
    async def test_a_body_of_another_form_is_refused(
        self, opened, merge, faults, different, field
    ):
        cart, _ = await opened()

        assert faults(await merge(cart, **different)) == [field]
