"""What a guest ordered becomes theirs once the address is proved to be."""

import re

import pytest

from holdfast.domain import notifications
from holdfast.workflows.roles import Giver
from holdfast.workflows.users import Users

TOKEN = re.compile(r"token=(hfm_\S+)")
ADDRESS = "adaline.lovelace@example.com"


@pytest.fixture
def sign_up(client, shop, deliver):
    """Sign up by way of the e-mail; returns the id of the account."""

    async def go(email: str) -> str:
        asked = await client.post("/v1/accounts", json={"email": email})
        assert asked.status_code == 202
        await deliver()
        (letter, *_) = await notifications.latest(shop.db, shop.vault, limit=1)
        (token,) = TOKEN.findall(letter.body)
        answer = await client.post(
            "/v1/accounts/confirm",
            json={"token": token, "password": "a tea for two at four"},
        )
        return str(answer.raise_for_status().json()["id"])

    return go


@pytest.fixture
def orders_of(client, operator):
    async def read(account_id: str) -> set[str]:
        answer = await client.get(
            f"/v1/customers/{account_id}/orders", headers=operator
        )
        return {order["id"] for order in answer.raise_for_status().json()["items"]}

    return read


@pytest.fixture
def guest_order(a_bag):
    """Order as a guest; returns the id of the order."""

    async def place(email: str) -> str:
        address = {"name": "Ada", "line1": "1", "city": "Cork", "country": "IE"}
        fields = {
            "email": email,
            "shipping_method": "pickup",
            "shipping_address": address,
        }
        bag = await a_bag(TEA=1, fields=fields)
        answer = await bag.check_out(f"key-{bag.path}")
        return str(answer.raise_for_status().json()["id"])

    return place


class TestOrderedAsGuestByWhoHasAnAccount:
    @pytest.fixture
    async def ada(self, sign_up, guest_order):
        account_id = await sign_up(ADDRESS)
        return f"/v1/customers/{account_id}", await guest_order(ADDRESS)

    async def test_is_in_the_export(self, client, operator, ada):
        path, order_id = ada

        answer = await client.post(f"{path}/export", headers=operator)

        orders = answer.raise_for_status().json()["orders"]
        assert [order["id"] for order in orders] == [order_id]

    async def test_is_emptied_by_erasing(self, client, operator, ada):
        path, order_id = ada

        (await client.delete(path, headers=operator)).raise_for_status()

        answer = await client.get(f"/v1/orders/{order_id}", headers=operator)
        order = answer.raise_for_status().json()
        assert (order["email"], order["shipping_address"]) == (None, None)


class TestAttach:
    async def test_follows_the_proof_of_the_address(
        self, sign_up, guest_order, orders_of
    ):
        ids = {await guest_order(ADDRESS), await guest_order(ADDRESS.upper())}
        await guest_order("eve@example.com")

        account_id = await sign_up(ADDRESS)

        assert await orders_of(account_id) == ids

    async def test_leaves_the_orders_of_an_address_that_only_looks_alike(
        self, sign_up, guest_order, orders_of
    ):
        await guest_order("ada@strasse.example")

        # Another domain, which anybody may register (RFC 5891).
        thief = await sign_up("ada@stra\N{LATIN SMALL LETTER SHARP S}e.example")

        assert await orders_of(thief) == set()

    async def test_does_not_come_with_an_account_that_an_operator_made(
        self, client, operator, guest_order, orders_of
    ):
        await guest_order(ADDRESS)

        made = await client.post(
            "/v1/customers", json={"email": ADDRESS}, headers=operator
        )

        assert await orders_of(made.json()["id"]) == set()

    async def test_comes_when_its_owner_has_chosen_a_password(
        self, client, operator, shop, deliver, guest_order, orders_of
    ):
        order_id = await guest_order(ADDRESS)
        made = await client.post(
            "/v1/customers", json={"email": ADDRESS}, headers=operator
        )
        await client.post("/v1/password-resets", json={"email": ADDRESS})
        await deliver()
        (letter, *_) = await notifications.latest(shop.db, shop.vault, limit=1)
        (token,) = TOKEN.findall(letter.body)

        answer = await client.post(
            "/v1/password-resets/confirm",
            json={"token": token, "password": "a tea for two at four"},
        )

        assert answer.status_code == 204, answer.text
        assert await orders_of(made.json()["id"]) == {order_id}

    async def test_comes_with_a_password_that_an_operator_gave(
        self, shop, guest_order, orders_of
    ):
        order_id = await guest_order(ADDRESS)
        users = Users(shop.db, shop.vault, shop.clock)
        phc = await shop.hasher.hash("a tea for two at four")

        made = await users.create(ADDRESS, [], Giver(), password=phc)

        assert await orders_of(str(made.id)) == {order_id}

    async def test_comes_when_an_operator_has_set_the_first_password(
        self, shop, guest_order, orders_of
    ):
        order_id = await guest_order(ADDRESS)
        users = Users(shop.db, shop.vault, shop.clock)
        phc = await shop.hasher.hash("a tea for two at four")
        made = await users.create(ADDRESS, [], Giver())
        assert await orders_of(str(made.id)) == set()

        await users.set_password(made.id, phc, Giver())
        later = await guest_order(ADDRESS)
        await users.set_password(made.id, phc, Giver())

        # What came after the address was proved stays apart, as everywhere.
        assert later != order_id
        assert await orders_of(str(made.id)) == {order_id}

    async def test_brings_nothing_of_somebody_who_was_erased(
        self, client, sign_up, guest_order, orders_of, operator
    ):
        old = await guest_order(ADDRESS)
        first = await sign_up(ADDRESS)
        await client.delete(f"/v1/customers/{first}", headers=operator)

        second = await sign_up(ADDRESS)

        assert second != first
        assert await orders_of(second) == set()
        new = await guest_order(ADDRESS)
        assert new != old
        assert await orders_of(second) == set()
