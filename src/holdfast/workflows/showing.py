"""The last step of whatever writes a product: show it to readers and to the search.

Both are made from the rows, in the transaction that wrote them, so that a reader never
sees one without the other: the next request reads and finds the product as it now is.
"""

from collections.abc import Sequence
from uuid import UUID

from holdfast.domain import catalog, search
from holdfast.platform.db import Database, Transaction

REBUILT_AT_ONCE = 200
"""Products a transaction of a rebuild: 30 ms in which nobody else writes them."""
_NIL = UUID(int=0)


async def show(
    tx: Transaction, ids: Sequence[UUID], *, told: Sequence[UUID] = ()
) -> None:
    """Make what is read and what is searched of products from their rows.

    *told* are others, which are new and came with their documents.
    """
    if ids:
        await catalog.project(tx, ids)
    await search.index(tx, [*told, *ids])


async def rebuild(db: Database) -> int:
    """Write the index of every product anew and count the words; returns how many.

    In small transactions, while the shop is open.
    """
    done, last = 0, _NIL
    while True:
        async with db.transaction() as tx:
            ids = await search.lock_next(tx, last, REBUILT_AT_ONCE)
            if not ids:
                await search.count_words(tx)
                return done
            await search.index(tx, ids)
        done, last = done + len(ids), ids[-1]
