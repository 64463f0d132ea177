"""Carts that nobody comes back to are closed, and who filled them is forgotten.

Draft orders never expire: an operator prepared them, and withdraws them.
"""

from datetime import timedelta
from uuid import UUID

from holdfast.domain import inventory, ordering
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.workflows.placing import holders_of

_AT_ONCE = 500


async def expire_idle(
    db: Database, *, idle: timedelta, clock: Clock, limit: int = _AT_ONCE
) -> int:
    """Expire every cart not changed for so long; returns how many.

    *limit* carts at a time, each batch in a transaction of its own, so that a shop
    with a million of them holds no lock for long.
    """
    expired = 0
    after: UUID | None = None
    while True:
        now = clock()
        async with db.transaction() as tx:
            carts = await ordering.expire_carts(
                tx, idle_since=now - idle, after=after, limit=limit
            )
            holders = [
                holder_id
                for cart in carts
                for holder_id in holders_of(cart.id, cart.token_hash, cart.account_id)
            ]
            for holder_id in await inventory.holders_among(tx, holders):
                await inventory.release(tx, holder_id, at=now)
        expired += len(carts)
        if len(carts) < limit:
            return expired
        after = carts[-1].id
