"""Exchanges over HTTP: what the buyer keeps is what they paid for, to the cent."""

import pytest

from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import refunds


@pytest.fixture
def act(client, operator):
    """Do something with a return as an operator."""

    async def send(found, what, body=None):
        headers = {**operator, "Idempotency-Key": f"key-{new_id()}"}
        path = f"/v1/returns/{found['id']}/{what}"
        return await client.post(path, json=body, headers=headers)

    return send


@pytest.fixture
async def goods(a_product):
    """What can be had instead: cheaper, dearer and as dear as a TEA."""
    await a_product("MUG", on_hand=5, price=Money(500, "EUR"))
    await a_product("POT", on_hand=5, price=Money(2500, "EUR"))
    await a_product("JAR", on_hand=5)


@pytest.fixture
def swap(place, operator, act, goods):
    """Buy a TEA and a CUP, ask to exchange the TEA; returns order and return."""

    async def make(sku, quantity=1, *, sent=None, **approval):
        placed = await place(TEA=1, CUP=1, **(sent or {}))
        await placed.send("shipments", {"by": "hand"}, by=operator, key=f"s-{new_id()}")
        asked = await placed.send(
            "returns",
            {
                "kind": "exchange",
                "reason": "unwanted",
                "lines": [{"position": 1, "quantity": 1}],
                "exchange_lines": [{"sku": sku, "quantity": quantity}],
            },
            key=f"r-{new_id()}",
        )
        found = asked.raise_for_status().json()
        return placed, (await act(found, "approval", approval)).json()

    return make


@pytest.fixture
def captured(payment_provider):
    """What the provider has taken and not given back, in cents."""

    def read():
        charges = payment_provider.get("/v1/charges")["items"]
        return sum(c["amount"] - c["refunded_amount"] for c in charges)

    return read


@pytest.fixture
def order(client):
    async def read(placed, order_id):
        answer = await client.get(f"/v1/orders/{order_id}", headers=placed.owner)
        return answer.raise_for_status().json()

    return read


class TestCheaper:
    async def test_is_ordered_by_itself_and_the_rest_goes_back(
        self, swap, act, order, level, captured
    ):
        placed, found = await swap("MUG")

        done = (await act(found, "receipt")).json()

        assert (done["credit"]["amount"], done["refund"]["amount"]) == (500, 499)
        new = await order(placed, done["exchange_order_id"])
        assert (new["status"], new["payment_status"]) == ("confirmed", "captured")
        assert new["subtotal"] == new["credit"] == {"amount": 500, "currency": "EUR"}
        assert new["total"]["amount"] == new["shipping_total"]["amount"] == 0
        assert await level("MUG") == (5, 1)
        assert await level("TEA") == (10, 0)
        assert captured() == placed.order["total"]["amount"] - 999 + 500

    async def test_that_is_canceled_gives_its_credit_back(
        self, swap, act, captured, client, placed_by, level
    ):
        placed, found = await swap("MUG")
        done = (await act(found, "receipt")).json()

        answer = await placed_by(placed, done["exchange_order_id"]).send(
            "cancellation", {"reason": "customer"}, key="off"
        )

        assert answer.is_success, answer.text
        assert captured() == placed.order["total"]["amount"] - 999
        assert await level("MUG") == (5, 0)

    async def test_that_comes_back_too_gives_the_money_back(
        self, swap, act, captured, placed_by, operator
    ):
        placed, found = await swap("MUG")
        done = (await act(found, "receipt")).json()
        new = placed_by(placed, done["exchange_order_id"])
        await new.send("shipments", {"by": "hand"}, by=operator, key="ship-new")
        body = {"lines": [{"position": 1, "quantity": 1}], "reason": "damaged"}
        again = (await new.send("returns", body, key="again")).json()
        await act(again, "approval")

        last = (await act(again, "receipt")).json()

        assert last["refund"]["amount"] == 500
        assert captured() == placed.order["total"]["amount"] - 999


class TestAsDear:
    async def test_moves_no_money_and_is_complete_at_once(self, swap, act, captured):
        placed, found = await swap("JAR")

        done = (await act(found, "receipt")).json()

        assert done["status"] == "completed"
        assert (done["credit"]["amount"], done["refund"]["amount"]) == (999, 0)
        assert captured() == placed.order["total"]["amount"]


class TestDearer:
    async def test_waits_for_its_buyer_to_pay_the_rest(
        self, swap, act, client, captured, level
    ):
        placed, found = await swap("POT")
        done = (await act(found, "receipt")).json()
        path = f"/v1/carts/{done['exchange_cart_id']}"
        cart = (await client.get(path, headers=placed.owner)).json()

        paid = await client.post(
            f"{path}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**placed.owner, "Idempotency-Key": "pay-the-rest"},
        )

        assert done["exchange_order_id"] is None
        assert (cart["kind"], cart["credit"]["amount"]) == ("draft", 999)
        assert cart["total"]["amount"] == 2500 - 999
        assert paid.status_code == 201, paid.text
        assert paid.json()["total"]["amount"] == 2500 - 999
        assert captured() == placed.order["total"]["amount"] - 999 + 2500
        assert await level("POT") == (5, 1)

    async def test_is_sent_for_nothing_however_long_its_buyer_takes(
        self, swap, act, client, clock
    ):
        """The carrier is not asked again: the price was never the carrier's."""
        address = {"name": "Ada", "line1": "1 Main St", "city": "X", "country": "GB"}
        fields = {
            "email": "ada@example.com",
            "shipping_method": "standard",
            "shipping_address": address,
        }
        placed, found = await swap("POT", sent={"fields": fields})
        done = (await act(found, "receipt")).json()
        clock.advance(days=3)

        paid = await client.post(
            f"/v1/carts/{done['exchange_cart_id']}/checkout",
            json={"payment_method": "pm_card_ok"},
            headers={**placed.owner, "Idempotency-Key": "pay-the-rest"},
        )

        assert placed.order["shipping_total"]["amount"] == 790
        assert paid.json()["total"]["amount"] == 2500 - 999
        assert paid.json()["shipping_total"]["amount"] == 0

    async def test_is_held_and_sent_for_nothing_wherever_it_goes(
        self, swap, act, client, level
    ):
        placed, found = await swap("POT")
        done = (await act(found, "receipt")).json()
        where = {**placed.order["shipping_address"], "country": "US"}

        moved = await client.patch(
            f"/v1/carts/{done['exchange_cart_id']}",
            json={"shipping_address": where, "shipping_method": "express"},
            headers=placed.owner,
        )

        assert await level("POT") == (5, 1)
        assert moved.json()["total"]["amount"] == 2500 - 999

    async def test_that_is_withdrawn_gives_its_credit_back(
        self, swap, act, client, operator, captured, shop, level, clock
    ):
        placed, found = await swap("POT")
        done = (await act(found, "receipt")).json()
        path = f"/v1/draft-orders/{done['exchange_cart_id']}"
        changed = await client.patch(
            path, json={"lines": [{"sku": "MUG", "quantity": 1}]}, headers=operator
        )

        withdrawn = await client.delete(path, headers=operator)

        assert changed.json()["type"] == "/problems/offer-fixed"
        assert withdrawn.status_code == 204, withdrawn.text
        clock.advance(minutes=1)
        await refunds.carry_out_due(shop.db, shop.payments, clock=clock)
        assert captured() == placed.order["total"]["amount"] - 999
        assert await level("POT") == (5, 0)


class TestBeforeTheGoodsArrive:
    async def test_is_ordered_when_the_shop_says_so(self, swap, act, captured, level):
        placed, found = await swap("MUG", exchange_now=True)

        called_off = await act(found, "cancellation")
        done = (await act(found, "receipt")).json()

        assert found["exchange_order_id"] is not None
        assert called_off.json()["type"] == "/problems/exchange-under-way"
        assert (done["credit"]["amount"], done["refund"]["amount"]) == (500, 499)
        assert await level("MUG") == (5, 1)
        assert captured() == placed.order["total"]["amount"] - 499

    async def test_that_was_canceled_meanwhile_is_paid_back_with_the_goods(
        self, swap, act, captured, placed_by
    ):
        placed, found = await swap("MUG", exchange_now=True)
        new = placed_by(placed, found["exchange_order_id"])
        answer = await new.send("cancellation", {"reason": "customer"}, key="off")
        assert answer.is_success, answer.text
        nothing_came_back = captured()

        done = (await act(found, "receipt")).json()

        assert nothing_came_back == placed.order["total"]["amount"]
        assert done["refund"]["amount"] == 999
        assert captured() == placed.order["total"]["amount"] - 999

    async def test_gives_no_more_back_than_the_goods_that_came_were_worth(
        self, swap, act, captured, placed_by
    ):
        placed, found = await swap("JAR", exchange_now=True)
        fee = {"restocking_fee": {"amount": 100, "currency": "EUR"}}
        done = (await act(found, "receipt", fee)).json()
        new = placed_by(placed, found["exchange_order_id"])

        canceled = await new.send("cancellation", {"reason": "customer"}, key="off")

        assert canceled.is_success, canceled.text
        assert (done["credit"]["amount"], done["refund"]["amount"]) == (999, 0)
        assert captured() == placed.order["total"]["amount"] - 899


class TestNotToBeHad:
    async def test_takes_nothing_back_until_the_shop_gives_money_instead(
        self, swap, act, level, captured
    ):
        placed, found = await swap("MUG", 6)

        refused = await act(found, "receipt")
        untouched = await level("TEA")
        done = (await act(found, "receipt", {"exchange": False})).json()

        assert refused.json()["type"] == "/problems/out-of-stock"
        assert untouched == (9, 0)
        assert (done["credit"]["amount"], done["refund"]["amount"]) == (0, 999)
        assert done["exchange_cart_id"] is None
        assert captured() == placed.order["total"]["amount"] - 999
