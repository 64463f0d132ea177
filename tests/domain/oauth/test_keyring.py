import asyncio
from datetime import timedelta

import pytest
from cases import cases

from holdfast.domain import oauth


@pytest.fixture
def ring(database, vault, clock):
    return oauth.KeyRing(database, vault, clock)


@pytest.fixture
def add_key(database, vault, clock):
    """Store a key that signs after a while, and take the others off the list then."""

    async def add(*, after=timedelta(0)):
        key = oauth.new_signing_key()
        async with database.transaction() as tx:
            await oauth.add_signing_key(
                tx, vault, key, signs_from=clock() + after, at=clock()
            )
        return key

    return add


@pytest.fixture
def asked(database, monkeypatch):
    """The statements that are sent."""
    sent = []
    fetch = database.fetch

    async def counted(*arguments):
        sent.append(arguments)
        return await fetch(*arguments)

    monkeypatch.setattr(database, "fetch", counted)
    return sent


async def listed(ring):
    return {key["kid"] for key in (await ring.jwks())["keys"]}


class TestSigner:
    async def test_makes_the_first_key_of_a_shop(self, ring, database):
        key = await ring.signer()

        (stored,) = await oauth.all_signing_keys(database)
        assert stored.id == key.id
        assert await ring.signer() is key

    async def test_is_the_same_for_processes_that_start_at_once(
        self, database, vault, clock
    ):
        async with asyncio.TaskGroup() as group:
            made = [
                group.create_task(oauth.KeyRing(database, vault, clock).signer())
                for _ in range(8)
            ]

        assert len({task.result().id for task in made}) == 1
        assert len(await oauth.all_signing_keys(database)) == 1

    async def test_changes_when_the_time_of_a_younger_one_has_come(
        self, ring, add_key, clock
    ):
        first = await ring.signer()
        second = await add_key(after=timedelta(minutes=10))

        clock.advance(minutes=9, seconds=59)
        assert (await ring.signer()).id == first.id
        clock.advance(seconds=1)
        assert (await ring.signer()).id == second.id

    async def test_is_not_one_that_was_taken_off_the_list(
        self, ring, add_key, database, clock
    ):
        first = await ring.signer()
        second = await add_key()
        async with database.transaction() as tx:
            retired = await oauth.retire_signing_keys(
                tx, but=second.id, listed_until=clock()
            )
        clock.advance(seconds=5)

        assert retired == [first.id]
        assert (await ring.signer()).id == second.id
        assert await listed(ring) == {second.id}
        assert await ring.verifier(first.id) is None

    async def test_is_stored_sealed(self, ring, database):
        key = await ring.signer()

        private = key.private.as_dict(private=True)["d"]
        async with database.acquire() as connection:
            row = await connection.fetchval(
                "SELECT signing_keys::text FROM signing_keys"
            )
        assert key.id in row
        assert private not in row
        assert private.encode().hex() not in row


class TestVerifier:
    async def test_knows_a_key_of_another_process_after_a_second(
        self, ring, add_key, clock
    ):
        await ring.signer()
        key = await add_key()
        unknown_yet = await ring.verifier(key.id)
        clock.advance(seconds=1)

        assert unknown_yet is None
        assert await ring.verifier(key.id) is not None

    async def test_forgets_a_retired_key_within_five_seconds(
        self, ring, add_key, database, clock
    ):
        first = await ring.signer()
        second = await add_key()
        async with database.transaction() as tx:
            await oauth.retire_signing_keys(tx, but=second.id, listed_until=clock())

        assert await ring.verifier(first.id) is not None
        clock.advance(seconds=5)
        assert await ring.verifier(first.id) is None

    async def test_forgets_a_key_at_the_time_it_is_listed_until(
        self, ring, add_key, database, clock
    ):
        first = await ring.signer()
        second = await add_key()
        until = clock() + timedelta(seconds=3)
        async with database.transaction() as tx:
            await oauth.retire_signing_keys(tx, but=second.id, listed_until=until)
        clock.advance(seconds=1)
        await ring.verifier(second.id)

        clock.advance(seconds=1)
        assert await ring.verifier(first.id) is not None
        clock.advance(seconds=1)
        assert await ring.verifier(first.id) is None

    @cases(
        "key_id",
        ["", "A", "A" * 44, "../../etc/passwd", "' OR 1=1 --", "\0" * 43, "A" * 4000],
    )
    async def test_does_not_look_up_what_is_no_key_id(self, vault, clock, key_id):
        ring = oauth.KeyRing(None, vault, clock)

        assert await ring.verifier(key_id) is None

    async def test_asks_the_database_once_a_second_however_many_are_made_up(
        self, ring, clock, asked
    ):
        await ring.signer()
        asked.clear()
        clock.advance(seconds=1)
        for n in range(100):
            await ring.verifier(f"{n:043}")

        assert len(asked) == 1

    async def test_asks_the_database_once_for_all_that_wait(self, ring, clock, asked):
        key = await ring.signer()
        asked.clear()
        clock.advance(seconds=5)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(ring.verifier(key.id))

        assert len(asked) == 1

    async def test_does_not_trust_old_knowledge_when_the_clock_was_put_back(
        self, ring, add_key, database, clock
    ):
        first = await ring.signer()
        second = await add_key()
        async with database.transaction() as tx:
            await oauth.retire_signing_keys(
                tx, but=second.id, listed_until=clock() - timedelta(hours=2)
            )
        clock.advance(hours=-1)

        assert await ring.verifier(first.id) is None


class TestJwks:
    async def test_lists_public_halves_only(self, ring):
        signer = await ring.signer()

        (key,) = (await ring.jwks())["keys"]
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert key["kid"] == signer.id

    async def test_lists_a_key_before_it_signs(self, ring, add_key, clock):
        first = await ring.signer()
        second = await add_key(after=timedelta(minutes=10))
        clock.advance(seconds=5)

        assert await listed(ring) == {first.id, second.id}
