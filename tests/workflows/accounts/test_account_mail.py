import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from holdfast.domain import notifications
from holdfast.domain.notifications import MailServerUnavailable
from holdfast.platform import outbox
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT
from holdfast.workflows import account_mail, passwords, sign_up

ADA = "ada@example.com"


class Postman:
    """Takes e-mails, or refuses them for a while."""

    def __init__(self) -> None:
        self.taken = []
        self.away = False

    async def send(self, email):
        if self.away:
            raise MailServerUnavailable("away")
        self.taken.append(email)


@pytest.fixture
def postman():
    return Postman()


@pytest.fixture
def send(database, vault, clock, postman):
    """Write and send the e-mail of an event."""

    async def go(event):
        await account_mail.send(
            UUID(event.payload["request_id"]),
            event_id=event.id,
            db=database,
            vault=vault,
            mailer=postman,
            public_url="https://shop.test",
            clock=clock,
        )

    return go


@pytest.fixture
def asked(database, vault, clock, origin):
    """Ask for an account; returns the event that the worker gets."""

    async def go(email=ADA):
        await sign_up.request_sign_up(
            database, vault, email, origin=origin, clock=clock
        )
        async with database.transaction() as tx:
            (event,) = await outbox.take_waiting(tx, 10, at=clock())
        return event

    return go


class TestSend:
    async def test_is_what_the_worker_does_when_it_is_asked_for(self):
        (task,) = TASKS_BY_EVENT[account_mail.MAIL_REQUESTED]

        assert task in TASKS

    async def test_sends_what_was_written_once_the_server_is_back(
        self, asked, send, postman, token_in, database, vault, hasher, clock, origin
    ):
        event = await asked()
        postman.away = True
        with pytest.raises(MailServerUnavailable):
            await send(event)
        postman.away = False

        await send(event)
        await send(event)

        (letter,) = postman.taken
        account = await sign_up.confirm_sign_up(
            *(database, vault, hasher, token_in(letter), "tea for two, please"),
            shortest=8,
            origin=origin,
            clock=clock,
        )
        assert account.email == ADA

    async def test_writes_one_though_two_workers_have_the_job(
        self, asked, send, postman, database, vault
    ):
        event = await asked()

        async with asyncio.TaskGroup() as both:
            for _ in range(2):
                both.create_task(send(event))

        assert len(await notifications.latest(database, vault, limit=9)) == 1
        assert len({letter.body for letter in postman.taken}) == 1

    async def test_writes_no_more_than_five_though_many_workers_write_at_once(
        self, asked, send, postman
    ):
        events = [await asked() for _ in range(9)]

        async with asyncio.TaskGroup() as all_at_once:
            for event in events:
                all_at_once.create_task(send(event))

        assert len(postman.taken) == 5

    async def test_does_not_send_a_link_that_has_expired(
        self, asked, send, postman, clock
    ):
        event = await asked()
        clock.advance(hours=25)

        await send(event)

        assert postman.taken == []

    async def test_tells_an_owner_of_every_change_however_many(
        self, signed_up, deliver, database, vault, hasher, clock, origin
    ):
        account = await signed_up()
        for number in range(7):
            async with database.transaction() as tx:
                await account_mail.ask(
                    *(tx, vault, "password_changed", ADA),
                    account_id=account.id,
                    origin=origin,
                    at=clock() + timedelta(seconds=number),
                )

        assert len(await deliver()) == 7

    async def test_hides_address_and_token_from_whoever_reads_the_tables(
        self, asked, send, database
    ):
        await send(await asked())

        for table in ("account_requests", "emails", "outbox"):
            rows = await database.fetch(f"SELECT t::text AS line FROM {table} t")  # noqa: S608 - ours
            lines = "".join(row["line"] for row in rows)
            assert "ada@" not in lines
            assert "hfm_" not in lines
            assert b"ada@".hex() not in lines
            assert b"hfm_".hex() not in lines


class TestForget:
    async def test_deletes_what_expired_a_week_ago(
        self, asked, send, database, vault, clock, origin
    ):
        await send(await asked())
        clock.advance(days=8)
        await passwords.request_reset(database, vault, ADA, origin=origin, clock=clock)
        clock.advance(hours=1)

        async with database.transaction() as tx:
            forgotten = await account_mail.forget(tx, now=clock(), limit=10)

        assert forgotten == 1
        assert await database.fetchval("SELECT count(*) FROM account_requests") == 1
