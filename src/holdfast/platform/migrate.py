"""Bring a database to the schema this release was written for.

Migrations are numbered SQL files, each run once in a transaction of its own,
under a lock so that several processes may start at once. What was applied is
recorded with a checksum: an edited file is refused, not silently skipped.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from holdfast.platform.db import Connection, Database

# The driver's patience with one statement; the server has the narrower limits.
_PATIENCE_SECONDS = 24 * 3600.0

# Any constant will do; it only has to be the same in every release.
_LOCK = 0x484F4C4446415354 >> 1

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_RECORD = "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)"


class MigrationFailed(RuntimeError):
    """The database and this release do not fit together; the message says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def available() -> list[Migration]:
    """Every migration this release has, in order."""
    folder = resources.files("holdfast.migrations")
    names = sorted(f.name for f in folder.iterdir() if f.name[:4].isdigit())
    return [Migration(n, (folder / n).read_text("utf-8")) for n in names]


async def migrate(db: Database) -> list[str]:
    """Apply what is missing and return its names, oldest first.

    Raises ``MigrationFailed`` when an applied file was changed since, or when
    the database is ahead of this release.
    """
    done = []
    async with db.acquire() as connection:
        # Waiting for another migrator, and migrating, may take longer than any
        # request: the limits of ordinary sessions do not fit.
        await connection.execute("SET lock_timeout = '120s'; SET statement_timeout = 0")
        await connection.execute(
            "SELECT pg_advisory_lock($1)", _LOCK, timeout=_PATIENCE_SECONDS
        )
        try:
            await connection.execute(_LEDGER)
            for migration in _missing(await _applied(connection)):
                async with connection.transaction():
                    await connection.execute(migration.sql, timeout=_PATIENCE_SECONDS)
                    await connection.execute(
                        _RECORD, migration.name, migration.checksum
                    )
                done.append(migration.name)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)
            await connection.execute("RESET lock_timeout; RESET statement_timeout")
    return done


async def pending(db: Database) -> list[str]:
    """Names of migrations that the database still lacks."""
    if await db.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return [migration.name for migration in available()]
    async with db.acquire() as connection:
        return [m.name for m in _missing(await _applied(connection))]


async def lacking(connection: Connection) -> list[str]:
    """Names of this release's migrations that the database has not had.

    Unlike ``pending`` it does not mind a database that is ahead: an older process
    goes on serving while a newer release expands the schema.
    """
    ours = [migration.name for migration in available()]
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return ours
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    applied = {row["name"] for row in rows}
    return [name for name in ours if name not in applied]


async def _applied(connection: Any) -> dict[str, str]:
    rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
    return {row["name"]: row["checksum"] for row in rows}


def _missing(applied: dict[str, str]) -> list[Migration]:
    ours = available()
    if unknown := sorted(applied.keys() - {m.name for m in ours}):
        raise MigrationFailed(
            f"the database has {unknown[-1]}, which this release does not know: "
            "it was written by a newer release"
        )
    for migration in ours:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise MigrationFailed(
                f"{migration.name} was changed after it had been applied"
            )
    return [m for m in ours if m.name not in applied]
