"""Buyers are told what became of their orders: once, and only what is news to them."""

import pytest

from holdfast.domain import notifications, ordering
from holdfast.domain.ordering import OrderNotFound
from holdfast.kernel.ids import new_id
from holdfast.workflows import order_mail


@pytest.fixture
def tell(database, vault, clock):
    """Tell of an order; returns all e-mails there are."""

    async def run(order_id, kind, mailer=None, event_id=None):
        await order_mail.tell(
            order_id,
            kind,
            event_id=event_id or new_id(),
            db=database,
            vault=vault,
            mailer=mailer,
            clock=clock,
        )
        return await notifications.latest(database, vault, limit=10)

    return run


@pytest.fixture
def cancel(database, clock):
    async def run(order, quantities):
        async with database.transaction() as tx:
            await ordering.cancel_lines(
                *(tx, order.id, quantities),
                reason="customer",
                actor="test",
                at=clock(),
            )

    return run


class Postbox:
    """A mailer that keeps what it gets."""

    def __init__(self):
        self.taken = []

    async def send(self, email):
        self.taken.append(email)


class TestCanceled:
    async def test_says_what_goes_back(self, buy, cancel, tell, database, clock):
        bought = await buy()
        await cancel(bought.order, {1: 2})
        async with database.transaction() as tx:
            await ordering.claim_refund(
                tx, bought.order.id, bought.order.total, at=clock()
            )

        (email,) = await tell(bought.order.id, "order_canceled")

        assert email.recipient == "ada@example.com"
        assert email.subject == "Your order HF-1001 is canceled"
        assert "24.88 EUR go back to where the money came from" in email.body

    async def test_says_when_nothing_was_taken(self, buy, cancel, tell):
        bought = await buy()
        await cancel(bought.order, {1: 2})

        (email,) = await tell(bought.order.id, "order_canceled")

        assert "Nothing was charged for it." in email.body

    async def test_is_written_and_sent_once(self, buy, cancel, tell):
        bought, event_id, postbox = await buy(), new_id(), Postbox()
        await cancel(bought.order, {1: 2})

        for _ in range(3):
            emails = await tell(bought.order.id, "order_canceled", postbox, event_id)

        assert len(emails) == len(postbox.taken) == 1
        assert emails[0].sent_at is not None


class TestChanged:
    async def test_says_what_is_left_and_where_it_goes(self, buy, cancel, tell):
        bought = await buy(title="Assam")
        await cancel(bought.order, {1: 1})

        (email,) = await tell(bought.order.id, "order_changed")

        assert "1 x Assam (TEA-1)" in email.body
        assert "It comes to 14.89 EUR, shipping included." in email.body
        assert "    12 Main St\n    London\n" in email.body

    async def test_is_no_news_once_the_order_is_canceled(self, buy, cancel, tell):
        bought = await buy()
        await cancel(bought.order, {1: 2})

        assert await tell(bought.order.id, "order_changed") == []


class TestFailed:
    @pytest.fixture
    def fail(self, database, clock):
        async def after(bought, seconds):
            clock.advance(seconds=seconds)
            async with database.transaction() as tx:
                await tx.execute(
                    "UPDATE orders SET status = 'failed', payment_status = 'failed',"
                    " captured_amount = 0, settled_at = $1",
                    clock(),
                )

        return after

    async def test_is_told_whom_nobody_told_before(self, buy, tell, fail):
        bought = await buy()
        await fail(bought, 20)

        (email,) = await tell(bought.order.id, "order_failed")

        assert email.subject == "Your order HF-1001 could not be paid"

    async def test_is_no_news_to_a_buyer_who_saw_it(self, buy, tell, fail):
        bought = await buy()
        await fail(bought, 2)

        assert await tell(bought.order.id, "order_failed") == []


class TestNobody:
    async def test_is_told_once_they_were_erased(self, buy, tell, database):
        bought = await buy()
        async with database.transaction() as tx:
            await tx.execute("UPDATE orders SET sealed = NULL")

        for kind in ("order_canceled", "order_changed", "order_failed"):
            assert await tell(bought.order.id, kind) == []

    async def test_is_told_of_an_order_that_is_nowhere(self, tell):
        with pytest.raises(OrderNotFound):
            await tell(new_id(), "order_canceled")
