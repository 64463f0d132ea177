"""What operators change reaches every process, and outlives the database's absence."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.platform import controls
from holdfast.platform.controls import Controls
from holdfast.platform.db import Connection, Database, DatabaseUnavailable

_AT = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


async def put(database: Database, name: str, value: Any) -> Any:
    async with database.transaction() as tx:
        return await controls.put(tx, name, value, by="key:1", at=_AT)


class Sometimes:
    """A connection that can be cut."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.is_cut = False

    async def fetch(self, query: str, /, *args: Any) -> list[Any]:
        if self.is_cut:
            raise DatabaseUnavailable
        return await self._db.fetch(query, *args)

    fetchrow = fetchval = fetch


class TestControls:
    async def test_what_was_set_is_known_after_the_next_reading(
        self, database: Database
    ) -> None:
        known = Controls(database)
        assert known.get("load.level") is None

        await put(database, "load.level", {"forced": 2})
        assert await known.reread()

        assert known.get("load.level") == {"forced": 2}
        assert not await known.reread()

    async def test_what_was_taken_back_is_gone(self, database: Database) -> None:
        known = Controls(database)
        assert await put(database, "load.level", 1) is None
        assert await put(database, "load.level", 2) == 1
        await known.reread()
        async with database.transaction() as tx:
            assert await controls.drop(tx, "load.level") == 2
            assert await controls.drop(tx, "load.level") is None
        await known.reread()
        assert known.get("load.level") is None

    async def test_a_watcher_hears_of_its_own_prefix_only(
        self, database: Database
    ) -> None:
        known, heard = Controls(database), list[Mapping[str, Any]]()
        known.watch("rate.policy.", heard.append)

        await put(database, "load.level", 1)
        await known.reread()
        await put(database, "rate.policy.guest", {"tokens": 5})
        await known.reread()

        assert heard == [{}, {"guest": {"tokens": 5}}]

    async def test_the_last_known_values_hold_without_a_database(
        self, database: Database, promised: Callable[..., Awaitable[None]]
    ) -> None:
        line = Sometimes(database)
        known = Controls(line)
        await put(database, "load.level", 3)
        async with controls.followed(known):

            async def knows(value: int) -> bool:
                return known.get("load.level") == value

            await promised(lambda: knows(3))
            line.is_cut = True
            await put(database, "load.level", 4)
            assert known.get("load.level") == 3
            line.is_cut = False
            await promised(lambda: knows(4))

    async def test_who_set_it_and_when_is_told(self, database: Database) -> None:
        await put(database, "load.level", 1)
        (control,) = await controls.browse(database)
        assert (control.name, control.updated_by, control.updated_at) == (
            "load.level",
            "key:1",
            _AT,
        )
