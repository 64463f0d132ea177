from datetime import timedelta

import pytest

from holdfast.domain import oauth
from holdfast.kernel.ids import new_id
from holdfast.worker.handlers import Reach
from holdfast.worker.token_timers import token_timers


@pytest.fixture
def timers(database, vault, clock):
    reach = Reach(db=database, vault=vault, mailer=None, clock=clock)
    return {timer.name: timer for timer in token_timers(reach)}


class TestRotateSigningKeys:
    async def test_replaces_a_key_that_is_30_days_old(
        self, timers, database, vault, clock
    ):
        ring = oauth.KeyRing(database, vault, clock)
        old = await ring.signer()
        await timers["rotate_signing_keys"].run()
        clock.advance(days=30)
        await timers["rotate_signing_keys"].run()
        clock.advance(minutes=10)

        assert len(await oauth.all_signing_keys(database)) == 2
        assert (await ring.signer()).id != old.id


class TestForgetRevokedTokens:
    async def test_forgets_those_that_have_expired_and_no_others(
        self, timers, database, clock
    ):
        expired, live = new_id(), new_id()
        async with database.transaction() as tx:
            await oauth.revoke_token(tx, expired, expires_at=clock())
            await oauth.revoke_token(
                tx, live, expires_at=clock() + timedelta(minutes=10)
            )
        clock.advance(seconds=1)
        await timers["forget_revoked_tokens"].run()

        async with database.transaction() as tx:
            assert await oauth.revoke_token(tx, expired, expires_at=clock())
            assert not await oauth.revoke_token(tx, live, expires_at=clock())
