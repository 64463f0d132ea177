"""What operators change while the shop runs, known to every process within a second.

A control is a name (``rate.policy.guest``, ``load.level``, ``circuit.carrier``) and a
small JSON value. Each process keeps all of them in memory, where a request looks them
up, and reads them again about twice a second. When the database is gone the last known
values hold: a limit must not fall because something else did.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import structlog

from holdfast.platform import background, sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.platform")
_CONTROLS = _SQL["controls"]
_PUT_CONTROL = _SQL["put_control"]
_DROP_CONTROL = _SQL["drop_control"]

# Two looks within the second that a change may take.
REREAD_SECONDS = 0.4
_log = structlog.get_logger()

Watcher: TypeAlias = Callable[[Mapping[str, Any]], None]
"""Takes all values under a prefix, by the rest of their names."""


@dataclass(frozen=True, slots=True)
class Control:
    """One value, and who set it."""

    name: str
    value: Any
    updated_by: str
    updated_at: datetime


class Controls:
    """All controls, as this process knows them."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._values: dict[str, Any] = {}
        self._watchers: list[tuple[str, Watcher]] = []
        self._failing = False

    def get(self, name: str) -> Any | None:
        """The value of a control; None where operators have left it alone."""
        return self._values.get(name)

    def under(self, prefix: str) -> dict[str, Any]:
        """All values whose names begin with *prefix*, by the rest of the name."""
        size = len(prefix)
        return {
            name[size:]: value
            for name, value in self._values.items()
            if name.startswith(prefix)
        }

    def watch(self, prefix: str, watcher: Watcher) -> None:
        """Tell *watcher* what is under *prefix*: now, and whenever it changes.

        What it makes of a value is its own affair: one it cannot use must not make
        it raise, or whoever has the database could stop every process.
        """
        self._watchers.append((prefix, watcher))
        watcher(self.under(prefix))

    async def reread(self) -> bool:
        """Take over what was changed; returns whether anything was."""
        before = self._values
        self._values = {c.name: c.value for c in await browse(self._db)}
        for prefix, watcher in self._watchers:
            now = self.under(prefix)
            was = {
                name[len(prefix) :]: value
                for name, value in before.items()
                if name.startswith(prefix)
            }
            if now != was:
                watcher(now)
        return self._values != before

    async def follow(self) -> None:
        """Reread for ever; what fails is tried again, and said once."""
        while True:
            try:
                if await self.reread():
                    _log.info("controls_changed", controls=sorted(self._values))
                self._failing = False
            except Exception as error:  # noqa: BLE001 - the last known values hold
                if not self._failing:
                    _log.warning("controls_not_read", error=repr(error))
                self._failing = True
            await asyncio.sleep(REREAD_SECONDS)


@asynccontextmanager
async def followed(controls: Controls) -> AsyncIterator[Controls]:
    """*controls*, kept up to date until the end."""
    following = asyncio.create_task(controls.follow(), name="controls")
    try:
        yield controls
    finally:
        await background.end(following)


async def browse(connection: Connection) -> list[Control]:
    """Every control that is set, by name."""
    rows = await connection.fetch(_CONTROLS)
    return [
        Control(row["name"], row["value"], row["updated_by"], row["updated_at"])
        for row in rows
    ]


async def put(
    tx: Transaction, name: str, value: Any, *, by: str, at: datetime
) -> Any | None:
    """Set a control; returns what it was, None if it was not set."""
    return await tx.fetchval(_PUT_CONTROL, name, value, by, at)


async def drop(tx: Transaction, name: str) -> Any | None:
    """Take a control back; returns what it was, None if it was not set."""
    return await tx.fetchval(_DROP_CONTROL, name)
