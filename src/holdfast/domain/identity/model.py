"""Who sent a request and what they may do.

One vocabulary of scopes serves API keys, OAuth clients and roles. What a caller may
do is the set of scopes at this moment: of a key, its own; of a person, what their
token was given, as far as their roles still allow it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from holdfast.domain.identity.errors import UnknownScopes

SCOPE_TITLES: dict[str, str] = {
    "products:read": "See all products, drafts included",
    "products:write": "Create and change products and categories",
    "inventory:read": "See stock levels and their movements",
    "inventory:write": "Set stock levels",
    "carts:write": "See and change every cart",
    "orders:read": "See every order",
    "orders:write": "Place orders for others",
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


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as an operator sees it: everything but the key itself."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
