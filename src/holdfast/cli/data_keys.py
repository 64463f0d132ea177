"""``holdfast keys rotate --data``: another key for personal data, and how far it is.

The command waits while the running processes learn of the new key; the worker seals
the rows. Both may be cut short at any point, and are continued by the same command.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table

from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import identity
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock, system_clock
from holdfast.platform.data_keys import KNOWN_AFTER, DataKeys
from holdfast.platform.db import Database
from holdfast.platform.settings import KEY_SERVICES, BadSettings
from holdfast.workflows import data_keys as workflows
from holdfast.workflows.data_keys import Progress

_SECONDS = round(KNOWN_AFTER.total_seconds())


def rotate() -> None:
    """Seal with a new key from now on; the worker seals what is there already."""
    asyncio.run(_rotate(clock=system_clock))


def status() -> None:
    """Say how much is sealed under which key."""
    _print(asyncio.run(_status()))


def retire() -> None:
    """Drop older keys that nothing is sealed under."""
    dropped, kept = asyncio.run(_retire(clock=system_clock))
    print(f"Keys dropped: {dropped}. Older keys still in use: {kept}.")
    if kept:
        print("`holdfast keys rotate --data --status` says where.")


def wrap_with(where: str) -> None:
    """Wrap the keys by another wrapping key, such as one of a key service."""
    if not where.startswith((*KEY_SERVICES, "file:")):
        # A key in a command line is in the list of processes and in the history.
        known = ", ".join((*KEY_SERVICES, "file:"))
        raise BadSettings(f"--wrap-with must begin with one of {known}")
    asyncio.run(_wrap_with(where, clock=system_clock))
    print(f"The keys are wrapped by {where}.")
    print("Start every process again with that as HOLDFAST_DATA_KEY; keep the key")
    print("before as long as backups from its time are kept.")


async def _wrap_with(where: str, *, clock: Clock) -> None:
    async with _opened() as (_, keys):
        await keys.wrap_with(where, clock=clock)


async def _rotate(*, clock: Clock) -> None:
    async with _opened() as (db, keys):
        await workflows.begin(keys, clock=clock)
        print(f"Added a key. Used in {_SECONDS} s, when every process knows it.")
        await asyncio.sleep(_SECONDS)
        await workflows.use_newest(keys, clock=clock)
        async with db.transaction() as tx:
            await identity.record(
                tx,
                keys.vault,
                "data_key.rotated",
                actor="command_line",
                origin=Origin(),
                at=clock(),
            )
    print("Everything new is sealed under it from now on. The worker seals the rest:")
    print("`holdfast keys rotate --data --status` says how far it is.")


async def _status() -> Progress:
    async with _opened() as (db, keys):
        return await workflows.progress(db, keys)


async def _retire(*, clock: Clock) -> tuple[int, int]:
    async with _opened() as (db, keys):
        dropped = await workflows.retire(db, keys, clock=clock)
        in_use = (await workflows.progress(db, keys)).in_use
        return dropped, len(in_use - {keys.vault.prefix})


def _print(progress: Progress) -> None:
    table = Table("sealed in", "newest key", "older keys", "in clear")
    for column in table.columns[1:]:
        column.justify = "right"
    for rows in progress.rows:
        table.add_row(rows.name, str(rows.newest), str(rows.older), str(rows.clear))
    Console().print(table)
    if progress.left:
        print(f"Rows left: {progress.left}. A worker seals them as long as one runs.")
    else:
        print("Everything is sealed under the newest key.")


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Database, DataKeys]]:
    settings = settings_of_running_shop()
    if settings.database_url is None:
        raise BadSettings("DATABASE_URL must be set.")
    db = await Database.connect(settings.database_url, size=1)
    try:
        yield db, await DataKeys.open(db, settings.data_key, clock=system_clock)
    finally:
        await db.close()
