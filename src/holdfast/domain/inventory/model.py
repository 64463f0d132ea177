"""Stock as values: levels, what is wanted, what falls short, what moved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_LEVEL = 10**12
"""The most units of one variant that can be on hand."""


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
class Level:
    """What is there of a variant, and how much of it is promised to buyers."""

    sku: str
    variant_id: UUID
    on_hand: int
    reserved: int
    updated_at: datetime

    @property
    def available(self) -> int:
        """Units that can still be sold."""
        return self.on_hand - self.reserved


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
