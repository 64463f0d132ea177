"""Accounts as their owners see them: sign up, choose a password, change the address.

What is asked for by e-mail is answered 202 with nothing in it, for every address alike.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from holdfast.api.problems import MissingScope
from holdfast.api.protection.credentials import attempt
from holdfast.api.shapes import Email, Text, email_address
from holdfast.api.shop import Shop
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.workflows import email_change, passwords, sign_up

Token = Annotated[
    str, msgspec.Meta(max_length=200, description="From the link in the e-mail.")
]
# Without limits: what is wrong with a password is said by the rules for passwords.
NewPassword = Annotated[
    str,
    msgspec.Meta(
        description="As many characters as the shop asks for (8 unless it says"
        " otherwise), 256 at most, and hard to guess."
    ),
]


class AddressOnly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An e-mail address to write to."""

    email: Email


class SignUpConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What completes a sign-up."""

    token: Token
    password: NewPassword
    given_name: Text | None = None
    family_name: Text | None = None


class ResetConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, by way of the e-mail address."""

    token: Token
    password: NewPassword


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, by the old one."""

    current_password: str
    new_password: NewPassword


class EmailChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another e-mail address for an account."""

    email: Email
    current_password: str


class EmailChangeConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves that the new address is theirs."""

    token: Token


class NewAccount(msgspec.Struct, frozen=True):
    """An account that was just opened."""

    id: UUID
    email: str


async def request_sign_up(shop: Shop, origin: Origin, data: AddressOnly) -> None:
    """Ask for an account: a link to open it is sent to the address.

    The answer is the same whether or not it has one already.
    """
    email = email_address(data.email, "/email")
    await attempt(shop.quotas, "sign-up", email, origin)
    await sign_up.request_sign_up(
        shop.db,
        shop.vault,
        email,
        origin=origin,
        clock=shop.clock,
    )


async def confirm_sign_up(
    shop: Shop, origin: Origin, data: SignUpConfirmation
) -> NewAccount:
    """Open the account for which a link was sent, with a password of your choice.

    Orders that were placed with the address as a guest belong to it from now on.
    """
    account = await sign_up.confirm_sign_up(
        shop.db,
        shop.vault,
        shop.hasher,
        data.token,
        data.password,
        shortest=shop.settings.password_shortest,
        given_name=data.given_name,
        family_name=data.family_name,
        origin=origin,
        clock=shop.clock,
    )
    return NewAccount(account.id, account.email or "")


async def request_reset(shop: Shop, origin: Origin, data: AddressOnly) -> None:
    """Ask for a new password: a link is sent to the address, if it has an account.

    The answer is the same whether or not it has one.
    """
    email = email_address(data.email, "/email")
    await attempt(shop.quotas, "reset", email, origin)
    await passwords.request_reset(
        shop.db,
        shop.vault,
        email,
        origin=origin,
        clock=shop.clock,
    )


async def confirm_reset(shop: Shop, origin: Origin, data: ResetConfirmation) -> None:
    """Choose the new password. Every session of the account ends."""
    await passwords.reset(
        shop.db,
        shop.vault,
        shop.hasher,
        data.token,
        data.password,
        shortest=shop.settings.password_shortest,
        origin=origin,
        clock=shop.clock,
    )


async def change_password(
    shop: Shop, caller: Caller, origin: Origin, data: PasswordChange
) -> None:
    """Change your password. All other sessions of yours end."""
    member = _member(caller)
    await passwords.change(
        shop.db,
        shop.vault,
        shop.hasher,
        member.account_id,
        old=data.current_password,
        new=data.new_password,
        shortest=shop.settings.password_shortest,
        session_id=member.session_id,
        origin=origin,
        clock=shop.clock,
    )


async def request_email_change(
    shop: Shop, caller: Caller, origin: Origin, data: EmailChange
) -> None:
    """Ask for another e-mail address: a link is sent to the new one.

    The old one stays until the link is followed. The answer is the same whether or not
    another account has the new address.
    """
    member = _member(caller)
    await email_change.request(
        shop.db,
        shop.vault,
        shop.hasher,
        member.account_id,
        email=email_address(data.email, "/email"),
        password=data.current_password,
        session_id=member.session_id,
        origin=origin,
        clock=shop.clock,
    )


async def confirm_email_change(
    shop: Shop, origin: Origin, data: EmailChangeConfirmation
) -> None:
    """Use the new address from now on. The old one is told."""
    await email_change.confirm(
        shop.db, shop.vault, data.token, origin=origin, clock=shop.clock
    )


def _member(caller: Caller) -> Member:
    if not isinstance(caller, Member):
        raise MissingScope("account:write")
    return caller
