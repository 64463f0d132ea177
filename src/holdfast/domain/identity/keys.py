"""API keys in the database."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.identity.errors import ApiKeyNotFound
from holdfast.domain.identity.model import ApiKey, Operator
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.kernel.tokens import fingerprint, shown
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.identity")
_ADD_KEY = _SQL["add_key"]
_FIND_BY_HASH = _SQL["find_by_hash"]
_FIND_KEY = _SQL["find_key"]
_LIST_KEYS = _SQL["list_keys"]
_REVOKE_KEY = _SQL["revoke_key"]
_NOTE_KEY_USE = _SQL["note_key_use"]
_KEY_USE_RECORDED = _SQL["key_use_recorded"]

RECORDED_EVERY = timedelta(days=1)
"""A key in daily use leaves one event a day and address, not one a request."""


async def add_key(
    tx: Transaction,
    *,
    key_id: UUID,
    name: str,
    token: str,
    scopes: Iterable[str],
    at: datetime,
) -> ApiKey:
    """Store a key; only the hash of its token is kept."""
    granted = tuple(sorted(set(scopes)))
    await tx.execute(
        _ADD_KEY, key_id, name, fingerprint(token), shown(token), granted, at
    )
    return ApiKey(key_id, name, shown(token), granted, at, None)


async def find_by_hash(connection: Connection, key_hash: bytes) -> Operator | None:
    """Whose key this is, unless it was revoked."""
    return (await look_up(connection, key_hash))[0]


async def look_up(
    connection: Connection, key_hash: bytes
) -> tuple[Operator | None, UUID | None]:
    """Whose key this is; or which one it was, if it was revoked."""
    row = await connection.fetchrow(_FIND_BY_HASH, key_hash)
    if row is None:
        return None, None
    if row["revoked"]:
        return None, row["id"]
    return Operator(row["id"], row["name"], frozenset(row["scopes"])), None


async def find_key(connection: Connection, key_id: UUID) -> ApiKey:
    """A key, also one that was revoked; ``ApiKeyNotFound``."""
    row = await connection.fetchrow(_FIND_KEY, key_id)
    if row is None:
        raise ApiKeyNotFound(key_id)
    return _key(row)


async def list_keys(
    connection: Connection, *, after: str | None, limit: int
) -> Page[ApiKey]:
    """A page of keys, newest first, revoked ones included."""
    last = decode_id_cursor(after) if after is not None else None
    rows = await connection.fetch(_LIST_KEYS, last, limit + 1)
    keys = [_key(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(keys, encode_cursor(str(keys[-1].id)) if more else None)


async def revoke_key(
    tx: Transaction, key_id: UUID, *, at: datetime
) -> tuple[ApiKey, bool]:
    """Revoke a key; returns it, and whether it was valid until now.

    Raises ``ApiKeyNotFound``.
    """
    row = await tx.fetchrow(_REVOKE_KEY, key_id, at)
    if row is None:
        raise ApiKeyNotFound(key_id)
    return _key(row), row["revoked_now"]


async def note_key_use(
    tx: Transaction, key_id: UUID, *, actor: str, place: str, at: datetime
) -> bool:
    """Note that a key was used; returns whether that is to be recorded.

    It is if it was not for *place* within a day. The key stays locked until the
    commit, so of several processes one records it.
    """
    if await tx.fetchval(_NOTE_KEY_USE, key_id, at) is None:
        return False
    since = at - RECORDED_EVERY
    return not await tx.fetchval(_KEY_USE_RECORDED, actor, place, since)


def _key(row: Row) -> ApiKey:
    return ApiKey(
        row["id"],
        row["name"],
        row["prefix"],
        tuple(row["scopes"]),
        row["created_at"],
        row["revoked_at"],
        row["last_used_at"],
    )
