"""The last step of whatever writes a product: show it to readers and to the search.

Both are made from the rows, in the transaction that wrote them, so that a reader never
sees one without the other: the next request reads and finds the product as it now is.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain import catalog, search
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction

REBUILT_AT_ONCE = 200
"""Products a transaction of a rebuild: 30 ms in which nobody else writes them."""
COUNTED_AT_ONCE = 50
"""Words a transaction: 20 ms each where half a million products have them."""
_NIL = UUID(int=0)


async def show(
    tx: Transaction,
    ids: Sequence[UUID],
    *,
    told: Sequence[UUID] = (),
    changed: bool = True,
) -> None:
    """Make what is read and what is searched of products from their rows.

    *told* are others, which are new and came with their documents. Versions stay
    unless somebody has *changed* the products.
    """
    if ids:
        await catalog.project(tx, ids, changed=changed)
    await search.index(tx, [*told, *ids])


async def renew(db: Database, *, limit: int = REBUILT_AT_ONCE) -> int:
    """Write anew what an older release has written; returns of how many products.

    Their versions stay: nobody has changed them. It is the next step of a rebuild that
    goes on while the shop is open, whoever does it, until there is nothing left.
    """
    async with db.transaction() as tx:
        ids = await catalog.of_older_release(tx, limit)
        if ids:
            await show(tx, ids, changed=False)
    return len(ids)


async def rebuild(db: Database, *, clock: Clock) -> int:
    """Write the index of every product anew and count the words; returns how many.

    In small transactions, while the shop is open.
    """
    while await renew(db):
        pass
    done, last = 0, _NIL
    while True:
        async with db.transaction() as tx:
            ids = await search.lock_next(tx, last, REBUILT_AT_ONCE)
            await search.index(tx, ids)
        if not ids:
            break
        done, last = done + len(ids), ids[-1]
    await count_words(db, before=clock(), clock=clock)
    return done


async def count_words(db: Database, *, before: datetime, clock: Clock) -> int:
    """Count the words anew that were last counted before a moment; returns how many.

    In small transactions: however many products there are, each takes well under a
    second, and locks no more than a few words.
    """
    done = 0
    while True:
        async with db.transaction() as tx:
            counted = await search.count_words(
                tx, before=before, limit=COUNTED_AT_ONCE, at=max(before, clock())
            )
        done += counted
        if counted < COUNTED_AT_ONCE:
            return done
