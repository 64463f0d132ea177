from datetime import timedelta

import pytest

from holdfast.domain import identity
from holdfast.domain.identity import ApiKeyNotFound, Operator
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor, encode_cursor
from holdfast.workflows import keys


async def make(database, vault, clock, name="Ada", scopes=("orders:read",)):
    return await keys.create_key(database, vault, name=name, scopes=scopes, clock=clock)


class TestFindByHash:
    async def test_finds_whose_key_it_is(self, database, vault, clock):
        key, token = await make(
            database, vault, clock, scopes=["orders:read", "keys:read"]
        )

        found = await identity.find_by_hash(database, tokens.fingerprint(token))

        assert found == Operator(key.id, "Ada", frozenset({"orders:read", "keys:read"}))

    async def test_finds_nobody_for_a_key_that_was_never_given_out(self, database):
        assert await identity.find_by_hash(database, b"0" * 32) is None

    async def test_finds_nobody_for_a_revoked_key(self, database, vault, clock):
        key, token = await make(database, vault, clock)
        await keys.revoke_key(database, vault, key.id, clock=clock)

        assert await identity.find_by_hash(database, tokens.fingerprint(token)) is None


class TestAddKey:
    async def test_keeps_only_the_hash_of_the_token(self, database, vault, clock):
        _, token = await make(database, vault, clock)

        rows = await database.fetch("SELECT api_keys::text AS row FROM api_keys")

        assert len(rows) == 1
        assert token not in rows[0]["row"]
        assert tokens.fingerprint(token).hex() in rows[0]["row"]


class TestListKeys:
    async def test_gives_pages_newest_first_each_key_once(self, database, vault, clock):
        made = [(await make(database, vault, clock, f"k{n}"))[0] for n in range(5)]

        seen, after = [], None
        while True:
            page = await identity.list_keys(database, after=after, limit=2)
            seen += page.items
            after = page.next
            if after is None:
                break

        assert seen == made[::-1]

    async def test_shows_revoked_keys_and_when(self, database, vault, clock):
        key, _ = await make(database, vault, clock)
        clock.advance(hours=1)
        await keys.revoke_key(database, vault, key.id, clock=clock)

        (shown,) = (await identity.list_keys(database, after=None, limit=9)).items

        assert shown.revoked_at == key.created_at + timedelta(hours=1)

    async def test_refuses_a_cursor_of_another_list(self, database):
        with pytest.raises(BadCursor):
            await identity.list_keys(database, after=encode_cursor("tea"), limit=2)


class TestRevokeKey:
    async def test_again_changes_nothing(self, database, vault, clock):
        key, _ = await make(database, vault, clock)
        first = await keys.revoke_key(database, vault, key.id, clock=clock)
        clock.advance(days=1)

        assert await keys.revoke_key(database, vault, key.id, clock=clock) == first

    async def test_says_when_there_is_no_such_key(self, database, vault, clock):
        missing = new_id()

        with pytest.raises(ApiKeyNotFound) as raised:
            await keys.revoke_key(database, vault, missing, clock=clock)

        assert raised.value.key_id == missing
