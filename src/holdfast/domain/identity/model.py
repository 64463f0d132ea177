"""Who sent a request, what they may do, and the keys that prove it.

A token is ``hfk_`` (an operator's API key) or ``hfc_`` (a cart's, given to the
guest who made it), then 43 random characters and a check of 6, so that a typo
or a made-up token is refused without asking the database. Only SHA-256 of a
token is stored: 256 random bits need neither salt nor a slow hash.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from holdfast.domain.identity.errors import UnknownScopes

SCOPES = frozenset(
    {
        "products:read",
        "products:write",
        "inventory:read",
        "inventory:write",
        "carts:write",
        "orders:read",
        "orders:write",
        "prices:override",
        "keys:read",
        "keys:write",
    }
)
"""Everything a key can be allowed to do."""

KEY_PREFIX = "hfk_"
CART_PREFIX = "hfc_"
RANDOM_BYTES = 32
_RANDOM_CHARS = 43
_CHECK_CHARS = 6
_TOKEN_CHARS = len(KEY_PREFIX) + _RANDOM_CHARS + _CHECK_CHARS
_SHOWN_CHARS = 10


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


Caller: TypeAlias = Anonymous | Guest | Operator


def may(caller: Caller, scope: str) -> bool:
    """Whether *caller* holds a key with *scope*."""
    return isinstance(caller, Operator) and scope in caller.scopes


def check_scopes(wanted: Iterable[str]) -> None:
    """Raise ``UnknownScopes`` if any of *wanted* does not exist."""
    if unknown := sorted(set(wanted) - SCOPES):
        raise UnknownScopes(unknown, sorted(SCOPES))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as an operator sees it: everything but the key itself."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def mint(prefix: str, random: bytes) -> str:
    """Make a token of *prefix* from 32 random bytes."""
    body = prefix + base64.urlsafe_b64encode(random).rstrip(b"=").decode()
    return body + _check(body)


def plausible(token: str, prefix: str) -> bool:
    """Whether *token* was made by ``mint`` rather than guessed or mistyped."""
    if len(token) != _TOKEN_CHARS or not token.startswith(prefix):
        return False
    return token.isascii() and _check(token[:-_CHECK_CHARS]) == token[-_CHECK_CHARS:]


def fingerprint(token: str) -> bytes:
    """SHA-256 of a token: what is stored and looked up."""
    return hashlib.sha256(token.encode()).digest()


def shown(token: str) -> str:
    """The first characters of a key, enough to tell it from others."""
    return token[:_SHOWN_CHARS]


def _check(body: str) -> str:
    checksum = zlib.crc32(body.encode()).to_bytes(4)
    return base64.urlsafe_b64encode(checksum).decode()[:_CHECK_CHARS]
