"""``holdfast migrate``: bring the database to the schema of this release."""

import asyncio
import sys

from holdfast.cli.running import settings_of_running_shop
from holdfast.platform import migrate
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret


def run() -> None:
    """Apply what is missing; ``SystemExit`` with a sentence when it cannot be."""
    url = settings_of_running_shop().database_url
    assert url is not None  # noqa: S101 - settings_of_running_shop saw to it
    try:
        applied = asyncio.run(_migrate(url))
    except migrate.MigrationFailed as error:
        print(f"holdfast migrate: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("the schema is up to date")


async def _migrate(url: Secret) -> list[str]:
    db = await Database.connect(url, size=1)
    try:
        return await migrate.migrate(db)
    finally:
        await db.close()
