"""``holdfast clients``: register OAuth clients without having credentials yet.

For whoever can reach the database. With credentials that may, ``/v1/clients`` does the
same over HTTP, and refuses to give a client more than its giver has.
"""

import asyncio
from typing import Any, NamedTuple, get_args

import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import opened
from holdfast.domain import oauth
from holdfast.domain.identity import COMMAND_LINE, Origin
from holdfast.domain.oauth import Client, GrantType
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.platform.settings import BadSettings
from holdfast.workflows import clients as workflows
from holdfast.workflows.clients import Registration

_PAGE = 100
_HERE = Origin()
_WITH_PEOPLE = ("authorization_code", "refresh_token")
_ALONE = ("client_credentials",)


class New(NamedTuple):
    """What was asked for."""

    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    grants: tuple[str, ...]
    public: bool
    first_party: bool


def create(new: New, *, as_json: bool) -> None:
    """Register a client and print its secret; the only time that it is shown."""
    grants = new.grants or (_WITH_PEOPLE if new.redirect_uris else _ALONE)
    if unknown := sorted(set(grants) - set(get_args(GrantType))):
        raise BadSettings(f"There is no grant {unknown[0]!r}.")
    if not new.scopes:
        raise BadSettings("Name some scopes with --scope.")
    wanted = Registration(
        name=new.name,
        kind="public" if new.public else "confidential",
        redirect_uris=new.redirect_uris,
        grant_types=msgspec.convert(grants, tuple[GrantType, ...]),
        scopes=new.scopes,
        first_party=new.first_party,
    )
    client, secret = asyncio.run(_create(wanted))
    _print_with_secret(client, secret, as_json=as_json)


def show_all(*, as_json: bool) -> None:
    """List all clients, newest first."""
    clients = asyncio.run(_list())
    if as_json:
        print(msgspec.json.encode([_shown(client) for client in clients]).decode())
        return
    table = Table("id", "name", "kind", "grants", "scopes", "disabled")
    table.columns[0].no_wrap = True
    for client in clients:
        table.add_row(
            client.id,
            client.name,
            client.kind + (", first party" if client.first_party else ""),
            ", ".join(client.grant_types),
            ", ".join(client.scopes),
            f"{client.disabled_at:%Y-%m-%d %H:%M}" if client.disabled_at else "",
        )
    Console().print(table)


def show(client_id: str, *, as_json: bool) -> None:
    """Print everything about a client."""
    client = asyncio.run(_find(client_id))
    if as_json:
        print(msgspec.json.encode(_shown(client)).decode())
        return
    _print(client)


def disable(client_id: str) -> None:
    """Take a client out of use."""
    client = asyncio.run(_disable(client_id))
    print(f"Client {client.id} ({client.name}) is disabled.")


def rotate_secret(client_id: str, *, as_json: bool) -> None:
    """Print another secret; the one before is refused from now on."""
    client, secret = asyncio.run(_rotate(client_id))
    _print_with_secret(client, secret, as_json=as_json)


async def _create(wanted: Registration) -> tuple[Client, str | None]:
    async with opened() as (db, vault):
        return await workflows.create(
            db, vault, wanted, giver=None, origin=_HERE, clock=system_clock
        )


async def _list() -> list[Client]:
    async with opened() as (db, _):
        page = await oauth.browse_clients(db, after=None, limit=_PAGE)
        clients = page.items
        while page.next is not None:
            page = await oauth.browse_clients(db, after=page.next, limit=_PAGE)
            clients += page.items
        return clients


async def _find(client_id: str) -> Client:
    async with opened() as (db, _):
        return await oauth.find_client(db, client_id)


async def _disable(client_id: str) -> Client:
    async with opened() as (db, vault):
        return await workflows.disable(
            *(db, vault, client_id),
            actor=COMMAND_LINE,
            origin=_HERE,
            clock=system_clock,
        )


async def _rotate(client_id: str) -> tuple[Client, str]:
    async with opened() as (db, vault):
        return await workflows.rotate_secret(
            db, vault, client_id, giver=None, origin=_HERE, clock=system_clock
        )


def _print_with_secret(client: Client, secret: str | None, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode({**_shown(client), "secret": secret}).decode())
        return
    _print(client)
    if secret is not None:
        print(f"client_secret: {secret}")
        print("It is not shown again.")


def _print(client: Client) -> None:
    print(f"client_id:     {client.id}")
    print(f"name:          {client.name}")
    print(f"kind:          {client.kind}{', first party' * client.first_party}")
    print(f"redirect URIs: {' '.join(client.redirect_uris) or 'none'}")
    print(f"grants:        {' '.join(client.grant_types)}")
    print(f"scopes:        {' '.join(client.scopes)}")
    if client.disabled_at is not None:
        print(f"disabled:      {rfc3339(client.disabled_at)}")


def _shown(client: Client) -> dict[str, Any]:
    disabled = client.disabled_at
    return {
        "id": client.id,
        "name": client.name,
        "kind": client.kind,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(client.grant_types),
        "scopes": list(client.scopes),
        "first_party": client.first_party,
        "created_at": rfc3339(client.created_at),
        "updated_at": rfc3339(client.updated_at),
        "disabled_at": rfc3339(disabled) if disabled else None,
    }
