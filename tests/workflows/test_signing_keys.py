import asyncio
from datetime import timedelta

import pytest

from holdfast.domain import identity, oauth
from holdfast.domain.identity import Origin
from holdfast.kernel.ids import new_id
from holdfast.workflows import signing_keys


@pytest.fixture
def ring(database, vault, clock):
    return oauth.KeyRing(database, vault, clock)


@pytest.fixture
def rotate(database, vault, clock):
    async def run(*, now=False):
        return await signing_keys.rotate(
            *(database, vault, clock), now=now, actor="command_line", origin=Origin()
        )

    return run


@pytest.fixture
def rotate_if_due(database, vault, clock):
    async def run():
        return await signing_keys.rotate_if_due(database, vault, clock)

    return run


@pytest.fixture
def recorded(database, vault):
    """What the security record says of keys, latest first."""

    async def read():
        page = await identity.events(database, vault, after=None, limit=50)
        return [(event.kind, event.actor, event.detail["key"]) for event in page.items]

    return read


async def listed(ring):
    return {key["kid"] for key in (await ring.jwks())["keys"]}


class TestRotate:
    async def test_lists_the_new_key_ten_minutes_before_it_signs(
        self, ring, rotate, clock
    ):
        old = (await ring.signer()).id
        new = await rotate()
        clock.advance(seconds=5)

        assert await listed(ring) == {old, new}
        clock.advance(minutes=9, seconds=54)
        assert (await ring.signer()).id == old
        clock.advance(seconds=1)
        assert (await ring.signer()).id == new

    async def test_keeps_the_old_key_listed_until_all_it_signed_has_expired(
        self, ring, rotate, clock
    ):
        old = (await ring.signer()).id
        await rotate()
        signed_last = clock() + timedelta(minutes=10)

        clock.now = signed_last + timedelta(seconds=oauth.ACCESS_TOKEN_SECONDS)
        assert old in await listed(ring)
        clock.advance(minutes=1)
        assert old not in await listed(ring)

    async def test_again_before_the_new_key_signs_leaves_no_gap(
        self, ring, rotate, clock
    ):
        await ring.signer()
        await rotate()
        clock.advance(minutes=5)
        last = await rotate()

        for _ in range(40):
            clock.advance(minutes=1)
            signer = (await ring.signer()).id
            assert signer in await listed(ring)
        assert signer == last
        assert await listed(ring) == {last}

    async def test_of_a_shop_without_keys_signs_at_once(self, ring, rotate):
        new = await rotate()

        assert (await ring.signer()).id == new

    async def test_is_recorded(self, ring, rotate, recorded):
        await ring.signer()
        new = await rotate()

        assert await recorded() == [("signing_key.rotated", "command_line", new)]


class TestRotateNow:
    async def test_signs_by_the_new_key_and_lists_no_other(self, ring, rotate, clock):
        await ring.signer()
        await rotate()
        new = await rotate(now=True)
        clock.advance(seconds=5)

        assert (await ring.signer()).id == new
        assert await listed(ring) == {new}

    async def test_records_each_key_that_was_withdrawn(self, ring, rotate, recorded):
        old = (await ring.signer()).id
        waiting = await rotate()
        new = await rotate(now=True)

        found = await recorded()
        assert ("signing_key.rotated", "command_line", new) in found
        assert {key for kind, _, key in found if kind == "signing_key.revoked"} == {
            old,
            waiting,
        }

    async def test_refuses_what_was_signed_before_within_five_seconds(
        self, client, shop, clock, rotate, signed_token
    ):
        token = await signed_token()
        headers = {"Authorization": f"Bearer {token}"}
        before = await client.get("/v1/products", headers=headers)
        await rotate(now=True)
        clock.advance(seconds=5)
        after = await client.get("/v1/products", headers=headers)

        assert (before.status_code, after.status_code) == (200, 401)

    @pytest.fixture
    def signed_token(self, shop, database, clock):
        """A token of a client on its own behalf."""

        async def sign():
            from_now = {"created_at": clock(), "updated_at": clock()}
            client = oauth.Client(
                *("robot", "Robot", "public", (), ("client_credentials",)),
                *(("orders:read",), False),
                **from_now,
                disabled_at=None,
            )
            async with database.transaction() as tx:
                await oauth.add_client(tx, client, None)
            return oauth.sign_access_token(
                await shop.keyring.signer(),
                issuer=shop.settings.public_url,
                account_id=None,
                client_id="robot",
                session_id=None,
                scopes=["orders:read"],
                authenticated_at=None,
                methods=(),
                token_id=new_id(),
                at=clock(),
            )

        return sign


class TestRotateIfDue:
    async def test_leaves_a_young_key_alone(self, ring, rotate_if_due, clock):
        await ring.signer()
        clock.advance(days=29, hours=23)

        assert await rotate_if_due() is None

    async def test_rotates_once_however_many_workers_look(
        self, ring, rotate_if_due, database, clock, recorded
    ):
        await ring.signer()
        clock.advance(days=30)
        async with asyncio.TaskGroup() as group:
            turns = [group.create_task(rotate_if_due()) for _ in range(5)]

        (made,) = [turn.result() for turn in turns if turn.result() is not None]
        assert await recorded() == [("signing_key.rotated", "timer", made)]
        assert len(await oauth.all_signing_keys(database)) == 2

    async def test_makes_no_key_for_a_shop_that_signed_nothing_yet(
        self, rotate_if_due, database
    ):
        assert await rotate_if_due() is None
        assert await oauth.all_signing_keys(database) == []

    async def test_forgets_keys_that_were_off_the_list_for_90_days(
        self, ring, rotate, rotate_if_due, database, clock
    ):
        first = (await ring.signer()).id
        await rotate(now=True)
        clock.advance(days=91)
        await rotate_if_due()

        kept = {key.id for key in await oauth.all_signing_keys(database)}
        assert first not in kept
        assert len(kept) == 2
