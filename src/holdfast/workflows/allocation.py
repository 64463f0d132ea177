"""From which location each unit of an order leaves: as few parcels as can be.

Pure: what is wanted and what is where go in, one parcel a location comes out. The
location that can send most is asked first, then the one that can send most of the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Want:
    """Units of a line of the order that are to be sent."""

    position: int
    variant_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of a variant that a location has for the order."""

    location_id: UUID
    variant_id: UUID
    units: int


def allocate(
    wanted: Sequence[Want], shelves: Sequence[Shelf]
) -> dict[UUID, dict[int, int]]:
    """What each location sends, by the position of the line.

    Gives no more than is wanted of a line and no more than is on a shelf; what is on no
    shelf is left out. Ties go to the shelf that comes first.
    """
    open_ = {want.position: want.quantity for want in wanted}
    left = {(s.location_id, s.variant_id): s.units for s in shelves}
    locations = list(dict.fromkeys(shelf.location_id for shelf in shelves))
    parcels: dict[UUID, dict[int, int]] = {}
    while locations:
        offers = {at: _offer(wanted, open_, left, at) for at in locations}
        best = max(locations, key=lambda at: sum(offers[at].values()))
        if not offers[best]:
            break
        parcels[best] = offers[best]
        locations.remove(best)
        for position, quantity in offers[best].items():
            open_[position] -= quantity
    return parcels


def missing(
    wanted: Sequence[Want], parcels: Mapping[UUID, Mapping[int, int]]
) -> list[Want]:
    """What was wanted and no parcel holds."""
    sent: dict[int, int] = {}
    for parcel in parcels.values():
        for position, quantity in parcel.items():
            sent[position] = sent.get(position, 0) + quantity
    return [
        Want(w.position, w.variant_id, w.quantity - sent.get(w.position, 0))
        for w in wanted
        if w.quantity > sent.get(w.position, 0)
    ]


def _offer(
    wanted: Sequence[Want],
    open_: Mapping[int, int],
    left: Mapping[tuple[UUID, UUID], int],
    location_id: UUID,
) -> dict[int, int]:
    """What one location could send of what is open."""
    units = {variant: n for (at, variant), n in left.items() if at == location_id}
    offer: dict[int, int] = {}
    for want in wanted:
        share = min(open_[want.position], units.get(want.variant_id, 0))
        if share > 0:
            offer[want.position] = share
            units[want.variant_id] -= share
    return offer
