"""E-mails are written once for an event, and found again."""

import asyncio

import pytest

from holdfast.domain import notifications
from holdfast.domain.notifications import EmailNotFound, Message
from holdfast.kernel.ids import new_id

MESSAGE = Message("ada@example.com", "Hello", "Hello, Ada.\n")


@pytest.fixture
def write(database, vault, clock):
    async def add(message=MESSAGE, event_id=None):
        async with database.transaction() as tx:
            return await notifications.add(
                tx, vault, message, event_id=event_id or new_id(), at=clock()
            )

    return add


class TestAdd:
    async def test_writes_once_for_an_event(self, write, database, vault):
        event_id = new_id()

        async with asyncio.TaskGroup() as group:
            written = [
                group.create_task(write(Message("a@b.example", str(n), ""), event_id))
                for n in range(8)
            ]

        assert len({task.result() for task in written}) == 1
        assert await notifications.latest(database, vault, limit=10) == [
            written[0].result()
        ]


class TestFind:
    async def test_by_its_id_or_how_that_ends(self, write, database, vault):
        email = await write()

        assert await notifications.find(database, vault, str(email.id)) == email
        assert (
            await notifications.find(database, vault, str(email.id)[-8:].upper())
            == email
        )

    @pytest.mark.parametrize("ending", ["", "zzzz", "%", "00000000"])
    async def test_what_does_not_mean_one_is_not_found(
        self, write, database, vault, ending
    ):
        await write()
        await write()

        with pytest.raises(EmailNotFound):
            await notifications.find(database, vault, ending)


class TestLatest:
    async def test_latest_first_and_no_more_than_asked(self, write, database, vault):
        emails = [await write() for _ in range(4)]
        emails.sort(key=lambda email: email.id, reverse=True)

        assert await notifications.latest(database, vault, limit=3) == emails[:3]


class TestMarkSent:
    async def test_the_first_time_stands(self, write, database, vault, clock):
        email = await write()
        sent_at = clock()

        for _ in range(2):
            async with database.transaction() as tx:
                await notifications.mark_sent(tx, email.id, at=clock())
            clock.advance(seconds=1)

        found = await notifications.find(database, vault, str(email.id))
        assert found.sent_at == sent_at


class TestForgetPerson:
    async def test_what_was_written_to_somebody_is_gone_and_never_sent(
        self, write, database, vault, clock
    ):
        event_id = new_id()
        email = await write(event_id=event_id)
        index = notifications.index_of(vault, email.recipient.upper())
        assert await notifications.of_recipient(database, vault, index) == [email]

        async with database.transaction() as tx:
            assert (
                await notifications.forget_person(tx, new_id(), [index], at=clock())
                == 1
            )
        again = await write(event_id=event_id)

        assert (again.recipient, again.body, again.sent_at) == ("", "", clock())
        assert await notifications.latest(database, vault, limit=9) == []
        with pytest.raises(EmailNotFound):
            await notifications.find(database, vault, str(email.id))
