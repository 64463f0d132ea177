"""Remembers for a moment what was just found to be sold out.

Nearly everybody who comes for the last units is refused, and each refusal would be a
statement. So after one, how many are left is remembered for 400 ms, and who wants more
is refused without the database. Units that come back, whoever frees them and in
whatever process, are on offer again when that time is over; those of a hold that is
given back in this process at once.

Who has units already may be renewing, and renewing never fails: so the holders are
remembered too, and are let through to the database.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.clock import Monotonic, monotonic

REMEMBERED_SECONDS = 0.4
_MAX_KNOWN = 256
# Of an id, which is made by a hash: that two of them begin alike costs one of them a
# look into the database.
_BEGINNING_BYTES = 8


@dataclass(frozen=True, slots=True)
class SoldOut:
    """What was left of a variant, and who had some."""

    variant_id: UUID
    available: int
    holders: bytes
    """The beginnings of the ids of all that hold some, one after the other."""


class SoldOutMemory:
    """What one process knows to be sold out."""

    def __init__(self, *, most: int = _MAX_KNOWN, timer: Monotonic = monotonic) -> None:
        self._most = most
        self._timer = timer
        self._known: OrderedDict[UUID, tuple[float, SoldOut]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, found: Iterable[SoldOut], *, read_at: float) -> None:
        """Remember what a read that began at *read_at* has found."""
        for one in found:
            self._known.pop(one.variant_id, None)
            while len(self._known) >= self._most:
                self._known.popitem(last=False)
            self._known[one.variant_id] = (read_at + REMEMBERED_SECONDS, one)

    def forget(self, variants: Iterable[UUID]) -> None:
        """Units of these were given back here: ask again."""
        for variant in variants:
            self._known.pop(variant, None)

    def knows(self, variant: UUID) -> bool:
        """Whether there is something to go by for *variant*."""
        known = self._known.get(variant)
        return known is not None and known[0] > self._timer()

    def shortages(
        self, holders: Sequence[UUID], lines: Iterable[tuple[UUID, int]]
    ) -> dict[UUID, int]:
        """What cannot be had, and how many are left; empty where nobody can tell.

        Who asks is any of *holders*.
        """
        short = {}
        for variant, quantity in lines:
            known = self._known.get(variant)
            if known is None or known[0] <= self._timer():
                continue
            left = known[1]
            if quantity > left.available:
                if any(h.bytes[:_BEGINNING_BYTES] in left.holders for h in holders):
                    return {}
                short[variant] = left.available
        return short
