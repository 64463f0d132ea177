"""``holdfast keys rotate`` and ``keys list --signing``: the keys that sign tokens."""

import asyncio
from datetime import datetime

import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import opened
from holdfast.domain import oauth
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import ListedKey
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.workflows import signing_keys

_MINUTES_UNTIL_IT_SIGNS = round(oauth.LISTED_BEFORE.total_seconds() / 60)


def rotate(*, now: bool) -> None:
    """Make another key sign; *now* if the one that signs has leaked."""
    made = asyncio.run(_rotate(now=now))
    if now:
        print(f"Key {made} signs from now on.")
        print("Within five seconds nobody believes what older keys signed.")
        return
    print(f"Key {made} is listed, and signs in {_MINUTES_UNTIL_IT_SIGNS} minutes.")
    print("Tokens of the key before it stay good until they expire.")


def show(*, as_json: bool) -> None:
    """List the signing keys, youngest first."""
    keys = asyncio.run(_all())
    at = system_clock()
    if as_json:
        print(msgspec.json.encode([_shown(key, keys, at) for key in keys]).decode())
        return
    table = Table("state", "signs from", "listed until")
    for column in table.columns:
        column.no_wrap = True
    table.add_column("id", overflow="fold")
    for key in keys:
        until = key.listed_until
        table.add_row(
            _state(key, keys, at),
            f"{key.signs_from:%Y-%m-%d %H:%M}",
            f"{until:%Y-%m-%d %H:%M}" if until else "",
            key.id,
        )
    Console().print(table)


async def _rotate(*, now: bool) -> str:
    async with opened() as (db, vault):
        return await signing_keys.rotate(
            db, vault, system_clock, now=now, actor="command_line", origin=Origin()
        )


async def _all() -> list[ListedKey]:
    async with opened() as (db, _):
        return await oauth.all_signing_keys(db)


def _state(key: ListedKey, keys: list[ListedKey], at: datetime) -> str:
    if not key.listed(at):
        return "withdrawn"
    if key is oauth.signer_among(keys, at):
        return "signs"
    return "listed" if key.signs_from <= at else "waits"


def _shown(key: ListedKey, keys: list[ListedKey], at: datetime) -> dict[str, object]:
    until = key.listed_until
    return {
        "id": key.id,
        "state": _state(key, keys, at),
        "created_at": rfc3339(key.created_at),
        "signs_from": rfc3339(key.signs_from),
        "listed_until": rfc3339(until) if until else None,
    }
