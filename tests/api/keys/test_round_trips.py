"""A key costs no round trip where the effect is one transaction, seen on the wire."""

from collections import Counter

import pytest

from holdfast.cli.bench.protection.round_trips import relayed
from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Settings

# More than enough that every statement is prepared on its connection.
WARM, COUNTED = 6, 5


@pytest.fixture
async def relay(database_url):
    async with relayed(database_url) as both:
        yield both


@pytest.fixture
def settings(settings, relay):
    _, url = relay
    said = {"HOLDFAST_RATE_LIMITS": "*=off", "DATABASE_URL": url}
    return Settings.read({**settings.raw, **said})


@pytest.fixture
def trips_of(client, relay):
    """How many round trips a request takes, most often."""
    counter, _ = relay

    async def count(method, path, bodies, headers, *, keyed):
        found = []
        for number in range(WARM + COUNTED):
            key = {"Idempotency-Key": str(new_id())} if keyed else {}
            before = counter.count
            answer = await client.request(
                method, path, json=next(bodies), headers={**headers, **key}
            )
            assert answer.is_success, answer.text
            if number >= WARM:
                found.append(counter.count - before)
        # Now and then something of the process's own asks in between.
        ((most, _),) = Counter(found).most_common(1)
        return most

    return count


def levels():
    number = 0
    while True:
        number += 1
        yield {"on_hand": number, "reason": "count"}


def names():
    number = 0
    while True:
        number += 1
        yield {"name": f"Tea {new_id()}"}


def profiles():
    while True:
        yield {"given_name": "Ada"}


@pytest.mark.slow
class TestKeys:
    @pytest.mark.parametrize(
        ("method", "path", "bodies", "scope"),
        [
            pytest.param("POST", "/v1/categories", names, "products:write", id="new"),
            pytest.param(
                "PUT", "/v1/inventory/TEA", levels, "inventory:write", id="and-a-read"
            ),
            pytest.param("PATCH", "/v1/me", profiles, None, id="several-reads"),
        ],
    )
    async def test_cost_no_round_trip(
        self, trips_of, tea, an_operator, signed_in, method, path, bodies, scope
    ):
        who = await signed_in() if scope is None else None
        headers = await an_operator(scope) if who is None else who.headers
        asked = bodies()

        without = await trips_of(method, path, asked, headers, keyed=False)
        keyed = await trips_of(method, path, asked, headers, keyed=True)

        assert without >= 3
        assert keyed <= without
