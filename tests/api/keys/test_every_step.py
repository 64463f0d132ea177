"""The connection lost at every statement, before it or after: all or nothing.

The steps are not listed: the same request is sent to be cut off one step later, until
it comes to its end before that. The same request again, with the same key, then has
its one effect and its answer.
"""

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy
from keyed_calls import call_of

from holdfast.api.routes import ROUTES
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import LEASE
from holdfast.platform.settings import Settings

METHODS = ("execute", "fetch", "fetchrow", "fetchval")
# One of each way of claiming a key, and one that reads before and after it writes.
TRIED = {
    "POST /v1/categories": "categories",
    "PUT /v1/inventory/{sku}": "stock_movements",
    "POST /v1/carts": "carts",
    "POST /v1/users": "accounts",
    "PUT /v1/carts/{cart_id:uuid}/reservation": "reservations",
}
BY_NAME = {f"{route.method} {route.path}": route for route in ROUTES}


class Knife:
    """Cuts the connection at a statement, before the server got it or after."""

    def __init__(self):
        self.after = False
        self.left = 0
        self.cut = False

    def arm(self, step, *, after):
        self.left, self.after, self.cut = step, after, False

    def around(self, real):
        async def run(connection, *args, **named):
            self.left -= 1
            if self.left != 0:
                return await real(connection, *args, **named)
            self.cut = True
            if self.after:
                await real(connection, *args, **named)
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError

        return run


@pytest.fixture
def settings(settings):
    return Settings.read({**settings.raw, "HOLDFAST_RATE_LIMITS": "*=off"})


@pytest.fixture
def knife(monkeypatch):
    knife = Knife()
    for name in METHODS:
        real = getattr(PoolConnectionProxy, name)
        monkeypatch.setattr(PoolConnectionProxy, name, knife.around(real))
    return knife


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", TRIED)
class TestKeys:
    async def test_have_one_effect_wherever_the_connection_is_lost(
        self, name, after, world, send, knife, database, clock
    ):
        table = TRIED[name]

        async def count():
            return await database.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant

        steps, refused = 0, set()
        for step in range(1, 60):
            call = await call_of(world, BY_NAME[name])
            if name == "POST /v1/categories":
                call.body = {"name": f"Tea {step}"}
            elif name == "PUT /v1/inventory/{sku}":
                call.body = {"on_hand": 1000 + step, "reason": "delivery"}
            elif name == "POST /v1/users":
                call.body = {"email": f"user-{step}@example.com"}
            key, before = str(new_id()), await count()
            knife.arm(step, after=after)
            cut = await send(call, key)
            fell, knife.left = knife.cut, 0
            if not fell:
                assert cut.is_success
                break
            if not cut.is_success:
                refused.add(cut.status_code)
                # Somebody who died holds a lease, where keys are claimed by themselves.
                clock.advance(seconds=LEASE.total_seconds() + 1)
            answer = await send(call, key)
            again = await send(call, key)
            assert answer.is_success, answer.text
            assert again.content == answer.content
            assert again.headers["idempotent-replayed"] == "true"
            assert await count() == before + 1
            steps += 1

        assert steps >= 3
        assert refused <= {503, 504}
