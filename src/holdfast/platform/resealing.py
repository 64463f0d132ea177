"""Sealing again what was sealed under an older key, or not at all.

Each module that owns a table with sealed columns has two statements for each: one
takes rows that are not sealed under the newest key, one writes them sealed anew. Rows
in use are passed over and come the next time, so that no customer waits for this.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from holdfast.kernel.email import canonical
from holdfast.platform import sql
from holdfast.platform.db import Connection, Database, Row
from holdfast.platform.vault import CannotOpen, Vault

_SQL = sql.load("holdfast.platform")
_COUNT_SEALED = _SQL["count_sealed"]
_log = structlog.get_logger()

BATCH = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed column, and the statements of its owner that seal it anew."""

    name: str
    """What its places begin with: the table, and the column unless it is ``sealed``."""
    take: str
    """$1 prefix, $2 after this key or NULL, $3 how many: ``key``, ``sealed`` and, where
    rows from before are in clear, ``clear``."""
    put: str
    """$1 keys, $2 sealed; and $3 indexes, where there is one."""
    index: str | None = None
    """The field of the JSON, an e-mail address, that an index is made of."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of one column that begin alike; those in clear have no prefix."""

    name: str
    prefix: bytes | None
    rows: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass through one column has come."""

    after: str | None
    done: int


async def reseal(
    db: Database, vault: Vault, column: Sealed, *, after: str | None = None
) -> Progress | None:
    """Seal one batch beyond *after* anew; None at the end."""
    async with db.transaction() as tx:
        rows = await tx.fetch(column.take, vault.prefix, after, BATCH)
        if not rows:
            return None
        keys, fresh, indexes = [], [], []
        for row in rows:
            place = f"{column.name}:{row['key']}"
            try:
                plain = _plain(vault, row, place)
            except CannotOpen:
                # One row that was tampered with must not keep the others back.
                _log.error("sealed_value_does_not_open", place=place)
                continue
            keys.append(row["key"])
            fresh.append(vault.seal(plain, place=place))
            indexes.append(_index(vault, plain, column.index))
        values = (keys, fresh) if column.index is None else (keys, fresh, indexes)
        await tx.execute(column.put, *values)
    return Progress(rows[-1]["key"], len(keys))


async def count(connection: Connection) -> list[Counted]:
    """Every sealed row of the database, counted; reads all of every table."""
    return [Counted(*row) for row in await connection.fetch(_COUNT_SEALED)]


def _plain(vault: Vault, row: Row, place: str) -> bytes:
    sealed: bytes | None = row["sealed"]
    if sealed is None:
        return msgspec.json.encode(_clear(row))
    if sealed[:1] != vault.prefix[:1]:
        # Kept in clear, in the same column.
        return sealed
    plain = vault.open(sealed, place=place)
    if clear := _clear(row):
        # Nothing of today writes there: it comes from an older release that runs
        # beside this one, and is the newer of the two.
        return msgspec.json.encode(msgspec.json.decode(plain) | clear)
    return plain


def _clear(row: Row) -> dict[str, Any]:
    return {k: v for k, v in (row.get("clear") or {}).items() if v is not None}


def _index(vault: Vault, plain: bytes, field: str | None) -> bytes | None:
    email: str | None = None if field is None else msgspec.json.decode(plain).get(field)
    return None if email is None else vault.index(canonical(email), purpose="email")
