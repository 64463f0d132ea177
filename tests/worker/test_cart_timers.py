"""Carts that nobody comes back to expire by the clock."""

from holdfast.kernel.ids import new_id
from holdfast.worker.cart_timers import cart_timers
from holdfast.worker.handlers import Reach


class TestExpireCarts:
    async def test_expires_after_as_many_days_as_the_settings_say(
        self, database, vault, clock
    ):
        async with database.statement() as tx:
            await tx.execute(
                "INSERT INTO carts (id, token_hash, status, currency, created_at, "
                "updated_at) VALUES ($1, 'x', 'open', 'EUR', $2, $2)",
                new_id(),
                clock(),
            )
        reach = Reach(database, vault, None, clock, cart_days=3)
        (timer,) = cart_timers(reach)

        statuses = []
        for days in (2, 2):
            clock.advance(days=days)
            await timer.run()
            statuses.append(await database.fetchval("SELECT status FROM carts"))

        assert timer.name == "expire_carts"
        assert statuses == ["open", "expired"]
