"""After a rotation all that is held of anybody is under the new key, and opens."""

import base64

import pytest

from holdfast.platform.data_keys import KNOWN_AFTER, DataKeys
from holdfast.platform.vault import PREFIX_BYTES
from holdfast.workflows import data_keys
from holdfast.workflows.data_keys import COLUMNS, Resealing

# The same as that of the fixture `vault`.
DATA_KEY = "base64:" + base64.b64encode(b"wraps the keys of every test run").decode()
NO_PREFIX = bytes(PREFIX_BYTES)


@pytest.fixture
async def keys(database, clock):
    return await DataKeys.open(database, DATA_KEY, clock=clock)


@pytest.fixture
def rotate(database, keys, clock):
    """Rotate to the end: the key before is gone, as after `keys rotate --data`."""

    async def new_key():
        for step in (data_keys.begin, data_keys.use_newest):
            await step(keys, clock=clock)
            clock.advance(seconds=KNOWN_AFTER.total_seconds())
        resealed = await Resealing(database, keys, clock).turn()
        assert await data_keys.retire(database, keys, clock=clock) == 1
        return resealed

    return new_key


@pytest.fixture
def sealed(database):
    """Every sealed value there is, by the column and then by its place."""

    async def read():
        found = {column.name: {} for column in COLUMNS}
        async with database.transaction() as tx:
            for column in COLUMNS:
                rows = await tx.fetch(column.take, NO_PREFIX, None, 10_000)
                for row in rows:
                    found[column.name][f"{column.name}:{row['key']}"] = row["sealed"]
        return found

    return read


def opened(vault, values):
    return {place: vault.open(value, place=place) for place, value in values.items()}


class TestRotation:
    async def test_every_sealed_column_is_sealed_anew_and_opens(
        self, a_life, keys, rotate, sealed
    ):
        await a_life()
        before = await sealed()
        empty = sorted(name for name, values in before.items() if not values)
        assert not empty, f"`a_life` has to leave a row of each: {empty}"
        said = {name: opened(keys.vault, values) for name, values in before.items()}
        old = keys.vault.prefix

        resealed = await rotate()

        after = await sealed()
        assert resealed == sum(map(len, before.values()))
        assert keys.vault.prefix != old
        for name, values in after.items():
            prefixes = {value[:PREFIX_BYTES] for value in values.values()}
            assert prefixes == {keys.vault.prefix}, name
            # The key before is gone, so this one opens them.
            assert opened(keys.vault, values) == said[name], name

    async def test_people_are_read_as_they_were(
        self, a_life, client, shop, keys, rotate
    ):
        life = await a_life()
        paths = ("/v1/me", "/v1/me/addresses", "/v1/me/sessions", "/v1/me/orders")
        before = [await client.get(path, headers=life.headers) for path in paths]

        await rotate()
        shop.vault.use(keys.vault.keyset, shop.vault._index_key)

        after = [await client.get(path, headers=life.headers) for path in paths]
        assert [answer.status_code for answer in after] == [200] * len(paths)
        assert [answer.json() for answer in after] == [
            answer.json() for answer in before
        ]
        export = await client.post("/v1/me/export", headers=life.headers)
        assert life.said_in(export.text) == list(life.words)
