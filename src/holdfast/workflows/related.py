"""Relating products to one another."""

from collections.abc import Sequence
from uuid import UUID

from holdfast.domain import catalog
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction
from holdfast.workflows.showing import show


async def relate(
    db: Database,
    product_id: UUID,
    named: Sequence[str],
    *,
    clock: Clock,
    actor: str,
    versions: catalog.Versions,
) -> int:
    """Relate a product to those of these ids or handles, and to no others.

    Returns the version of the product. Raises ``ProductInvalid``, ``ProductNotFound``
    or ``ProductChanged``.
    """
    now = clock()

    async def relate(tx: Transaction) -> int:
        product = await catalog.lock_one(tx, product_id, at=now, versions=versions)
        old = await catalog.related_ids(tx, product_id)
        new = await catalog.put_related(tx, product_id, named)
        if new == old:
            return product.version
        await catalog.touch(tx, [product_id], at=now)
        await show(tx, [product_id])
        said = [[str(one) for one in ids] for ids in (old, new)]
        changes = [catalog.Difference("/related", *said)]
        noted = catalog.Note(product_id, "changed", changes)
        await catalog.note(tx, [noted], actor=actor, at=now)
        return product.version + 1

    return await db.attempt(relate)
