"""The database and the vault of the shop that a command works on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.clock import system_clock
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.platform.settings import BadSettings
from holdfast.platform.vault import Vault


class Opened(NamedTuple):
    """What a command needs of a shop to change it."""

    db: Database
    vault: Vault


@asynccontextmanager
async def opened() -> AsyncIterator[Opened]:
    """Open both; raises ``BadSettings`` when there is no shop, or no key."""
    settings = settings_of_running_shop()
    if settings.database_url is None:
        raise BadSettings("DATABASE_URL must be set.")
    db = await Database.connect(
        settings.database_url, size=1, language=settings.language
    )
    try:
        vault = await open_vault(db, settings.data_key, clock=system_clock)
        yield Opened(db, vault)
    finally:
        await db.close()
