"""``holdfast keys``: give out API keys without having one yet.

For whoever can reach the database, such as the first key of a new shop. With a key
that may, ``/v1/api-keys`` does the same over HTTP.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import opened
from holdfast.domain import identity
from holdfast.domain.identity import ApiKey
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.platform.settings import BadSettings
from holdfast.workflows import keys as workflows

_PAGE = 100


def create(name: str, scopes: Sequence[str], *, as_json: bool) -> None:
    """Make a key and print it; the only time that it is shown."""
    key, token = asyncio.run(_create(name, scopes))
    if as_json:
        print(msgspec.json.encode({**_shown(key), "key": token}).decode())
        return
    print(token)
    print(f"Key {key.id} for {key.name!r}: {', '.join(key.scopes)}")
    print("It is not shown again.")


def show(*, as_json: bool) -> None:
    """List all keys, newest first."""
    keys = asyncio.run(_list())
    if as_json:
        print(msgspec.json.encode([_shown(key) for key in keys]).decode())
        return
    table = Table(
        "id", "name", "starts with", "created", "last used", "revoked", "scopes"
    )
    table.columns[0].no_wrap = True
    for key in keys:
        table.add_row(
            str(key.id),
            key.name,
            key.prefix,
            f"{key.created_at:%Y-%m-%d}",
            f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "",
            f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
            "all" if set(key.scopes) >= identity.KEY_SCOPES else ", ".join(key.scopes),
        )
    Console().print(table)


def revoke(key_id: str) -> None:
    """Revoke a key."""
    try:
        wanted = UUID(key_id)
    except ValueError:
        raise BadSettings(f"{key_id!r} is not the id of a key.") from None
    key = asyncio.run(_revoke(wanted))
    print(f"Key {key.id} for {key.name!r} is revoked.")


async def _create(name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    async with opened() as (db, vault):
        return await workflows.create_key(
            db, vault, name=name, scopes=scopes, clock=system_clock
        )


async def _list() -> list[ApiKey]:
    async with opened() as (db, _):
        page = await identity.list_keys(db, after=None, limit=_PAGE)
        keys = page.items
        while page.next is not None:
            page = await identity.list_keys(db, after=page.next, limit=_PAGE)
            keys += page.items
        return keys


async def _revoke(key_id: UUID) -> ApiKey:
    async with opened() as (db, vault):
        return await workflows.revoke_key(db, vault, key_id, clock=system_clock)


def _shown(key: ApiKey) -> dict[str, object]:
    revoked = key.revoked_at
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": rfc3339(key.created_at),
        "revoked_at": rfc3339(revoked) if revoked else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }
