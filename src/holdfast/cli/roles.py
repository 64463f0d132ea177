"""``holdfast roles``: see and make roles, and give them to people.

For whoever can reach the database, such as to make the first administrator; what an
account may be given is not limited by what somebody else holds. With credentials that
may, ``/v1/roles`` does the same over HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.opened import Opened, opened
from holdfast.domain import accounts, identity
from holdfast.domain.identity import Role
from holdfast.kernel.clock import rfc3339, system_clock
from holdfast.platform.settings import BadSettings
from holdfast.workflows.roles import Changes, Giver, Roles

T = TypeVar("T")

_PAGE = 100
_SOMEBODY_HERE = Giver()


def show(who: str | None, *, as_json: bool) -> None:
    """List all roles, or those of one account."""
    roles = asyncio.run(_list(who))
    if as_json:
        print(msgspec.json.encode([_shown(role) for role in roles]).decode())
        return
    table = Table("name", "title", "", "scopes")
    table.columns[0].no_wrap = True
    for role in roles:
        table.add_row(
            role.name,
            role.title,
            "built in" if role.built_in else "",
            "all" if set(role.scopes) >= identity.SCOPES else ", ".join(role.scopes),
        )
    Console().print(table)


def create(
    name: str, scopes: Sequence[str], *, title: str | None, description: str
) -> None:
    """Make a role."""
    shown = title or name.replace("_", " ").capitalize()

    async def make(shop: Opened) -> Role:
        return await _roles(shop).create(
            name, shown, description, scopes, _SOMEBODY_HERE
        )

    role = asyncio.run(_with(make))
    print(f"Role {role.name} allows: {_listed(role)}")


def change(
    name: str,
    *,
    title: str | None,
    description: str | None,
    scopes: Sequence[str] | None,
) -> None:
    """Change a role; *scopes* are all that it allows from now on."""
    wanted = Changes(title, description, None if scopes is None else tuple(scopes))

    async def write(shop: Opened) -> Role:
        return await _roles(shop).change(name, wanted, _SOMEBODY_HERE)

    role = asyncio.run(_with(write))
    print(f"Role {role.name} allows: {_listed(role)}")


def delete(name: str) -> None:
    """Delete a role that nobody has."""

    async def remove(shop: Opened) -> None:
        await _roles(shop).delete(name, _SOMEBODY_HERE)

    asyncio.run(_with(remove))
    print(f"Role {name} is deleted.")


def grant(who: str, name: str) -> None:
    """Give an account a role."""

    async def give(shop: Opened) -> UUID:
        account_id = await _account(shop, who)
        await _roles(shop).grant(account_id, name, _SOMEBODY_HERE)
        return account_id

    print(f"Account {asyncio.run(_with(give))} has the role {name}.")


def revoke(who: str, name: str) -> None:
    """Take a role from an account."""

    async def take(shop: Opened) -> UUID:
        account_id = await _account(shop, who)
        await _roles(shop).revoke(account_id, name, _SOMEBODY_HERE)
        return account_id

    print(f"Account {asyncio.run(_with(take))} does not have the role {name}.")


async def _list(who: str | None) -> list[Role]:
    async with opened() as shop:
        if who is not None:
            return await identity.roles_of(shop.db, await _account(shop, who))
        page = await identity.list_roles(shop.db, after=None, limit=_PAGE)
        roles = page.items
        while page.next is not None:
            page = await identity.list_roles(shop.db, after=page.next, limit=_PAGE)
            roles += page.items
        return roles


async def _with(work: Callable[[Opened], Awaitable[T]]) -> T:
    async with opened() as shop:
        return await work(shop)


async def _account(shop: Opened, who: str) -> UUID:
    """The account that an id or an e-mail address names."""
    if "@" not in who:
        try:
            return UUID(who)
        except ValueError:
            raise BadSettings(
                "Name the account by its e-mail address or its id."
            ) from None
    account = await accounts.find_by_email(shop.db, shop.vault, who)
    if account is None:
        raise BadSettings("No account has this e-mail address.")
    return account.id


def _roles(shop: Opened) -> Roles:
    return Roles(shop.db, shop.vault, system_clock)


def _listed(role: Role) -> str:
    return ", ".join(role.scopes) or "nothing"


def _shown(role: Role) -> dict[str, object]:
    return {
        "name": role.name,
        "title": role.title,
        "description": role.description,
        "scopes": list(role.scopes),
        "built_in": role.built_in,
        "created_at": rfc3339(role.created_at),
        "updated_at": rfc3339(role.updated_at),
    }
