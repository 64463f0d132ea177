"""``holdfast search rebuild``: the index of every product, written anew.

For when attributes have become filterable or no longer are, when pg_trgm was added to a
server that lacked it, and after a restore of tables one by one. In how many products
each word is, which orders the suggestions, is counted at the end, as the worker does it
once a day.
"""

import asyncio

from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.clock import system_clock
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret
from holdfast.workflows import showing


def run() -> None:
    """Rebuild, and say of how many products."""
    settings = settings_of_running_shop()
    url = settings.database_url
    assert url is not None  # noqa: S101 - settings_of_running_shop saw to it
    print(f"{asyncio.run(_rebuild(url, settings.language))} products can be found")


async def _rebuild(url: Secret, language: str) -> int:
    db = await Database.connect(url, size=1, language=language)
    try:
        return await showing.rebuild(db, clock=system_clock)
    finally:
        await db.close()
