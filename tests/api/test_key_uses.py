import asyncio
from contextlib import asynccontextmanager

import pytest

from holdfast.api import beside
from holdfast.api.key_uses import (
    ADDRESS_REMEMBERED_SECONDS,
    WRITTEN_EVERY_SECONDS,
    KeyUses,
)
from holdfast.domain import identity
from holdfast.domain.identity import Operator
from holdfast.platform.db import DatabaseUnavailable
from holdfast.workflows import keys


class Timer:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
async def uses(database, vault, clock, timer):
    uses = KeyUses(database, vault, clock=clock, timer=timer, limit=4)
    yield uses
    await uses.close()


@pytest.fixture
async def operator(database, vault, clock):
    key, _ = await keys.create_key(
        database, vault, name="Ada", scopes=["orders:read"], clock=clock
    )
    return Operator(key.id, key.name, frozenset(key.scopes))


@pytest.fixture
def used(uses, operator, database, vault):
    """Use the key from an address; returns when it was used last, and the events."""

    async def use(address="203.0.113.7"):
        uses.note(
            operator,
            {"holdfast.client_address": address, "headers": [(b"user-agent", b"curl")]},
        )
        await uses.close()
        (key,) = (await identity.list_keys(database, after=None, limit=1)).items
        page = await identity.events(
            database, vault, after=None, limit=100, kind="api_key.used"
        )
        return key.last_used_at, page.items

    return use


class TestKeyUses:
    async def test_notes_when_a_key_was_used_and_from_where(
        self, used, clock, operator
    ):
        last_used_at, (event,) = await used()

        assert last_used_at == clock()
        assert event.actor == operator.actor
        assert (event.address, event.user_agent) == ("203.0.113.7", "curl")

    async def test_writes_once_a_minute(self, used, clock, timer):
        first, _ = await used()
        clock.advance(seconds=59)
        timer.now += WRITTEN_EVERY_SECONDS - 0.001
        assert (await used())[0] == first

        timer.now += 0.002
        assert (await used())[0] == clock()

    async def test_is_not_turned_back_by_a_slower_process(
        self, used, operator, database, vault, clock
    ):
        latest, _ = await used()
        clock.advance(seconds=-30)
        other = KeyUses(database, vault, clock=clock)
        other.note(operator, {"holdfast.client_address": "203.0.113.7", "headers": []})
        await other.close()

        assert (await used())[0] == latest

    async def test_records_each_address_once_a_day(self, used, clock, timer):
        for address in ("203.0.113.7", "203.0.113.8", "203.0.113.7"):
            _, events = await used(address)
        assert [event.address for event in events] == ["203.0.113.8", "203.0.113.7"]

        for hours in (23, 2):
            clock.advance(hours=hours)
            timer.now += hours * ADDRESS_REMEMBERED_SECONDS
            _, events = await used()
        assert [event.address for event in events] == [
            *("203.0.113.7", "203.0.113.8", "203.0.113.7")
        ]

    async def test_records_it_once_for_all_processes(
        self, used, operator, database, vault, clock
    ):
        await used()
        other = KeyUses(database, vault, clock=clock)
        other.note(operator, {"holdfast.client_address": "203.0.113.7", "headers": []})
        await other.close()

        assert len((await used())[1]) == 1

    async def test_keeps_the_address_out_of_what_is_in_clear(self, used, database):
        _, (event,) = await used()

        row = await database.fetchval(
            "SELECT e::text FROM security_events e WHERE kind = 'api_key.used'"
        )
        assert "203.0.113" not in row
        assert set(event.detail) == {"place"}

    async def test_remembers_only_so_much(self, used, uses):
        for number in range(9):
            await used(f"203.0.113.{number}")

        assert len(uses) <= 5

    async def test_lets_no_request_fail_when_the_database_is_away(
        self, operator, vault, clock, log
    ):
        class Away:
            def transaction(self):
                raise DatabaseUnavailable

        uses = KeyUses(Away(), vault, clock=clock)
        uses.note(operator, {"holdfast.client_address": None, "headers": []})
        await uses.close()

        assert [line["event"] for line in log()] == ["key_use_not_noted"]


class TestWhenItIsSlow:
    @pytest.fixture
    def stuck(self, vault, clock, monkeypatch):
        """Uses of a database that never answers."""

        class Hanging:
            asked = 0

            @asynccontextmanager
            async def transaction(self):
                self.asked += 1
                await asyncio.Event().wait()
                yield

        monkeypatch.setattr(beside, "_CLOSE_SECONDS", 0.01)
        return Hanging(), vault, clock

    async def test_only_two_are_written_at_once_and_the_stop_does_not_wait(
        self, stuck, operator
    ):
        hanging, vault, clock = stuck
        uses = KeyUses(hanging, vault, clock=clock)
        for number in range(5):
            scope = {"holdfast.client_address": f"203.0.113.{number}", "headers": []}
            uses.note(operator, scope)

        async with asyncio.timeout(60):
            await uses.close()

        assert hanging.asked == 2


class TestBesideTheRequest:
    async def test_a_key_that_was_used_says_so(self, client, an_operator, promised):
        headers = await an_operator("keys:read")

        async def noted():
            (key,) = (await client.get("/v1/api-keys", headers=headers)).json()["items"]
            return key["last_used_at"]

        await promised(noted)


class TestNoteUse:
    async def test_of_a_key_that_is_gone_does_nothing(
        self, database, vault, clock, operator
    ):
        gone = Operator(operator.key_id.__class__(int=7), "x", frozenset())

        await keys.note_use(
            database, vault, gone, origin=identity.Origin(), clock=clock
        )

        events = await identity.events(database, vault, after=None, limit=9)
        assert [event.kind for event in events.items] == ["api_key.created"]
