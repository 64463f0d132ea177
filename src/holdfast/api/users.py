"""Accounts as operators see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shapes import Email, email_address
from holdfast.api.shop import Shop
from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Account
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.personal_data import PersonalData
from holdfast.workflows.roles import Giver
from holdfast.workflows.users import Users

_PATH = "/v1/users"
_MAX_ROLES = 20

WholeAddress = Annotated[
    str, msgspec.Meta(max_length=254, description="The whole address.")
]


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who is to have an account, and what they may do."""

    email: Email
    roles: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=100)]],
        msgspec.Meta(
            max_length=_MAX_ROLES,
            description="Besides `customer`, which everybody has.",
        ),
    ] = []


class UserChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an account."""

    status: Literal["active", "disabled"]


class CorrectedEmail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The e-mail address that is the owner's of an account."""

    email: Email


class User(msgspec.Struct, frozen=True):
    """An account, without its secrets."""

    id: UUID
    # null once erased.
    email: str | None
    status: accounts.Status
    # null while nobody has followed a link that was sent there.
    email_verified_at: datetime | None
    has_password: bool
    second_factor: bool
    created_at: datetime
    updated_at: datetime


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    email: WholeAddress | None = None,
    status: accounts.Status | None = None,
) -> Response[Listing[User]]:
    """List the accounts, newest first, disabled and erased ones included."""
    page = await accounts.browse(
        shop.db, shop.vault, after=after, limit=limit, email=email, status=status
    )
    asked = {"email": email, "status": status}
    return listing(
        Page([_user(account) for account in page.items], page.next),
        _PATH,
        limit=limit,
        **{name: value for name, value in asked.items() if value is not None},
    )


async def show(shop: Shop, account_id: UUID) -> User:
    """An account."""
    return _user(await accounts.find(shop.db, shop.vault, account_id))


async def create(shop: Shop, caller: Caller, origin: Origin, data: NewUser) -> User:
    """Open an account for somebody, with roles all of whose scopes you hold yourself.

    A link to choose a password is sent to them.
    """
    account = await _users(shop).create(
        email_address(data.email, "/email"), data.roles, Giver(caller, origin)
    )
    return _user(account)


async def change(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID, data: UserChanges
) -> User:
    """Disable an account, which signs its owner out everywhere, or enable it again."""
    return _user(
        await _users(shop).set_status(account_id, data.status, Giver(caller, origin))
    )


async def correct_email(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID, data: CorrectedEmail
) -> User:
    """Correct the e-mail address of a customer, who confirms it by a link sent there.

    Until the link is followed nobody signs in with it. Every session ends, what was
    sent to the old address opens nothing any more, and it is told. The same address
    again has another link sent.
    """
    email = email_address(data.email, "/email")
    return _user(
        await _users(shop).correct_email(account_id, email, Giver(caller, origin))
    )


async def erase(shop: Shop, caller: Caller, origin: Origin, account_id: UUID) -> None:
    """Erase whose account it was, for ever. Their orders stay, without them."""
    await identity.check_over(shop.db, caller, account_id)
    await PersonalData(shop.db, shop.vault, shop.clock).erase(
        account_id, actor=caller.actor, origin=origin
    )


def _users(shop: Shop) -> Users:
    return Users(shop.db, shop.vault, shop.clock)


def _user(account: Account) -> User:
    return User(
        account.id,
        account.email,
        account.status,
        account.email_verified_at,
        account.has_password,
        account.second_factor,
        account.created_at,
        account.updated_at,
    )
