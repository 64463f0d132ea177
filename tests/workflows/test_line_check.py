"""Lines of orders, and the shipments and returns that they have to agree with."""

import pytest

from holdfast.domain import inventory, ordering, shipping
from holdfast.domain.identity import Operator
from holdfast.domain.ordering import FulfilmentStatus, OrderStatus
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows import returns
from holdfast.workflows.dispatch import Dispatch
from holdfast.workflows.fulfilment import Fulfilment, Wish
from holdfast.workflows.returns import Receipt, Returns
from holdfast.workflows.stock_check import StockCheck

CLERK = Operator(new_id(), "clerk", frozenset({"orders:write"}))


def answer(*_):
    return Answer(201, {}, b"")


def a_claim():
    return Claim(CLERK.actor, "test", str(new_id()), b"print")


@pytest.fixture
def check(shop):
    return StockCheck(shop.db, shop.clock)


@pytest.fixture
def dispatch(shop):
    return Dispatch(shop.db, shop.vault, shop.carrier, shop.clock, shop.payments)


@pytest.fixture
async def order(a_basket, check_out, books):
    """An order of three units of tea, paid."""
    await check_out(await a_basket(TEA=3))
    return (await books()).orders[0]


@pytest.fixture
def send(dispatch, order):
    """Send so many of them."""

    async def ship(units):
        doing = Fulfilment(dispatch, answer)
        wish = Wish(units={1: units})
        await doing.ship(order.id, wish, actor=CLERK.actor, claim=a_claim())

    return ship


@pytest.fixture
def take_back(shop, order):
    """Take so many back, by a return."""

    async def receive(units):
        doing = Returns(
            *(shop.db, shop.vault, shop.payments, shop.clock), CLERK, answer
        )
        wish = returns.Wish(units={1: units}, reason="damaged")
        await doing.request(order.id, wish, claim=a_claim())
        page = await ordering.returns(
            shop.db, shop.vault, after=None, limit=1, order_id=order.id
        )
        found = page.items[0].id
        await doing.approve(found, answer=None, replace_now=False, claim=a_claim())
        await doing.receive(found, Receipt(), claim=a_claim())

    return receive


@pytest.fixture
def say(database):
    """Let the line say what nobody should be able to let it say."""

    async def change(what):
        await database.fetch(f"UPDATE order_lines SET {what}")  # noqa: S608

    return change


@pytest.fixture
def now_is(shop, order):
    async def read():
        return await ordering.find(shop.db, shop.vault, order.id)

    return read


@pytest.fixture
def lines_found(check):
    """What is found of lines, and whether it was repaired."""

    def of(findings):
        return [
            (n.what.split(",")[0], n.expected, n.found, n.fixed)
            for n in findings
            if n.kind == "line"
        ]

    return of


class TestLines:
    async def test_agree_whatever_is_sent_called_off_and_taken_back(
        self, shop, check, dispatch, order, send, take_back
    ):
        await send(2)
        assert await check.find() == []
        await send(1)
        page = await shipping.browse(shop.db, after=None, limit=9, order_id=order.id)
        await dispatch.cancel(page.items[0].id, actor=CLERK.actor)
        assert await check.find() == []
        await take_back(1)

        assert await check.find() == []

    async def test_that_forgot_what_was_sent_are_told_of_it(
        self, shop, check, order, send, say, now_is, lines_found
    ):
        await send(2)
        await say("fulfilled_quantity = 0")

        found = await check.find()
        fixed = await check.fix()

        assert lines_found(found) == [("shipped of TEA", 2, 0, False)]
        assert {n.kind for n in found} == {"line", "order"}, "it wants them again"
        assert all(n.fixed for n in fixed)
        assert await check.find() == []
        after = await now_is()
        assert after.fulfilment_status is FulfilmentStatus.PARTIALLY_FULFILLED
        assert [n.unfulfilled for n in after.lines] == [1]
        last = (await ordering.events_of(shop.db, order.id))[-1]
        assert (last.kind, last.actor) == ("lines_corrected", "command_line")
        assert last.detail == {
            "lines": [{"position": 1, "fulfilled_quantity": 2, "returned_quantity": 0}]
        }

    async def test_that_say_what_was_never_sent_want_it_again(
        self, shop, check, order, say, now_is, lines_found
    ):
        await say("fulfilled_quantity = 3")
        await shop.db.fetch("UPDATE orders SET fulfilment_status = 'fulfilled'")

        fixed = await check.fix()

        assert lines_found(fixed) == [("shipped of TEA", 0, 3, True)]
        after = await now_is()
        assert after.fulfilment_status is FulfilmentStatus.UNFULFILLED
        held = await inventory.reserved_for(shop.db, order.id)
        assert sum(n.quantity for n in held) == 3
        assert await check.find() == []

    @pytest.mark.parametrize("wrong", [0, 2])
    async def test_say_what_came_back(
        self, check, send, take_back, say, now_is, lines_found, wrong
    ):
        await send(3)
        await take_back(1)
        await say(f"returned_quantity = {wrong}")

        fixed = await check.fix()

        assert lines_found(fixed) == [("returned of TEA", 1, wrong, True)]
        after = await now_is()
        assert after.status is OrderStatus.COMPLETED
        assert [n.returned for n in after.lines] == [1]


class TestNotCertain:
    async def test_is_what_shipments_and_record_say_differently(
        self, shop, check, send, now_is, lines_found
    ):
        await send(2)
        await shop.db.fetch("UPDATE shipment_lines SET quantity = 1")

        fixed = await check.fix()

        assert lines_found(fixed) == [("shipped of TEA", 1, 2, False)]
        assert [n.fulfilled for n in (await now_is()).lines] == [2]

    async def test_is_more_than_was_ordered(self, check, send, say, lines_found):
        await send(2)
        await say("fulfilled_quantity = 0, canceled_quantity = 2")

        fixed = await check.fix()

        assert lines_found(fixed) == [("shipped of TEA", 2, 0, False)]

    @pytest.mark.usefixtures("order")
    async def test_is_an_order_that_has_ended(self, shop, check, say, lines_found):
        await say("fulfilled_quantity = 1")
        await shop.db.fetch(
            "UPDATE orders SET status = 'canceled', canceled_at = now(),"
            " cancel_reason = 'customer'"
        )

        fixed = await check.fix()

        assert lines_found(fixed) == [("shipped of TEA", 0, 1, False)]


class TestBefore:
    async def test_there_were_shipments_lines_said_it_alone(
        self, database, check, order, say, lines_found
    ):
        await say("fulfilled_quantity = 3")
        assert lines_found(await check.find())
        async with database.transaction() as tx:
            await tx.execute("ALTER TABLE order_events DISABLE TRIGGER USER")
            await tx.execute("DELETE FROM order_events")
            await tx.execute("ALTER TABLE order_events ENABLE TRIGGER USER")

        assert lines_found(await check.find()) == []
