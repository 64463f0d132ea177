"""What is somebody's own is nobody else's: made from the routes, not from memory.

A route that is for one's own things (``own=...``, or under ``/v1/me``) and names one
in its path is called by another customer, who is told that there is no such thing, and
by its owner, who is not. A new kind of thing fails here until somebody says how to make
it.
"""

from collections.abc import Callable
from uuid import UUID

import pytest

from holdfast.api.policy import Route
from holdfast.api.problems import slug_of
from holdfast.api.routes import ROUTES
from holdfast.domain import identity, oauth, ordering
from holdfast.kernel import tokens

OWN = [r for r in ROUTES if r.own or (r.scope or "") in identity.PERSONAL_SCOPES]
NAMING = [route for route in OWN if route.parameters]
LISTING = [route for route in OWN if not route.parameters and route.method == "GET"]
WITH_CART = [route for route in ROUTES if route.guest]
# What a route needs to be told before it looks whose the thing is.
BODIES = {
    "PATCH /v1/carts/{cart_id:uuid}": {"email": "mallory@example.com"},
    "POST /v1/carts/{cart_id:uuid}/lines": {"sku": "TEA", "quantity": 1},
    "PATCH /v1/carts/{cart_id:uuid}/lines/{line_id:uuid}": {"quantity": 2},
    "POST /v1/carts/{cart_id:uuid}/checkout": {"payment_method": "pm_card_ok"},
    "PATCH /v1/me/addresses/{address_id:uuid}": {"city": "Nowhere"},
    "POST /v1/orders/{order_id:uuid}/cancellation": {"reason": "customer"},
    "POST /v1/orders/{order_id:uuid}/returns": {
        "lines": [{"position": 1, "quantity": 1}],
        "reason": "unwanted",
    },
}
READY = {
    "email": "ada.of.the.mill@example.com",
    "shipping_method": "pickup",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Mill Lane",
        "city": "London",
        "postal_code": "SW1A 1AA",
        "country": "GB",
    },
}
MARKS = ("Lovelace", "Mill Lane", "ada.of.the.mill")


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


class Belongings:
    """Things of Ada's, made when a path names them."""

    def __init__(self, client, ada, a_product, database, clock) -> None:
        self.ada = ada
        self._client = client
        self._a_product = a_product
        self._database = database
        self._clock = clock
        self._cart = None
        self._made_by_parameter: dict[str, Callable] = {
            "cart_id": self._cart_id,
            "line_id": self._line_id,
            "order_id": self._order_id,
            "return_id": self._return_id,
            "address_id": self._address_id,
            "request_id": self._request_id,
            "session_id": self._session_id,
            "client_id": self._client_id,
        }

    async def address_of(self, route: Route) -> str:
        """The path of *route* with what is Ada's in it."""
        path = route.path
        for parameter, kind in route.parameters.items():
            assert parameter in self._made_by_parameter, (
                f"say in {__name__} how somebody gets a {parameter}"
            )
            made = str(await self._made_by_parameter[parameter]())
            path = path.replace(f"{{{parameter}:{kind}}}", made)
            path = path.replace(f"{{{parameter}}}", made)
        if path.endswith("/reservation"):
            await self._send("PUT", path, None)
        if name_of(route).startswith("POST") and path.endswith("/returns"):
            await self._ship(path.split("/")[3])
        return path

    async def marks(self) -> list[str]:
        """Make one thing of each kind; returns what nobody else may be shown."""
        made = [str(await make()) for make in self._made_by_parameter.values()]
        return [*made, *MARKS, str(self.ada.account_id)]

    async def _send(self, method, path, body, **headers):
        answer = await self._client.request(
            method, path, json=body, headers={**self.ada.headers, **headers}
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def cart(self):
        if self._cart is None:
            await self._a_product("TEA")
            lines = [{"sku": "TEA", "quantity": 1}]
            opened = await self._send(
                "POST", "/v1/carts", {"currency": "EUR", "lines": lines}
            )
            path = f"/v1/carts/{opened['id']}"
            self._cart = await self._send("PATCH", path, READY)
        return self._cart

    async def _cart_id(self):
        return (await self.cart())["id"]

    async def _line_id(self):
        return (await self.cart())["lines"][0]["id"]

    async def _order_id(self):
        order = await self._send(
            *("POST", f"/v1/carts/{await self._cart_id()}/checkout"),
            {"payment_method": "pm_card_ok"},
            **{"Idempotency-Key": "ada-pays"},
        )
        return order["id"]

    async def _ship(self, order_id):
        """Nobody has to send anything for its buyer to have it."""
        async with self._database.transaction() as tx:
            await ordering.mark_fulfilled(
                tx, UUID(order_id), {1: 1}, actor="test", at=self._clock()
            )

    async def _return_id(self):
        order_id = await self._order_id()
        await self._ship(order_id)
        body = BODIES["POST /v1/orders/{order_id:uuid}/returns"]
        path = f"/v1/orders/{order_id}/returns"
        key = {"Idempotency-Key": "ada-returns"}
        return (await self._send("POST", path, body, **key))["id"]

    async def _address_id(self):
        address = READY["shipping_address"]
        return (await self._send("POST", "/v1/me/addresses", address))["id"]

    async def _request_id(self):
        await self._a_product("POT", on_hand=0)
        asked = await self._client.post(
            "/v1/inventory/POT/back-in-stock", headers=self.ada.headers
        )
        assert asked.status_code == 202
        waiting = await self._send("GET", "/v1/me/back-in-stock", None)
        return waiting["items"][0]["id"]

    async def _session_id(self):
        return self.ada.session_id

    async def _client_id(self):
        async with self._database.transaction() as tx:
            await oauth.remember_consent(
                *(tx, self.ada.account_id, self.ada.client_id, {"account:read"}),
                at=self._clock(),
            )
        return self.ada.client_id


@pytest.fixture
async def belongings(client, signed_in, a_product, database, clock):
    ada = await signed_in(email=READY["email"])
    return Belongings(client, ada, a_product, database, clock)


@pytest.fixture
def call(client):
    """Send what a route takes."""

    async def send(route, path, headers):
        body = BODIES.get(name_of(route))
        more = {} if body is None else {"json": body}
        key = {"Idempotency-Key": "one"} if route.idempotent else {}
        return await client.request(
            route.method, path, headers={**headers, **key}, **more
        )

    return send


@pytest.mark.parametrize("route", NAMING, ids=name_of)
class TestAThingOfAnothers:
    async def test_is_not_there_for_a_customer(
        self, route, belongings, call, signed_in
    ):
        path = await belongings.address_of(route)
        mallory = await signed_in()

        refused = await call(route, path, mallory.headers)
        allowed = await call(route, path, belongings.ada.headers)

        assert refused.status_code == 404, refused.text
        slugs = {f"/problems/{slug_of(error)}" for error in route.raises}
        assert refused.json()["type"] in slugs
        assert not any(mark in refused.text for mark in MARKS)
        assert allowed.is_success, f"{allowed.text}: Ada herself could not"


@pytest.mark.parametrize("route", WITH_CART, ids=name_of)
class TestAThingOfAnothersByCartToken:
    async def test_is_not_there_for_who_holds_another_cart(
        self, route, belongings, call
    ):
        path = await belongings.address_of(route)
        token = tokens.new_token(tokens.CART)

        refused = await call(route, path, {"Authorization": f"Bearer {token}"})

        assert refused.status_code == 404, refused.text
        assert not any(mark in refused.text for mark in MARKS)


class TestLists:
    @pytest.mark.parametrize("route", LISTING, ids=name_of)
    async def test_hold_nothing_of_anothers(self, route, belongings, client, signed_in):
        marks = await belongings.marks()
        mallory = await signed_in()

        answer = await client.get(route.path, headers=mallory.headers)

        assert answer.status_code in (200, 404)
        assert [mark for mark in marks if mark in answer.text] == []
