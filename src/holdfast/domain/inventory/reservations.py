"""Promises to buyers: each is one conditional statement, all of it or nothing.

Whatever touches stock locks reservations first and stock rows after them, in
(variant, location) order: what is done to the same few rows by many at a time waits,
and does not deadlock.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.inventory.errors import NotEnoughOnHand, NotReserved, OutOfStock
from holdfast.domain.inventory.model import Reserved, Shortage, Wanted, summed
from holdfast.platform import sql
from holdfast.platform.db import Connection, DatabaseBusy, Row, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_RESERVE = _SQL["reserve"]
_RELEASE = _SQL["release"]
_RELEASE_PART = _SQL["release_part"]
_SHIP = _SQL["ship"]
_EXPIRE = _SQL["expire"]
_EXPIRE_FOR = _SQL["expire_for"]
_RESERVED_FOR = _SQL["reserved_for"]
_HOLDERS_AMONG = _SQL["holders_among"]

EXPIRE_AT_ONCE = 500
"""Overdue holds that are freed in one statement."""
LOOKS = 20
"""How often a request that falls short looks again, each time after overdue holds were
freed: 10,000 of them are more than a variant has, short of an attack."""
_IN_VAIN = 2
# How often it looks again though it freed none itself: somebody else is about to.


async def reserve(
    tx: Transaction,
    holder_id: UUID,
    wanted: Sequence[Wanted],
    *,
    at: datetime,
    expires_at: datetime | None = None,
    instead_of: Sequence[UUID] = (),
) -> float | None:
    """Promise stock to an order or a hold: every line, or none.

    Returns how many seconds its locks of stock took to be had; None if it needed none,
    as all of it was held by *instead_of*.

    What the holders *instead_of* have reserved is released by the same statement
    and counts as free for it; a holder may renew its own. Raises ``OutOfStock``
    naming each SKU that falls short; nothing was changed then, unless overdue holds
    stood in the way: these are freed, and it is tried again. Raises ``DatabaseBusy``
    if they cannot be freed now, as somebody is at them: that is not sold out.
    """
    lines = summed(wanted)
    rows = await ask(
        *(tx, holder_id, lines),
        at=at,
        expires_at=expires_at,
        instead_of=instead_of,
        longest=None,
    )
    if short := [row for row in rows if row["variant_id"] is not None]:
        raise OutOfStock(_shortages(lines, sure(short)))
    waited: float | None = rows[0]["waited"]
    return waited


async def ask(
    tx: Transaction,
    holder_id: UUID,
    lines: Sequence[Wanted],
    *,
    at: datetime,
    expires_at: datetime | None,
    instead_of: Sequence[UUID],
    longest: timedelta | None,
) -> list[Row]:
    """The statement behind ``reserve``, of one entry a variant in order.

    A hold that is renewed lasts for *longest* in all. Returns one row without a variant
    where it was granted, else one for each that falls short. What is there and not
    overdue takes one statement; only who falls short because of overdue holds takes
    more.
    """
    variants = [line.variant_id for line in lines]
    quantities = [line.quantity for line in lines]
    asked = (
        *(holder_id, variants, quantities),
        *(at, expires_at, list(instead_of), longest),
    )
    rows = await tx.fetch(_RESERVE, *asked)
    looks = in_vain = 0
    while looks < LOOKS and in_vain < _IN_VAIN and any(row["unsure"] for row in rows):
        freeing = (at, EXPIRE_AT_ONCE, variants, list(instead_of))
        # None freed says nothing: another may have done it while this one waited for
        # the stock, so it is looked at again all the same.
        in_vain = 0 if await tx.fetchval(_EXPIRE_FOR, *freeing) else in_vain + 1
        looks += 1
        rows = await tx.fetch(_RESERVE, *asked)
    return rows


def sure(short: Sequence[Row]) -> list[Row]:
    """Those of the rows about what falls short that are certain.

    Raises ``DatabaseBusy`` if that is none.
    """
    found = [row for row in short if not row["unsure"]]
    if not found:
        raise DatabaseBusy
    return found


def _shortages(lines: Sequence[Wanted], short: Sequence[Row]) -> list[Shortage]:
    available = {row["variant_id"]: row["available"] for row in short}
    return [
        Shortage(line.sku, line.quantity, available[line.variant_id])
        for line in lines
        if line.variant_id in available
    ]


async def release(tx: Transaction, holder_id: UUID, *, at: datetime) -> set[UUID]:
    """Free all that a holder has reserved; returns of which variants."""
    return {row["variant_id"] for row in await tx.fetch(_RELEASE, holder_id, at)}


async def release_part(
    tx: Transaction, holder_id: UUID, quantities: Mapping[UUID, int], *, at: datetime
) -> None:
    """Free some of what a holder has reserved, by variant.

    Raises ``NotReserved`` if it holds less than that of one; nothing is freed then.
    """
    variants, numbers = list(quantities), list(quantities.values())
    missing = await tx.fetch(_RELEASE_PART, holder_id, variants, numbers, at)
    for variant_id, held in missing:
        raise NotReserved(str(variant_id), quantities[variant_id], held)


async def ship(
    tx: Transaction,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    *,
    location_id: UUID,
    actor: str,
    reference: str,
    at: datetime,
) -> None:
    """Units leave a location for an order: its promise becomes a sale, by variant.

    Takes from what is reserved at that location first, then from what is reserved
    elsewhere: the units there are free again. Raises ``NotReserved`` if the order has
    less reserved, ``NotEnoughOnHand`` if the location has less that is not promised
    to others; nothing is changed then.
    """
    missing = await tx.fetch(
        _SHIP,
        order_id,
        list(quantities),
        list(quantities.values()),
        location_id,
        actor,
        reference,
        at,
    )
    for variant_id, reserved, there in missing:
        asked = quantities[variant_id]
        if reserved < asked:
            raise NotReserved(str(variant_id), asked, reserved)
        raise NotEnoughOnHand(str(variant_id), asked, there)


async def expire(tx: Transaction, *, now: datetime, limit: int = EXPIRE_AT_ONCE) -> int:
    """Free overdue holds, the oldest first; returns how many.

    Several workers may do this at once: each skips what another is at.
    """
    return int(await tx.fetchval(_EXPIRE, now, limit))


async def reserved_for(connection: Connection, holder_id: UUID) -> list[Reserved]:
    """What an order or a hold has reserved; nothing once shipped or released."""
    rows = await connection.fetch(_RESERVED_FOR, holder_id)
    return [Reserved(*row) for row in rows]


async def holders_among(
    connection: Connection, holder_ids: Sequence[UUID]
) -> list[UUID]:
    """Which of these have anything reserved."""
    rows = await connection.fetch(_HOLDERS_AMONG, holder_ids)
    return [row["holder_id"] for row in rows]
