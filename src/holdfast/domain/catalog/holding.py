"""Products held for a change: who may do what meanwhile, and what they are then.

Whoever changes products locks them first, many in the order of their ids. Others may
refer to them meanwhile (``FOR KEY SHARE``), as nothing of that is changed: two products
are related to one another at once. Only a deletion keeps everybody out.

What is held is told as it is at the moment, not as it is stored: a time may have put a
product on or off sale that the worker has not written down yet.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.documents import PLACE, document
from holdfast.domain.catalog.errors import ProductChanged, ProductNotFound
from holdfast.domain.catalog.model import Product, Status, Versions
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_LOCK = _SQL["lock"]
_LOCK_TO_DELETE = _SQL["lock_to_delete"]
_IMPORTED = _SQL["imported"]
_OF_OLDER_RELEASE = _SQL["of_older_release"]
_DUE = _SQL["due"]
_TURN = _SQL["turn"]


async def lock(
    tx: Transaction, ids: Sequence[UUID], *, at: datetime
) -> dict[UUID, Product]:
    """Lock products for a change and say what they are; stock is not filled in."""
    return {row["id"]: _product(row) for row in await tx.fetch(_LOCK, ids, at)}


def _product(row: Row) -> Product:
    # As many numbers as the document wants: counted by the statement, variants would be
    # those from before it waited for somebody else to add one.
    units = ["0"] * (row["document"].count(PLACE) - 1)
    available = " ".join([row["status"], *units])
    return document({**row, "available": available}).product()


async def lock_one(
    tx: Transaction, product_id: UUID, *, at: datetime, versions: Versions = None
) -> Product:
    """Lock a product that has one of these versions.

    Raises ``ProductNotFound``, or ``ProductChanged`` with the version it has.
    """
    product = (await lock(tx, [product_id], at=at)).get(product_id)
    if product is None:
        raise ProductNotFound
    if versions is not None and product.version not in versions:
        raise ProductChanged(product.version)
    return product


async def lock_to_delete(
    tx: Transaction, product_id: UUID, *, at: datetime, versions: Versions = None
) -> Product:
    """The same against those, too, who are about to refer to it."""
    await tx.execute(_LOCK_TO_DELETE, product_id)
    return await lock_one(tx, product_id, at=at, versions=versions)


async def imported(
    connection: Connection, handles: Sequence[str]
) -> dict[str, tuple[UUID, bytes | None]]:
    """Id of the products with these handles, and the hash they came with."""
    rows = await connection.fetch(_IMPORTED, handles)
    return {row["handle"]: (row["id"], row["source_hash"]) for row in rows}


async def lock_called(
    tx: Transaction, wanted: Mapping[str, UUID], *, at: datetime
) -> dict[str, Product]:
    """Lock the products that were found by these handles; returns them by handle.

    By the time they are locked one may be gone, or have another handle. Then it is what
    has the handle now that is locked; if nothing has, the handle is absent.
    """
    held: dict[str, Product] = {}
    while wanted:
        found = await lock(tx, list(wanted.values()), at=at)
        held |= {one.handle: one for one in found.values() if one.handle in wanted}
        missed = [handle for handle in wanted if handle not in held]
        known = await imported(tx, missed) if missed else {}
        wanted = {handle: product_id for handle, (product_id, _) in known.items()}
    return held


async def of_older_release(tx: Transaction, limit: int) -> list[UUID]:
    """Lock products that were written down as an older release does it."""
    return [row["id"] for row in await tx.fetch(_OF_OLDER_RELEASE, limit)]


async def turn_due(tx: Transaction, *, at: datetime, limit: int) -> dict[UUID, Status]:
    """Write down which products went on or off sale; returns what they are now.

    Readers have seen it from the second on. ``project`` must follow.
    """
    rows = await tx.fetch(_DUE, limit, at)
    due: dict[UUID, Status] = {row["id"]: row["status"] for row in rows}
    if due:
        await tx.execute(_TURN, list(due), list(due.values()), at)
    return due
