"""The buyer hears once that goods have left, and once that they have arrived."""

import pytest

from holdfast.domain import notifications
from holdfast.domain.shipping import Method
from holdfast.kernel.ids import new_id
from holdfast.workflows import shipment_mail


@pytest.fixture
def tell(shop, clock):
    async def send(shipment, kind="shipment_shipped", event_id=None):
        await shipment_mail.tell(
            *(shipment.id, kind),
            event_id=event_id or new_id(),
            db=shop.db,
            vault=shop.vault,
            mailer=None,
            clock=clock,
        )
        return await notifications.latest(shop.db, shop.vault, limit=10)

    return send


@pytest.fixture
async def order(stocked, place):
    await stocked(TEA=(10, 0), CUP=(10, 0))
    return await place(TEA=3, CUP=1)


class TestShipped:
    async def test_says_what_left_and_where_to_follow_it(self, order, ship, tell):
        (shipment,) = await ship(order)

        (mail,) = await tell(shipment)

        assert mail.recipient == "ada@example.com"
        assert mail.subject == f"Your order {order.label} is on its way"
        assert "3 x Title of TEA (TEA)\n1 x Title of CUP (CUP)" in mail.body
        assert f"Tracking number: {shipment.tracking_number}" in mail.body
        assert "The rest" not in mail.body

    async def test_says_when_more_is_to_come(self, order, ship, tell):
        (shipment,) = await ship(order, units={2: 1}, by="hand")

        (mail,) = await tell(shipment)

        assert "TEA" not in mail.body
        assert "Tracking number" not in mail.body
        assert "The rest comes by itself" in mail.body

    async def test_is_said_once(self, order, ship, tell):
        (shipment,) = await ship(order)
        event_id = new_id()
        await tell(shipment, event_id=event_id)

        assert len(await tell(shipment, event_id=event_id)) == 1

    async def test_is_not_said_of_what_was_canceled_meanwhile(
        self, order, ship, tell, dispatch
    ):
        (shipment,) = await ship(order)
        await dispatch.cancel(shipment.id, actor="key:1")

        assert await tell(shipment) == []

    async def test_is_not_said_of_what_is_fetched_in_person(
        self, stocked, place, ship, tell
    ):
        await stocked(POT=(1, 0))
        (shipment,) = await ship(await place(method=Method.PICKUP, POT=1))

        assert await tell(shipment) == []

    async def test_is_not_said_to_nobody(self, order, ship, tell, database):
        (shipment,) = await ship(order)
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET sealed = NULL")

        assert await tell(shipment) == []


class TestMailServer:
    async def test_is_given_the_e_mail_once(self, order, ship, shop, clock):
        (shipment,) = await ship(order)
        taken, event_id = [], new_id()

        class Server:
            async def send(self, email):
                taken.append(email.subject)

        for _ in range(2):
            await shipment_mail.tell(
                *(shipment.id, "shipment_shipped"),
                event_id=event_id,
                db=shop.db,
                vault=shop.vault,
                mailer=Server(),
                clock=clock,
            )

        assert taken == [f"Your order {order.label} is on its way"]


class TestDelivered:
    async def test_says_what_has_arrived(self, order, ship, tell):
        (shipment,) = await ship(order)

        (mail,) = await tell(shipment, "shipment_delivered")

        assert mail.subject == f"Your order {order.label} has arrived"
        assert "3 x Title of TEA (TEA)" in mail.body
