"""Sign-ins that last, as the database keeps them."""

from datetime import timedelta

import pytest

from holdfast.domain import accounts
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform.vault import CannotOpen

HOME = Origin("192.0.2.7", "Firefox on a kettle", "req-1")


@pytest.fixture
def opened_session(database, vault, clock, an_account_id):
    """Open a session of an account; a browser's unless told otherwise."""

    async def open_(account_id=None, **fields):
        kind = fields.pop("kind", "browser")
        wanted = {
            "account_id": account_id or an_account_id,
            "kind": kind,
            "client_id": None if kind == "browser" else "till",
            "scopes": (),
            "methods": ("pwd",),
            "authenticated_at": clock(),
            "origin": HOME,
            "cookie": tokens.new_token(tokens.BROWSER) if kind == "browser" else None,
            "expires_at": accounts.expiry_of(kind, clock()),
            "at": clock(),
            **fields,
        }
        async with database.transaction() as tx:
            return await accounts.open_session(tx, vault, **wanted)

    return open_


class TestOpenSession:
    async def test_is_read_back_as_it_was_opened(self, database, vault, opened_session):
        opened = await opened_session(kind="grant", scopes=("orders:own", "carts:own"))

        found = await accounts.session(database, vault, opened.id)

        assert found == opened
        assert found.scopes == ("carts:own", "orders:own")
        assert (found.address, found.user_agent) == (HOME.address, HOME.user_agent)

    async def test_keeps_neither_the_cookie_nor_the_device_in_clear(
        self, database, opened_session
    ):
        cookie = tokens.new_token(tokens.BROWSER)
        await opened_session(cookie=cookie)

        (row,) = await database.fetch("SELECT sessions::text AS row FROM sessions")

        for secret in (cookie, HOME.address, HOME.user_agent):
            assert secret not in row["row"]
            assert secret.encode().hex() not in row["row"]

    async def test_a_device_does_not_open_in_another_row(
        self, database, vault, opened_session
    ):
        one, other = await opened_session(), await opened_session()
        await database.fetch(
            "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE id = $1)"
            " WHERE id = $2",
            *(one.id, other.id),
        )

        with pytest.raises(CannotOpen):
            await accounts.session(database, vault, other.id)


class TestBrowserSession:
    @pytest.fixture
    def cookie(self):
        return tokens.new_token(tokens.BROWSER)

    async def test_is_found_by_its_cookie(
        self, database, vault, clock, opened_session, cookie
    ):
        opened = await opened_session(cookie=cookie)

        found = await accounts.browser_session(database, vault, cookie, clock())

        assert found == opened

    async def test_is_not_found_by_a_cookie_that_was_not_given_out(
        self, database, vault, clock, opened_session, cookie
    ):
        await opened_session()

        for made_up in (cookie, "hfb_mine", "", cookie[:-1] + "é"):
            found = await accounts.browser_session(database, vault, made_up, clock())
            assert found is None

    async def test_is_not_found_once_it_expired(
        self, database, vault, clock, opened_session, cookie
    ):
        await opened_session(cookie=cookie)
        clock.advance(days=14)

        found = await accounts.browser_session(database, vault, cookie, clock())

        assert found is None

    async def test_is_not_found_once_it_ended(
        self, database, vault, clock, opened_session, cookie
    ):
        opened = await opened_session(cookie=cookie)
        async with database.transaction() as tx:
            await accounts.end_session(tx, opened.id, reason="test", at=clock())

        found = await accounts.browser_session(database, vault, cookie, clock())

        assert found is None

    @pytest.mark.parametrize("status", ["disabled", "erased"])
    async def test_is_not_found_while_its_account_may_not_sign_in(
        self, database, vault, clock, opened_session, cookie, status
    ):
        opened = await opened_session(cookie=cookie)
        gone = ", sealed = NULL, email_index = NULL" if status == "erased" else ""
        await database.fetch(
            f"UPDATE accounts SET status = $1{gone} WHERE id = $2",  # noqa: S608
            *(status, opened.account_id),
        )

        found = await accounts.browser_session(database, vault, cookie, clock())

        assert found is None


class TestTouchSession:
    async def touch(self, database, session, clock):
        async with database.transaction() as tx:
            return await accounts.touch_session(tx, session.id, clock())

    async def test_writes_at_most_once_a_minute(self, database, clock, opened_session):
        opened = await opened_session()

        clock.advance(seconds=59)
        early = await self.touch(database, opened, clock)
        clock.advance(seconds=1)
        in_time = await self.touch(database, opened, clock)
        again = await self.touch(database, opened, clock)

        assert (early, in_time, again) == (False, True, False)

    async def test_a_browser_is_kept_two_weeks_more_but_never_past_thirty_days(
        self, database, vault, clock, opened_session
    ):
        opened = await opened_session()
        ends = []
        for _ in range(3):
            clock.advance(days=10)
            await self.touch(database, opened, clock)
            found = await accounts.session(database, vault, opened.id)
            ends.append(found.expires_at - opened.created_at)

        assert ends == [timedelta(days=24), timedelta(days=30), timedelta(days=30)]
        assert not found.alive(clock())

    async def test_tokens_are_not_kept_longer_by_use(
        self, database, vault, clock, opened_session
    ):
        opened = await opened_session(kind="grant")
        clock.advance(days=80)
        await self.touch(database, opened, clock)

        found = await accounts.session(database, vault, opened.id)

        assert found.seen_at == clock()
        assert found.expires_at == opened.created_at + timedelta(days=90)

    async def test_wakes_nothing_that_ended(self, database, clock, opened_session):
        opened = await opened_session()
        async with database.transaction() as tx:
            await accounts.end_session(tx, opened.id, reason="test", at=clock())
        clock.advance(hours=1)

        assert not await self.touch(database, opened, clock)


class TestEndSession:
    async def test_ends_it_once(self, database, vault, clock, opened_session):
        opened = await opened_session()

        async with database.transaction() as tx:
            first = await accounts.end_session(tx, opened.id, reason="a", at=clock())
            again = await accounts.end_session(tx, opened.id, reason="b", at=clock())

        assert (first, again) == (True, False)
        found = await accounts.session(database, vault, opened.id)
        assert found.ended_at == clock()

    async def test_ends_nothing_of_another_account(
        self, database, vault, clock, opened_session
    ):
        opened = await opened_session()

        async with database.transaction() as tx:
            ended = await accounts.end_session(
                tx, opened.id, account_id=new_id(), reason="a", at=clock()
            )

        assert not ended
        found = await accounts.session(database, vault, opened.id)
        assert found.alive(clock())


class TestEndSessions:
    async def test_ends_all_of_an_account_but_the_one_to_keep(
        self, database, vault, clock, opened_session, another_account_id
    ):
        kept, *others = [await opened_session() for _ in range(3)]
        strangers = await opened_session(another_account_id)

        async with database.transaction() as tx:
            ended = await accounts.end_sessions(
                tx, kept.account_id, reason="test", at=clock(), keep=kept.id
            )

        assert ended == len(others)
        now = clock()
        left = await accounts.sessions_of(database, vault, kept.account_id, now)
        assert left == [kept]
        theirs = await accounts.sessions_of(database, vault, another_account_id, now)
        assert theirs == [strangers]

    async def test_of_one_client_leaves_those_of_others(
        self, database, vault, clock, opened_session
    ):
        till = await opened_session(kind="grant", client_id="till")
        app = await opened_session(kind="grant", client_id="app")
        browser = await opened_session()

        async with database.transaction() as tx:
            await accounts.end_sessions(
                tx, till.account_id, reason="test", at=clock(), client_id="till"
            )

        left = await accounts.sessions_of(database, vault, till.account_id, clock())
        assert left == [browser, app]


class TestBrowseSessions:
    async def test_gives_pages_newest_first_each_session_once(
        self, database, vault, clock, opened_session, an_account_id
    ):
        made = [await opened_session() for _ in range(5)]

        seen, after = [], None
        while True:
            page = await accounts.browse_sessions(
                database, vault, an_account_id, clock(), after=after, limit=2
            )
            seen += page.items
            after = page.next
            if after is None:
                break

        assert seen == made[::-1]


class TestForgetSessions:
    async def forget(self, database, clock, limit=10):
        async with database.transaction() as tx:
            return await accounts.forget_sessions(tx, now=clock(), limit=limit)

    async def test_deletes_those_that_expired_a_month_ago(
        self, database, vault, clock, opened_session
    ):
        old = [await opened_session(), await opened_session()]
        kept = await opened_session(kind="grant")
        clock.advance(days=14 + 30, seconds=1)

        one_by_one = [await self.forget(database, clock, limit=1) for _ in range(3)]

        assert one_by_one == [1, 1, 0]
        assert await accounts.session(database, vault, old[0].id) is None
        assert await accounts.session(database, vault, kept.id) == kept

    async def test_leaves_one_that_a_token_still_names(
        self, database, clock, opened_session
    ):
        session = await opened_session(kind="grant")
        await database.fetch(
            "INSERT INTO refresh_tokens"
            " (token_hash, session_id, created_at, expires_at)"
            " VALUES ('x', $1, $2, $2)",
            *(session.id, clock()),
        )
        clock.advance(days=200)

        assert await self.forget(database, clock) == 0
