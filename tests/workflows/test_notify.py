"""An order is confirmed to its buyer once."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import notifications
from holdfast.domain.notifications import MailServerUnavailable
from holdfast.domain.ordering import OrderNotFound
from holdfast.kernel.ids import new_id
from holdfast.workflows import notify


class Postbox:
    """A mailer that keeps what it gets, after it failed as often as it was told."""

    def __init__(self, failures=0):
        self.failures = failures
        self.taken = []

    async def send(self, email):
        if self.failures:
            self.failures -= 1
            raise MailServerUnavailable("down")
        self.taken.append(email)


@pytest.fixture
def confirm(database, vault, clock):
    async def run(bought, mailer=None):
        await notify.confirm_order(
            bought.order.id,
            event_id=bought.event.id,
            db=database,
            vault=vault,
            mailer=mailer,
            clock=clock,
        )
        return await notifications.latest(database, vault, limit=10)

    return run


class TestConfirmOrder:
    async def test_tells_the_buyer_what_was_bought(self, buy, confirm, clock):
        bought = await buy(title="Assam, 250 g")

        (email,) = await confirm(bought)

        assert email.event_id == bought.event.id
        assert email.recipient == "ada@example.com"
        assert email.subject == f"Your order HF-{bought.order.number}"
        assert "2 x Assam, 250 g (TEA-1)\n    19.98 EUR\n" in email.body
        assert "Total: 24.88 EUR\n" in email.body
        assert "    Ada Lovelace\n    12 Main St\n    London\n    GB\n" in email.body
        assert email.created_at == clock()
        assert email.sent_at is None

    async def test_run_many_times_at_once_it_writes_one(self, buy, confirm):
        bought = await buy()

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(confirm(bought))

        assert len(await confirm(bought)) == 1

    async def test_with_a_server_it_is_sent_and_so_marked(self, buy, confirm, clock):
        bought, postbox = await buy(), Postbox()

        (email,) = await confirm(bought, postbox)
        await confirm(bought, postbox)

        assert [taken.id for taken in postbox.taken] == [email.id]
        assert email.sent_at == clock()

    async def test_what_was_not_taken_is_sent_by_the_next_run(self, buy, confirm):
        bought, postbox = await buy(), Postbox(failures=1)

        with pytest.raises(MailServerUnavailable):
            await confirm(bought, postbox)
        (email,) = await confirm(bought, postbox)

        assert [taken.id for taken in postbox.taken] == [email.id]

    async def test_an_order_that_is_not_there_is_said_to_be_missing(self, buy, confirm):
        bought = await buy()
        missing = replace(bought.order, id=new_id())

        with pytest.raises(OrderNotFound):
            await confirm(bought._replace(order=missing))
