"""Profiles in PostgreSQL, and what customers said about marketing."""

import asyncio
from dataclasses import replace

import pytest

from holdfast.domain import customers
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor


class TestAdd:
    async def test_keeps_the_names(self, database, vault, clock, an_account):
        account_id = await an_account()

        async with database.transaction() as tx:
            added = await customers.add(
                tx,
                vault,
                account_id,
                given_name="Ada",
                family_name="Lovelace",
                at=clock(),
            )

        assert await customers.find(database, vault, account_id) == added
        assert (added.given_name, added.family_name) == ("Ada", "Lovelace")

    async def test_again_keeps_what_there_is(self, database, vault, clock, an_account):
        account_id = await an_account()

        async with database.transaction() as tx:
            await customers.add(tx, vault, account_id, given_name="Ada", at=clock())
            again = await customers.add(
                tx, vault, account_id, given_name="Eve", at=clock()
            )

        assert again.given_name == "Ada"

    async def test_leaves_nothing_to_read_in_the_database(
        self, database, vault, clock, an_account
    ):
        account_id = await an_account()

        async with database.transaction() as tx:
            await customers.add(tx, vault, account_id, given_name="Ada", at=clock())

        row = await database.fetchval("SELECT c::text FROM customers c")
        assert "Ada" not in row
        assert b"Ada".hex() not in row


class TestFind:
    async def test_is_empty_for_an_account_that_says_nothing(
        self, database, vault, an_account
    ):
        account_id = await an_account()

        found = await customers.find(database, vault, account_id)

        assert (found.account_id, found.given_name) == (account_id, None)

    async def test_refuses_an_account_that_is_not_there(self, database, vault):
        with pytest.raises(customers.CustomerNotFound):
            await customers.find(database, vault, new_id())


class TestLock:
    async def test_gives_an_account_without_a_profile_an_empty_one(
        self, database, vault, clock, an_account
    ):
        account_id = await an_account()

        async with database.transaction() as tx:
            locked = await customers.lock(tx, vault, account_id, at=clock())

        assert await customers.find(database, vault, account_id) == locked
        assert locked.given_name is None

    async def test_refuses_an_account_that_is_not_there(self, database, vault, clock):
        async with database.transaction() as tx:
            with pytest.raises(customers.CustomerNotFound):
                await customers.lock(tx, vault, new_id(), at=clock())

    async def test_makes_no_profile_for_somebody_erased_meanwhile(
        self, database, vault, clock, an_account, promised
    ):
        account_id = await an_account()

        async def take() -> None:
            async with database.transaction() as tx:
                await customers.lock(tx, vault, account_id, at=clock())

        async def waits() -> bool:
            return await database.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
            )

        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE accounts SET status = 'erased', sealed = NULL,"
                " email_index = NULL WHERE id = $1",
                account_id,
            )
            taking = asyncio.create_task(take())
            await promised(waits)

        with pytest.raises(customers.CustomerNotFound):
            await taking
        assert await database.fetchval("SELECT count(*) FROM customers") == 0


class TestChange:
    async def test_writes_every_field(self, database, vault, clock, an_account):
        account_id = await an_account()

        async with database.transaction() as tx:
            before = await customers.lock(tx, vault, account_id, at=clock())
            clock.advance(seconds=1)
            wanted = replace(
                before,
                given_name="Ada",
                family_name="Lovelace",
                phone="+442079460018",
                locale="en-GB",
                currency="GBP",
                time_zone="Europe/London",
                updated_at=clock(),
            )
            await customers.change(tx, vault, wanted, at=clock())

        assert await customers.find(database, vault, account_id) == wanted


class TestBrowse:
    async def test_visits_each_customer_once_newest_first(
        self, database, vault, clock, an_account
    ):
        ids = [await an_account() for _ in range(5)]
        async with database.transaction() as tx:
            for account_id in ids:
                await customers.add(tx, vault, account_id, at=clock())

        seen, after = [], None
        while True:
            page = await customers.browse(database, vault, after=after, limit=2)
            seen += [customer.account_id for customer in page.items]
            if (after := page.next) is None:
                break

        assert seen == ids[::-1]

    async def test_refuses_a_cursor_of_another_kind(self, database, vault):
        with pytest.raises(BadCursor):
            await customers.browse(database, vault, after="tea", limit=2)


class TestSay:
    async def test_keeps_every_change_of_mind_with_time_and_place(
        self, database, clock, an_account
    ):
        account_id = await an_account()
        first = clock()

        async with database.transaction() as tx:
            await customers.say(
                tx, account_id, granted=True, source="checkout", at=first
            )
            clock.advance(days=1)
            await customers.say(
                tx, account_id, granted=False, source="account_page", at=clock()
            )

        assert await customers.said(database, account_id) == [
            customers.Consent(granted=False, source="account_page", said_at=clock()),
            customers.Consent(granted=True, source="checkout", said_at=first),
        ]

    async def test_the_same_again_adds_nothing(self, database, clock, an_account):
        account_id = await an_account()

        async with database.transaction() as tx:
            for source in ("checkout", "account_page"):
                await customers.say(
                    tx, account_id, granted=True, source=source, at=clock()
                )

        (consent,) = await customers.said(database, account_id)
        assert consent.source == "checkout"


class TestErase:
    async def test_leaves_no_row_and_may_be_repeated(
        self, database, vault, clock, an_account
    ):
        account_id = await an_account()
        async with database.transaction() as tx:
            await customers.add(tx, vault, account_id, given_name="Ada", at=clock())
            await customers.say(
                tx, account_id, granted=True, source="checkout", at=clock()
            )

        for _ in range(2):
            async with database.transaction() as tx:
                await customers.erase(tx, account_id)

        assert await database.fetchval("SELECT count(*) FROM customers") == 0
        assert await customers.said(database, account_id) == []
