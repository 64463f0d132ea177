"""A draft order's buyer gets a link that opens it, once, and nothing else holds it."""

import re
from uuid import UUID

import pytest

from holdfast.domain import notifications, ordering
from holdfast.domain.identity import Guest, Operator
from holdfast.domain.ordering import CartIncomplete, CartNotFound, DraftDiscarded
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.workflows import carts as workflows
from holdfast.workflows import draft_mail
from holdfast.workflows.carts import CartWanted, Draft
from holdfast.workflows.draft_mail import PayPageMissing

CLERK = Operator(new_id(), "clerk", frozenset({"orders:write"}))
PAGE = "https://shop.example/pay"


@pytest.fixture
async def prepared(carts):
    """A draft order for Ada, and the token it was made with."""
    return await carts.open(
        CartWanted("EUR", email="ada@example.com"), CLERK, draft=Draft()
    )


@pytest.fixture
def ask(shop):
    async def run(cart, page=PAGE):
        await draft_mail.ask(
            cart.id, db=shop.db, vault=shop.vault, pay_page=page, clock=shop.clock
        )

    return run


@pytest.fixture
def send(shop):
    """Do the job of each event that waits, so often; returns the e-mails there are."""

    async def run(*, times=1, page=PAGE):
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 100, at=shop.clock())
        for event in events * times:
            await draft_mail.send(
                UUID(event.payload["draft_id"]),
                event_id=event.id,
                db=shop.db,
                vault=shop.vault,
                mailer=None,
                pay_page=page,
                clock=shop.clock,
            )
        return await notifications.latest(shop.db, shop.vault, limit=10)

    return run


@pytest.fixture
def withdraw(shop):
    async def run(cart):
        async with shop.db.transaction() as tx:
            await ordering.discard_draft(tx, cart.id, at=shop.clock())

    return run


class TestInvitation:
    async def test_the_link_opens_the_draft_order_and_the_old_token_does_not(
        self, shop, prepared, ask, send
    ):
        cart, old = prepared
        await ask(cart)

        (email,) = await send(times=3)

        assert email.recipient == "ada@example.com"
        (link,) = re.findall(r"https://\S+", email.body)
        page, _, behind = link.partition("#")
        cart_id, _, token = behind.partition(":")
        assert (page, cart_id) == (PAGE, str(cart.id))
        found = await workflows.find(
            shop.db, shop.vault, cart.id, Guest(tokens.fingerprint(token))
        )
        assert found.id == cart.id
        with pytest.raises(CartNotFound):
            await workflows.find(
                shop.db, shop.vault, cart.id, Guest(tokens.fingerprint(old))
            )

    async def test_no_event_or_job_holds_a_token(self, shop, prepared, ask):
        await ask(prepared[0])

        payloads = await shop.db.fetch("SELECT payload::text FROM outbox")
        assert [row["payload"] for row in payloads] == [
            f'{{"draft_id": "{prepared[0].id}"}}'
        ]

    async def test_nothing_is_written_of_one_that_was_withdrawn(
        self, prepared, ask, send, withdraw
    ):
        await ask(prepared[0])
        await withdraw(prepared[0])

        assert await send() == []

    async def test_needs_a_page_an_address_and_an_open_draft(
        self, carts, prepared, ask, withdraw
    ):
        nobodys, _ = await carts.open(CartWanted("EUR"), CLERK, draft=Draft())

        with pytest.raises(PayPageMissing):
            await ask(prepared[0], page=None)
        with pytest.raises(CartIncomplete) as refused:
            await ask(nobodys)
        assert refused.value.missing == ["email"]
        await withdraw(nobodys)
        with pytest.raises(DraftDiscarded):
            await ask(nobodys)
