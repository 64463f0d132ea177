import asyncio
from datetime import timedelta

import pytest

from holdfast.api.tokens import REMEMBERED, Tokens
from holdfast.domain import accounts, identity, oauth
from holdfast.domain.identity import Member, Service
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, DatabaseUnavailable


class Counted:
    """A connection that counts the statements that pass."""

    def __init__(self, db):
        self._db = db
        self.asked = 0

    async def fetch(self, query, *args):
        self.asked += 1
        return await self._db.fetch(query, *args)


@pytest.fixture
def counted(database):
    return Counted(database)


@pytest.fixture
def remembered(shop, counted):
    """Tokens over a connection that counts; takes other limits."""

    def make(**limits):
        issuer = shop.settings.public_url
        return Tokens(counted, shop.keyring, issuer=issuer, clock=shop.clock, **limits)

    return make


@pytest.fixture
def tokens(remembered):
    return remembered()


class TestMember:
    async def test_is_who_the_token_says(self, tokens, signed_in):
        ada = await signed_in()

        member = await tokens.find(ada.token)

        assert member == Member(
            ada.account_id,
            ada.session_id,
            ada.client_id,
            frozenset({"account:read", "account:write", "carts:own", "orders:own"}),
        )

    async def test_may_what_both_the_token_and_the_roles_allow(self, tokens, signed_in):
        ada = await signed_in("support", scopes=["orders:read", "keys:write"])

        member = await tokens.find(ada.token)

        assert member.scopes == {"orders:read"}

    async def test_keeps_what_the_client_may_know_of_them(self, tokens, signed_in):
        ada = await signed_in(scopes=["openid", "email", "orders:own"])

        member = await tokens.find(ada.token)

        assert member.scopes == {"openid", "email", "orders:own"}


class TestService:
    @pytest.fixture
    async def service(self, shop, a_client):
        client_id = await a_client("orders:read")
        token = oauth.sign_access_token(
            await shop.keyring.signer(),
            issuer=shop.settings.public_url,
            account_id=None,
            client_id=client_id,
            session_id=None,
            scopes=["orders:read", "products:read"],
            authenticated_at=None,
            methods=(),
            token_id=new_id(),
            at=shop.clock(),
        )
        return client_id, token

    async def test_may_what_both_the_token_and_the_client_allow(self, tokens, service):
        client_id, token = service

        caller = await tokens.find(token)

        assert caller == Service(client_id, frozenset({"orders:read"}))

    async def test_is_nobody_once_disabled(self, tokens, service, database, clock):
        client_id, token = service
        known = await tokens.find(token)
        async with database.transaction() as tx:
            await oauth.disable_client(tx, client_id, clock())
        clock.advance(seconds=5)

        assert known is not None
        assert await tokens.find(token) is None


class TestMemory:
    async def test_asks_the_database_every_five_seconds_at_most(
        self, tokens, signed_in, counted, clock
    ):
        ada = await signed_in()
        for _ in range(20):
            await tokens.find(ada.token)
        first = counted.asked
        clock.advance(seconds=4.999)
        await tokens.find(ada.token)
        before = counted.asked
        clock.advance(seconds=0.001)
        await tokens.find(ada.token)

        assert (first, before, counted.asked) == (1, 1, 2)

    async def test_asks_for_all_that_are_due_in_one_statement(
        self, tokens, signed_in, counted
    ):
        ada = await signed_in()
        signed = [await ada.sign() for _ in range(30)]
        async with asyncio.TaskGroup() as group:
            for token in signed * 2:
                group.create_task(tokens.find(token))

        # Whoever verifies later than the first statement left makes a second one.
        assert counted.asked <= 3
        assert len(tokens) == 30

    async def test_lets_go_of_the_one_asked_for_least_recently(
        self, remembered, signed_in, counted, clock
    ):
        tokens = remembered(limit=2)
        ada = await signed_in()
        first, second, third = [await ada.sign() for _ in range(3)]
        await tokens.find(first)
        await tokens.find(second)
        clock.advance(seconds=5)
        await tokens.find(first)
        await tokens.find(third)
        asked = counted.asked

        await tokens.find(first)
        await tokens.find(third)
        assert counted.asked == asked
        await tokens.find(second)
        assert counted.asked == asked + 1
        assert len(tokens) == 2

    async def test_ends_when_the_token_does(self, tokens, signed_in, counted, clock):
        ada = await signed_in()
        clock.advance(seconds=599)
        known = await tokens.find(ada.token)
        asked = counted.asked
        clock.advance(seconds=1)

        assert known is not None
        assert await tokens.find(ada.token) is None
        assert counted.asked == asked
        assert len(tokens) == 0

    async def test_is_not_trusted_when_the_clock_was_put_back(
        self, tokens, signed_in, counted, clock
    ):
        ada = await signed_in()
        clock.advance(seconds=20)
        await tokens.find(ada.token)
        clock.advance(seconds=-10)

        await tokens.find(ada.token)

        assert counted.asked == 2

    async def test_of_refused_ones_is_apart_and_asks_nobody(
        self, remembered, signed_in, counted, shop
    ):
        tokens = remembered(limit=2)
        ada = await signed_in()
        await tokens.find(ada.token)
        head, claims, signature = ada.token.split(".")
        asked = counted.asked
        for n in range(50):
            forged = f"{head}.{claims}.{n:06}{signature[6:]}"
            assert await tokens.find(forged) is None
            assert await tokens.find(forged) is None

        assert counted.asked == asked
        assert len(tokens) == 1

    async def test_of_refused_ones_is_bounded_too(self, tokens, signed_in, shop):
        ada = await signed_in()
        head, claims, signature = ada.token.split(".")
        forged = [f"{head}.{claims}.{n:06}{signature[6:]}" for n in range(1_001)]
        for token in forged:
            await tokens.find(token)
        looked_up = []
        verifier = shop.keyring.verifier

        async def counted(key_id):
            looked_up.append(key_id)
            return await verifier(key_id)

        shop.keyring.verifier = counted
        await tokens.find(forged[-1])
        remembered = len(looked_up)
        await tokens.find(forged[0])

        assert (remembered, len(looked_up)) == (0, 1)

    async def test_believes_nothing_that_cannot_be_asked(self, shop, signed_in, clock):
        ada = await signed_in()
        away = await Database.connect("postgresql://nobody@127.0.0.1:1/none", size=1)
        issuer = shop.settings.public_url
        tokens = Tokens(away, shop.keyring, issuer=issuer, clock=clock)
        await shop.keyring.signer()

        with pytest.raises(DatabaseUnavailable):
            await tokens.find(ada.token)
        await away.close()


async def revoke(tx, ada, token_id, at):
    await oauth.revoke_token(tx, token_id, expires_at=at + timedelta(minutes=10))


async def end_session(tx, ada, _, at):
    await accounts.end_session(tx, ada.session_id, reason="signed_out", at=at)


async def disable_account(tx, ada, _, at):
    await accounts.disable(tx, ada.account_id, at)


async def disable_client(tx, ada, _, at):
    await oauth.disable_client(tx, ada.client_id, at)


async def retire_key(tx, ada, _, at):
    await oauth.retire_signing_keys(tx, but="", listed_until=at)


class TestStanding:
    """What ends a token before its time, within five seconds."""

    @pytest.mark.parametrize(
        "end",
        [revoke, end_session, disable_account, disable_client, retire_key],
        ids=lambda end: end.__name__,
    )
    async def test_is_lost_within_five_seconds(
        self, end, tokens, signed_in, shop, clock
    ):
        ada, token_id = await signed_in(), new_id()
        token = await ada.sign(token_id=token_id)
        known = await tokens.find(token)
        async with shop.db.transaction() as tx:
            await end(tx, ada, token_id, clock())

        clock.advance(seconds=REMEMBERED.total_seconds() - 0.001)
        assert await tokens.find(token) == known
        clock.advance(seconds=0.001)
        assert await tokens.find(token) is None

    async def test_ends_with_the_session_s_time(
        self, tokens, signed_in, database, clock
    ):
        ada = await signed_in()
        async with database.acquire() as connection:
            await connection.execute(
                "UPDATE sessions SET expires_at = $1", clock() + timedelta(seconds=2)
            )
        assert await tokens.find(ada.token) is not None
        clock.advance(seconds=5)

        assert await tokens.find(ada.token) is None

    async def test_a_role_taken_takes_its_scopes(self, tokens, signed_in, shop, clock):
        ada = await signed_in("support")
        before = await tokens.find(ada.token)
        async with shop.db.transaction() as tx:
            await identity.revoke_role(tx, ada.account_id, "support")
        clock.advance(seconds=5)
        after = await tokens.find(ada.token)

        assert "orders:read" in before.scopes
        assert after.scopes == {
            *("account:read", "account:write", "carts:own", "orders:own")
        }

    async def test_a_token_is_nobody_s_whose_session_is_another_s(
        self, tokens, signed_in
    ):
        ada, bob = await signed_in(), await signed_in()

        crossed = await ada.sign(session_id=bob.session_id)
        other_client = await ada.sign(client_id=bob.client_id)

        assert await tokens.find(crossed) is None
        assert await tokens.find(other_client) is None
