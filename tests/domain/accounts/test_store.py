import asyncio
from datetime import timedelta

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import AccountErased, AccountNotFound, EmailTaken
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor
from holdfast.platform.vault import CannotOpen

PHC = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA"


@pytest.fixture
def an_account(database, vault, clock):
    """Put an account into the database."""

    async def put(email="ada@example.com", *, password=PHC, verified=True):
        async with database.transaction() as tx:
            return await accounts.create(
                tx,
                vault,
                account_id=new_id(),
                email=email,
                password=password,
                verified_at=clock() if verified else None,
                at=clock(),
            )

    return put


class TestCreate:
    async def test_stores_an_account_that_is_found_again(
        self, an_account, database, vault, clock
    ):
        made = await an_account()

        assert made == await accounts.find(database, vault, made.id)
        assert made.email == "ada@example.com"
        assert made.status == "active"
        assert made.has_password
        assert not made.second_factor
        assert made.email_verified_at == clock()

    async def test_refuses_an_address_twice_however_it_is_spelt(self, an_account):
        await an_account("ada@example.com")

        with pytest.raises(EmailTaken):
            await an_account("Ada@Example.COM")

    async def test_of_two_at_once_one_account_comes(self, an_account, database, vault):
        done = await asyncio.wait([asyncio.create_task(an_account()) for _ in range(5)])

        refused = [task.exception() for task in done[0] if task.exception()]
        assert [type(error) for error in refused] == [EmailTaken] * 4
        page = await accounts.browse(database, vault, after=None, limit=10)
        assert len(page.items) == 1

    async def test_keeps_neither_address_nor_hash_in_clear(self, an_account, database):
        await an_account()

        row = await database.fetchrow("SELECT a::text AS line FROM accounts a")

        assert b"ada".hex() not in row["line"]
        assert b"argon2".hex() not in row["line"]


class TestFindByEmail:
    async def test_ignores_case(self, an_account, database, vault):
        made = await an_account()

        assert await accounts.find_by_email(database, vault, "ADA@example.com") == made

    async def test_of_nobody_is_none(self, database, vault):
        assert await accounts.find_by_email(database, vault, "no@example.com") is None


class TestPasswordOf:
    async def test_is_the_hash_that_was_set(self, an_account, database, vault, clock):
        made = await an_account(password=None)
        assert not made.has_password
        assert await accounts.password_of(database, vault, made.id) is None

        async with database.transaction() as tx:
            await accounts.set_password(tx, vault, made.id, PHC, clock())

        assert await accounts.password_of(database, vault, made.id) == PHC

    async def test_does_not_open_in_another_account(self, an_account, database, vault):
        ada = await an_account()
        bob = await an_account("bob@example.com")
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE accounts SET password = (SELECT password FROM accounts"
                " WHERE id = $1) WHERE id = $2",
                ada.id,
                bob.id,
            )

        with pytest.raises(CannotOpen):
            await accounts.password_of(database, vault, bob.id)


class TestBrowse:
    async def test_shows_each_once_newest_first(self, an_account, database, vault):
        made = [await an_account(f"{name}@example.com") for name in "abcde"]

        first = await accounts.browse(database, vault, after=None, limit=3)
        rest = await accounts.browse(database, vault, after=first.next, limit=3)

        assert [*first.items, *rest.items] == made[::-1]
        assert rest.next is None

    async def test_finds_by_the_whole_address_and_by_status(
        self, an_account, database, vault, clock
    ):
        ada = await an_account("ada@example.com")
        bob = await an_account("bob@example.com")
        async with database.transaction() as tx:
            await accounts.disable(tx, bob.id, clock())

        async def found(**by):
            page = await accounts.browse(database, vault, after=None, limit=9, **by)
            return [account.id for account in page.items]

        assert await found(email="ADA@example.com") == [ada.id]
        assert await found(email="ada") == []
        assert await found(status="disabled") == [bob.id]
        assert await found(email="ada@example.com", status="disabled") == []

    async def test_refuses_a_cursor_that_is_none(self, database, vault):
        with pytest.raises(BadCursor):
            await accounts.browse(database, vault, after="x", limit=3)


class TestSetEmail:
    async def test_moves_the_account_to_another_address(
        self, an_account, database, vault, clock
    ):
        made = await an_account(verified=False)
        async with database.transaction() as tx:
            await accounts.set_email(tx, vault, made.id, "new@example.com", clock())

        found = await accounts.find_by_email(database, vault, "new@example.com")
        assert found is not None
        assert found.id == made.id
        assert found.email_verified_at == clock()
        assert await accounts.find_by_email(database, vault, "ada@example.com") is None

    async def test_refuses_the_address_of_another(
        self, an_account, database, vault, clock
    ):
        made = await an_account()
        await an_account("bob@example.com")

        with pytest.raises(EmailTaken):
            async with database.transaction() as tx:
                await accounts.set_email(tx, vault, made.id, "Bob@example.com", clock())


class TestStatus:
    async def test_changes_once(self, an_account, database, vault, clock):
        made = await an_account()
        async with database.transaction() as tx:
            assert await accounts.disable(tx, made.id, clock())
            assert not await accounts.disable(tx, made.id, clock())
        found = await accounts.find(database, vault, made.id)
        assert found.status == "disabled"

        async with database.transaction() as tx:
            assert await accounts.enable(tx, made.id, clock())
        assert (await accounts.find(database, vault, made.id)).is_active

    async def test_of_nobody_is_refused(self, database, clock):
        with pytest.raises(AccountNotFound):
            async with database.transaction() as tx:
                await accounts.disable(tx, new_id(), clock())


class TestVerifyEmail:
    async def test_is_news_once(self, an_account, database, vault, clock):
        made = await an_account(verified=False)

        async with database.transaction() as tx:
            assert await accounts.verify_email(tx, made.id, clock())
            assert not await accounts.verify_email(
                tx, made.id, clock() + timedelta(days=1)
            )

        found = await accounts.find(database, vault, made.id)
        assert found.email_verified_at == clock()


class TestErase:
    async def test_forgets_who_it_was_and_frees_the_address(
        self, an_account, database, vault, clock
    ):
        made = await an_account()
        async with database.transaction() as tx:
            assert await accounts.erase(tx, made.id, clock())
            assert not await accounts.erase(tx, made.id, clock())

        found = await accounts.find(database, vault, made.id)
        assert (found.status, found.email) == ("erased", None)
        assert not found.has_password
        assert (await an_account()).id != made.id

    async def test_is_for_ever(self, an_account, database, vault, clock):
        made = await an_account()
        async with database.transaction() as tx:
            await accounts.erase(tx, made.id, clock())

            with pytest.raises(AccountErased):
                await accounts.enable(tx, made.id, clock())
            with pytest.raises(AccountErased):
                await accounts.set_password(tx, vault, made.id, PHC, clock())

    async def test_of_nobody_is_refused(self, database, clock):
        with pytest.raises(AccountNotFound):
            async with database.transaction() as tx:
                await accounts.erase(tx, new_id(), clock())
