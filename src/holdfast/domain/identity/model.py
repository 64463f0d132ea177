"""Who sent a request and what they may do.

One vocabulary of scopes serves API keys, OAuth clients and roles. What a caller may
do is the set of scopes at this moment: of a key, its own; of a person, what their
token was given, as far as their roles still allow it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from holdfast.domain.identity.errors import RoleInvalid, ScopeNotHeld, UnknownScopes

SCOPE_TITLES: dict[str, str] = {
    "products:read": "See all products, drafts included",
    "products:write": "Create and change products and categories",
    "inventory:read": "See stock levels and their movements",
    "inventory:write": "Set stock levels",
    "carts:write": "See and change every cart",
    "orders:read": "See every order",
    "orders:write": "Place, change and cancel orders for others",
    "orders:fulfil": "Ship orders and take back what returns",
    "orders:refund": "Give money back",
    "prices:override": "Sell at other prices than the catalogue's",
    "keys:read": "See the API keys",
    "keys:write": "Create and revoke API keys",
    "users:read": "See accounts, their sessions and roles",
    "users:write": "Create, change and disable accounts",
    "roles:read": "See the roles",
    "roles:write": "Create and change roles, and give them to accounts",
    "clients:read": "See the OAuth clients",
    "clients:write": "Create and change OAuth clients",
    "customers:read": "See customers and their addresses",
    "customers:write": "Change customers, export and erase their data",
    "protection:read": "See limits, load and circuits",
    "protection:write": "Change limits, force load levels and circuits",
    "audit:read": "See what happened that matters for security",
    "account:read": "See your profile, addresses and sign-ins",
    "account:write": "Change your profile, addresses and how you sign in",
    "carts:own": "Fill a cart in your name and order it",
    "orders:own": "See your orders",
}
"""Everything a caller can be allowed to do, and how to say it to a person."""

SCOPES = frozenset(SCOPE_TITLES)

PERSONAL_SCOPES = frozenset(
    {"account:read", "account:write", "carts:own", "orders:own"}
)
"""Those about oneself: only a signed-in person can hold them."""

KEY_SCOPES = SCOPES - PERSONAL_SCOPES
"""What API keys, and OAuth clients on their own behalf, can be allowed to do."""

IDENTITY_SCOPES: dict[str, str] = {
    "openid": "Know who you are",
    "profile": "See your name, language and time zone",
    "email": "See your e-mail address",
    "phone": "See your phone number",
    "address": "See your postal address",
    "offline_access": "Stay signed in when you are away",
}
"""Scopes of OpenID Connect: what a client may learn, not what it may do."""

COMMAND_LINE = "command_line"
"""Actor of what somebody with access to the server did."""
TIMER = "timer"
"""Actor of what the worker did by the clock."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody in particular."""

    @property
    def actor(self) -> str:
        return "anonymous"


@dataclass(frozen=True, slots=True)
class Guest:
    """Whoever holds the token of a cart; which cart is for the cart to say."""

    token_hash: bytes

    @property
    def actor(self) -> str:
        return f"guest:{self.token_hash.hex()[:16]}"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with an API key."""

    key_id: UUID
    name: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        return f"key:{self.key_id}"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who signed in, by an access token."""

    account_id: UUID
    session_id: UUID
    client_id: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        return f"account:{self.account_id}"


@dataclass(frozen=True, slots=True)
class Service:
    """An OAuth client on its own behalf (client credentials)."""

    client_id: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        return f"client:{self.client_id}"


Caller: TypeAlias = Anonymous | Guest | Operator | Member | Service


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for sessions, guards and the security record."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


def scopes_of(caller: Caller) -> frozenset[str]:
    """Everything *caller* may do."""
    if isinstance(caller, Operator | Member | Service):
        return caller.scopes
    return frozenset()


def may(caller: Caller, scope: str) -> bool:
    """Whether *caller* holds *scope*."""
    return isinstance(caller, Operator | Member | Service) and scope in caller.scopes


def check_scopes(wanted: Iterable[str], *, known: frozenset[str] = KEY_SCOPES) -> None:
    """Raise ``UnknownScopes`` if any of *wanted* is not among those *known*."""
    if unknown := sorted(set(wanted) - known):
        raise UnknownScopes(unknown, sorted(known))


def check_held(caller: Caller, scopes: Iterable[str]) -> None:
    """Raise ``ScopeNotHeld`` unless *caller* may give *scopes* to somebody.

    Otherwise whoever may make keys or give roles could become anything. Scopes about
    oneself are free to give: they open nothing but what is their holder's own.
    """
    if missing := sorted(set(scopes) - PERSONAL_SCOPES - scopes_of(caller)):
        raise ScopeNotHeld(missing)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as an operator sees it: everything but the key itself."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None = None
    """To the minute or so; None if it never was."""


CUSTOMER = "customer"
"""The role of every account, from its first moment."""
ADMIN = "admin"
"""The role that allows everything; somebody always has it."""
MAX_ROLE_TITLE = 100
MAX_ROLE_DESCRIPTION = 500
ROLE_NAME = r"^[a-z][a-z0-9_]{1,49}$(?!\n)"


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of scopes that accounts can have."""

    id: UUID
    name: str
    title: str
    description: str
    scopes: tuple[str, ...]
    built_in: bool
    """Comes with the product: only a migration changes it."""
    created_at: datetime
    updated_at: datetime


def check_role(name: str, title: str, description: str, scopes: Iterable[str]) -> None:
    """Raise ``RoleInvalid`` or ``UnknownScopes`` if there can be no such role."""
    if not re.fullmatch(ROLE_NAME, name):
        raise RoleInvalid(
            "name", "2 to 50 of a-z, 0-9 and underscore, beginning with a letter"
        )
    if not title.strip() or len(title) > MAX_ROLE_TITLE:
        raise RoleInvalid("title", f"1 to {MAX_ROLE_TITLE} characters")
    if len(description) > MAX_ROLE_DESCRIPTION:
        raise RoleInvalid("description", f"{MAX_ROLE_DESCRIPTION} characters at most")
    check_scopes(scopes, known=SCOPES)
