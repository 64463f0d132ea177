"""Where the money of a canceled order goes: by how it was paid."""

from dataclasses import replace

import pytest

from holdfast.domain import ordering
from holdfast.kernel.ids import new_id


@pytest.fixture
def cancel():
    async def send(placed, *lines, by=None):
        body = {"lines": [{"position": p, "quantity": q} for p, q in lines]}
        return await placed.send(
            *("cancellation", body if lines else {}), by=by, key=f"key-{new_id()}"
        )

    return send


class TestAuthorized:
    """Where money is taken with the first shipment."""

    @pytest.fixture
    def settings(self, settings):
        return replace(settings, capture="shipment")

    async def test_money_of_a_canceled_order_is_never_taken(
        self, place, cancel, payment_provider
    ):
        placed = await place(TEA=2)
        assert placed.order["payment_status"] == "authorized"

        answer = await cancel(placed)

        assert answer.json()["status"] == "canceled"
        assert (await placed.read())["payment_status"] == "voided"
        (charge,) = payment_provider.get("/v1/charges")["items"]
        assert charge["status"] == "canceled"

    async def test_less_is_taken_of_an_order_that_was_canceled_in_part(
        self, place, cancel, operator, payment_provider
    ):
        placed = await place(TEA=3)
        part = (await cancel(placed, (1, 1))).json()

        sent = await placed.send("shipments", {"by": "hand"}, by=operator, key="s")

        assert sent.is_success, sent.text
        order = await placed.read()
        assert part["payment"]["captured_amount"]["amount"] == 0
        assert order["payment"]["captured_amount"]["amount"] == 2 * 999
        assert order["payment"]["refunded_amount"]["amount"] == 0
        assert (order["status"], order["payment_status"]) == ("completed", "captured")


class TestPaidToTheShop:
    async def test_money_is_written_down_as_owed_and_no_provider_asked(
        self, place, cancel, database, operator, refunded
    ):
        placed = await place(TEA=2)
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET paid_outside = true")

        answer = await cancel(placed, by=operator)

        assert answer.json()["status"] == "canceled"
        assert refunded() == 0
        events = (await placed.send("events", by=operator, method="GET")).json()
        owed = [e["detail"] for e in events["items"] if e["kind"] == "refund_owed"]
        assert owed == [{"amount": 1998, "currency": "EUR"}]


class TestCredit:
    async def test_goes_back_to_the_order_that_the_goods_came_back_from(
        self, place, cancel, database, operator, refunded, shop
    ):
        origin, replacement = await place(TEA=2), await place(TEA=1)
        return_id = new_id()
        async with database.transaction() as tx:
            # As an exchange leaves it: goods that came back pay for the replacement.
            await tx.execute(
                "INSERT INTO returns (id, order_id, kind, status, actor, requested_at,"
                " goods_amount, credit_amount)"
                " VALUES ($1, $2, 'exchange', 'completed', 'test', now(), 600, 600)",
                *(return_id, origin.order["id"]),
            )
            await tx.execute(
                "UPDATE orders SET return_id = $1, credit_amount = 600,"
                " total_amount = total_amount - 600,"
                " captured_amount = captured_amount - 600 WHERE id = $2",
                *(return_id, replacement.order["id"]),
            )

        await cancel(replacement, by=operator)

        async def given_back(placed):
            order = await ordering.find(shop.db, shop.vault, placed.order["id"])
            return order.refunded_amount + order.refunding_amount

        assert await given_back(replacement) == 399
        assert await given_back(origin) == 600
