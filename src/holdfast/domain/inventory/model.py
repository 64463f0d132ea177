"""Stock as values: levels, what is wanted, what falls short, what moved."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_LEVEL = 10**12
"""The most units of one variant that can be on hand at a location."""

MAIN = UUID("01943a00-0000-7000-8000-000000000101")
"""The location that every shop has; it may be renamed."""

_OWN_VERSION = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many units of a variant; the SKU is for people to read."""

    variant_id: UUID
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU that cannot be filled: how much was asked for, how much is free."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a holder has reserved of a variant at a location."""

    variant_id: UUID
    sku: str
    location_id: UUID
    quantity: int
    reserved_at: datetime
    expires_at: datetime | None
    """When a hold ends by itself; None for an order's."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place where stock is; orders take from the lowest priority first."""

    id: UUID
    code: str
    name: str
    priority: int
    address: Mapping[str, str] | None
    active: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Level:
    """What is there of a variant at a location, and how much of it is promised."""

    sku: str
    variant_id: UUID
    location_id: UUID
    location: str
    """The location's code."""
    on_hand: int
    reserved: int
    available: int
    """Units that can still be sold: what is on hand and what may be promised beyond
    that, without what is promised and what is kept back; 0 where not in use."""
    safety_stock: int
    backorder_limit: int
    low_stock_threshold: int | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """How much is kept back, may be promised beyond what is there, and is few."""

    safety_stock: int
    backorder_limit: int
    low_stock_threshold: int | None


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the ledger: by how much a level changed, why, and by whom."""

    id: UUID
    kind: str
    delta: int
    reason: str
    order_id: UUID | None
    actor: str
    moved_at: datetime
    location_id: UUID
    reference: str
    sku: str
    location: str


@dataclass(frozen=True, slots=True)
class Move:
    """One line for the ledger: a variant, a location, by how much, and why."""

    variant_id: UUID
    location_id: UUID
    delta: int
    kind: str
    reason: str = ""


def summed(wanted: Iterable[Wanted]) -> list[Wanted]:
    """One entry a variant, in the order in which rows are locked.

    Two lines of one SKU must be checked as their sum: each alone may fit while
    both together do not.
    """
    by_variant: dict[UUID, Wanted] = {}
    for line in wanted:
        seen = by_variant.get(line.variant_id)
        quantity = line.quantity + (seen.quantity if seen else 0)
        by_variant[line.variant_id] = Wanted(line.variant_id, line.sku, quantity)
    return sorted(by_variant.values(), key=lambda line: line.variant_id)


def hold_id(cart_id: UUID, owner: UUID | bytes | str) -> UUID:
    """Under which id somebody holds stock for a cart.

    *owner* is who made the hold: the hash of a guest's token, an account's id, or
    the word ``shop`` for operators. As the id follows from both, nobody can touch
    the hold of another, and nothing need be read to know whose one is.
    """
    if isinstance(owner, UUID):
        named = b"account\n" + owner.bytes
    elif isinstance(owner, bytes):
        named = b"guest\n" + owner
    else:
        named = b"name\n" + owner.encode()
    digest = hashlib.sha256(cart_id.bytes + named).digest()
    number = int.from_bytes(digest[:16])
    # Version 8, "made by the application", and the variant of RFC 9562.
    number = number & ~(0xF << 76) | _OWN_VERSION << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return UUID(int=number)
