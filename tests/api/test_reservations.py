"""Stock held for a cart over HTTP: made, renewed, replaced, shown, given back."""

import pytest
from cases import cases

from holdfast.domain import inventory
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id


class Visitor:
    """Somebody with a token, who holds stock for a cart."""

    def __init__(self, client, headers, cart_id=None) -> None:
        self._client = client
        self.headers = headers
        self.cart_id = str(cart_id or new_id())

    @property
    def path(self):
        return f"/v1/carts/{self.cart_id}/reservation"

    async def put(self, **units):
        lines = [{"sku": sku, "quantity": n} for sku, n in units.items()]
        body = {"json": {"lines": lines}} if units else {}
        return await self._client.put(self.path, headers=self.headers, **body)

    async def get(self):
        return await self._client.get(self.path, headers=self.headers)

    async def delete(self):
        return await self._client.delete(self.path, headers=self.headers)


@pytest.fixture
def a_guest(client):
    """Somebody with the token of a cart, which need not be there."""

    def come(cart_id=None):
        token = tokens.new_token(tokens.CART)
        return Visitor(client, {"Authorization": f"Bearer {token}"}, cart_id)

    return come


@pytest.fixture
async def free(database):
    """How many of a SKU can still be had."""

    async def read(sku):
        return (await inventory.find(database, sku)).available

    return read


class TestPut:
    async def test_holds_what_the_request_names(self, a_guest, tea, free):
        guest = a_guest()

        made = await guest.put(TEA=3)

        assert made.status_code == 201
        assert made.json() == {
            "cart_id": guest.cart_id,
            "expires_at": "2026-11-27T08:10:00Z",
            "lines": [{"sku": "TEA", "quantity": 3}],
        }
        assert await free("TEA") == 7

    async def test_again_renews_it(self, a_guest, tea, free, clock):
        guest = a_guest()
        await guest.put(TEA=3)
        clock.advance(minutes=5)

        renewed = await guest.put(TEA=3)

        assert renewed.status_code == 200
        assert renewed.json()["expires_at"] == "2026-11-27T08:15:00Z"
        assert await free("TEA") == 7

    async def test_other_lines_replace_it(self, a_guest, tea, a_product, free):
        await a_product("CUP")
        guest = a_guest()
        await guest.put(TEA=3)

        replaced = await guest.put(CUP=1)

        assert replaced.status_code == 200
        assert replaced.json()["lines"] == [{"sku": "CUP", "quantity": 1}]
        assert (await free("TEA"), await free("CUP")) == (10, 9)

    async def test_takes_all_lines_or_none(self, a_guest, tea, a_product, free):
        await a_product("CUP", on_hand=1)

        refused = await a_guest().put(TEA=3, CUP=2)

        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/out-of-stock"
        assert refused.json()["shortages"] == [
            {"sku": "CUP", "requested": 2, "available": 1}
        ]
        assert await free("TEA") == 10

    async def test_what_is_held_is_kept_when_more_is_refused(self, a_guest, tea, free):
        guest = a_guest()
        await guest.put(TEA=3)

        assert (await guest.put(TEA=11)).status_code == 409

        assert (await guest.get()).json()["lines"] == [{"sku": "TEA", "quantity": 3}]
        assert await free("TEA") == 7

    async def test_lines_of_one_sku_are_one(self, client, a_guest, tea):
        guest = a_guest()
        lines = [{"sku": "TEA", "quantity": n} for n in (1, 2)]

        made = await client.put(
            guest.path, json={"lines": lines}, headers=guest.headers
        )

        assert made.json()["lines"] == [{"sku": "TEA", "quantity": 3}]

    async def test_is_busy_and_not_sold_out_while_its_row_is_locked(
        self, shop, a_guest, tea, database, free
    ):
        for _ in range(10):
            shop.reservations.holding._heat.waited([tea], 1.0)
        guests = [a_guest() for _ in range(3)]
        async with database.transaction() as tx:
            await tx.execute("SELECT 1 FROM stock FOR UPDATE")
            said = [await guest.put(TEA=1) for guest in guests]

        assert {answer.status_code for answer in said} == {503}
        assert {n.json()["type"] for n in said} == {"/problems/reservations-busy"}
        assert {answer.headers["retry-after"] for answer in said} <= {"1", "2"}
        assert await free("TEA") == 10


class TestPutOfWhatIsInTheCart:
    async def test_holds_every_line(self, client, a_bag):
        bag = await a_bag(TEA=2, CUP=1)

        made = await Visitor(client, bag.owner, bag.cart["id"]).put()

        assert made.status_code == 201
        assert sorted(n["sku"] for n in made.json()["lines"]) == ["CUP", "TEA"]

    async def test_an_empty_cart_is_refused(self, client, a_bag):
        bag = await a_bag()

        refused = await Visitor(client, bag.owner, bag.cart["id"]).put()

        assert refused.json()["type"] == "/problems/cart-empty"

    async def test_a_cart_that_was_ordered_is_refused(self, client, a_bag):
        bag = await a_bag(TEA=1)
        order = (await bag.check_out()).json()

        refused = await Visitor(client, bag.owner, bag.cart["id"]).put()

        assert refused.json()["type"] == "/problems/cart-already-ordered"
        assert refused.json()["order_id"] == order["id"]

    async def test_another_cart_is_not_there(self, client, a_bag, a_guest):
        bag = await a_bag(TEA=1)

        refused = await a_guest(bag.cart["id"]).put()

        assert refused.json()["type"] == "/problems/cart-not-found"

    async def test_what_is_not_for_sale_is_not_held(self, client, a_bag, database):
        bag = await a_bag(TEA=1)
        await database.fetch("UPDATE products SET status = 'archived' RETURNING id")

        refused = await Visitor(client, bag.owner, bag.cart["id"]).put()

        assert refused.json()["type"] == "/problems/variant-unavailable"


class TestWhatCannotBeHeld:
    async def test_what_nobody_sells(self, a_guest, tea):
        refused = await a_guest().put(TEA=1, NOTHING=1)

        assert refused.status_code == 422
        assert refused.json()["skus"] == ["NOTHING"]

    async def test_what_is_not_for_sale(self, a_guest, a_product):
        await a_product("OLD", status="archived")

        refused = await a_guest().put(OLD=1)

        assert refused.json()["type"] == "/problems/variant-unavailable"

    @cases(
        ("body", "pointer"),
        [
            ({"lines": []}, "/lines"),
            ({"lines": [{"sku": "TEA", "quantity": 0}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA"}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 1, "price": 1}]}, "/lines/0/price"),
            ({"rows": []}, "/rows"),
        ],
    )
    async def test_what_makes_no_sense(self, client, a_guest, faults, body, pointer):
        guest = a_guest()

        refused = await client.put(guest.path, json=body, headers=guest.headers)

        assert faults(refused) == [pointer]


class TestGet:
    async def test_shows_what_is_held(self, a_guest, tea):
        guest = a_guest()
        made = (await guest.put(TEA=2)).json()

        assert (await guest.get()).json() == made

    async def test_says_when_there_is_nothing(self, a_guest):
        answer = await a_guest().get()

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/reservation-not-found"

    async def test_says_when_it_has_expired(self, a_guest, tea, clock):
        guest = a_guest()
        until = (await guest.put(TEA=2)).json()["expires_at"]
        clock.advance(minutes=10)

        answer = await guest.get()

        assert answer.status_code == 410
        assert answer.json()["expired_at"] == until


class TestDelete:
    async def test_gives_it_back(self, a_guest, tea, free):
        guest = a_guest()
        await guest.put(TEA=2)

        assert (await guest.delete()).status_code == 204

        assert await free("TEA") == 10
        assert (await guest.get()).status_code == 404
        assert (await guest.delete()).status_code == 404


class TestWhoseItIs:
    """A hold is its maker's: nobody else sees, changes or ends it."""

    async def test_of_each_who_holds_for_the_same_cart(
        self, client, a_bag, a_guest, an_operator, signed_in, free
    ):
        bag = await a_bag(TEA=1)
        cart_id = bag.cart["id"]
        owner = Visitor(client, bag.owner, cart_id)
        member = Visitor(client, (await signed_in()).headers, cart_id)
        operator = Visitor(client, await an_operator("carts:write"), cart_id)

        for number, who in enumerate((owner, a_guest(cart_id), member, operator), 1):
            assert (await who.put(TEA=number)).status_code == 201
        assert await free("TEA") == 0
        await operator.delete()

        assert (await owner.get()).json()["lines"] == [{"sku": "TEA", "quantity": 1}]
        assert (await member.get()).json()["lines"] == [{"sku": "TEA", "quantity": 3}]
        assert await free("TEA") == 4

    async def test_operators_hold_together(self, client, an_operator, tea):
        one = Visitor(client, await an_operator("carts:write"))
        other = Visitor(client, await an_operator("carts:write"), one.cart_id)

        await one.put(TEA=2)

        assert (await other.get()).json()["lines"] == [{"sku": "TEA", "quantity": 2}]
        assert (await other.delete()).status_code == 204

    async def test_a_key_without_the_scope_is_refused(self, client, an_operator):
        stranger = Visitor(client, await an_operator("orders:read"))

        assert (await stranger.put(TEA=1)).status_code == 403
