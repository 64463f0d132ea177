"""Roles: what they allow, and who has them."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import accounts, identity
from holdfast.domain.identity import Caller, Origin, Role
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows.roles import Changes, Giver, Roles

_PATH = "/v1/roles"
_MAX_SCOPES = 100

Name = Annotated[
    str,
    msgspec.Meta(
        pattern=identity.ROLE_NAME,
        description="How requests name it; cannot be changed.",
    ),
]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=identity.MAX_ROLE_TITLE)]
Description = Annotated[str, msgspec.Meta(max_length=identity.MAX_ROLE_DESCRIPTION)]
Scopes = Annotated[
    list[str],
    msgspec.Meta(
        max_length=_MAX_SCOPES,
        description="Of: " + ", ".join(sorted(identity.SCOPES)),
    ),
]


class NewRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role of the shop's own: a name for a set of scopes."""

    name: Name
    title: Title
    scopes: Scopes
    description: Description = ""


class RoleChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a role; what is absent stays as it is."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET

    @property
    def changes(self) -> Changes:
        return Changes(
            None if self.title is msgspec.UNSET else self.title,
            None if self.description is msgspec.UNSET else self.description,
            None if self.scopes is msgspec.UNSET else tuple(self.scopes),
        )


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[Role]]:
    """List the roles, by name."""
    page = await identity.list_roles(shop.db, after=after, limit=limit)
    return listing(page, _PATH, limit=limit)


async def show(shop: Shop, name: str) -> Role:
    """A role and what it allows."""
    return await identity.find_role(shop.db, name)


async def create(shop: Shop, caller: Caller, origin: Origin, data: NewRole) -> Role:
    """Make a role of scopes that you hold yourself."""
    return await _roles(shop).create(
        *(data.name, data.title, data.description, data.scopes),
        Giver(caller, origin),
    )


async def change(
    shop: Shop, caller: Caller, origin: Origin, name: str, data: RoleChanges
) -> Role:
    """Change a role. Whoever has it may do what it says five seconds later."""
    return await _roles(shop).change(name, data.changes, Giver(caller, origin))


async def delete(shop: Shop, caller: Caller, origin: Origin, name: str) -> None:
    """Delete a role that no account has."""
    await _roles(shop).delete(name, Giver(caller, origin))


async def of_user(shop: Shop, account_id: UUID) -> Listing[Role]:
    """The roles of an account, all at once."""
    await accounts.find(shop.db, shop.vault, account_id)
    return Listing(await identity.roles_of(shop.db, account_id), None)


async def grant(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID, name: str
) -> None:
    """Give an account a role, all of whose scopes you hold yourself."""
    await _roles(shop).grant(account_id, name, Giver(caller, origin))


async def revoke(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID, name: str
) -> None:
    """Take a role from an account. It allows nothing after five seconds."""
    await _roles(shop).revoke(account_id, name, Giver(caller, origin))


def _roles(shop: Shop) -> Roles:
    return Roles(shop.db, shop.vault, shop.clock)
