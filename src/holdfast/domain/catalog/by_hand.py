"""The products of a collection in the order that somebody gives them.

Each has a place, a number with room on both sides. Who moves one product gives it a
number between its new neighbours; only where no number is left are all given new ones,
which twenty moves into the same gap take.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.errors import CollectionInvalid, Fault
from holdfast.domain.catalog.model import is_handle, parse_id
from holdfast.platform import sql
from holdfast.platform.db import Transaction

_SQL = sql.load("holdfast.domain.catalog")
_PLACES = _SQL["places"]
_PUT_PLACES = _SQL["put_places"]
_TAKE_OUT = _SQL["take_out"]
_TOUCH_COLLECTION = _SQL["touch_collection"]
_NAMED = _SQL["named"]

MAX_COLLECTED = 1_000
"""Products in one collection by hand. More than that nobody orders one by one."""
ROOM = 1 << 20

Places = Sequence[tuple[UUID, int]]
"""Products and their places, in order."""


def spread(ids: Sequence[UUID]) -> dict[UUID, int]:
    """Places for products in this order, with room between them."""
    return {id_: number * ROOM for number, id_ in enumerate(ids, 1)}


def placed(places: Places, product_id: UUID, position: int) -> dict[UUID, int]:
    """The places that change so that a product stands at *position*, 1 for the first.

    Behind the last there is only the end.
    """
    others = [(id_, place) for id_, place in places if id_ != product_id]
    index = min(position - 1, len(others))
    if not others:
        return {product_id: ROOM}
    low = others[index - 1][1] if index else others[0][1] - 2 * ROOM
    high = others[index][1] if index < len(others) else low + 2 * ROOM
    if high - low > 1:
        return {product_id: (low + high) // 2}
    ids = [id_ for id_, _ in others]
    return spread([*ids[:index], product_id, *ids[index:]])


async def places(tx: Transaction, collection_id: UUID) -> list[tuple[UUID, int]]:
    """What was put into a locked collection, in order."""
    rows = await tx.fetch(_PLACES, collection_id)
    return [(row["product_id"], row["place"]) for row in rows]


async def put_places(
    tx: Transaction, collection_id: UUID, new: Mapping[UUID, int]
) -> None:
    """Give products of a locked collection these places; the others keep theirs."""
    await tx.execute(_PUT_PLACES, collection_id, list(new), list(new.values()))


async def take_out(tx: Transaction, collection_id: UUID, ids: Sequence[UUID]) -> None:
    """Take products out of a locked collection."""
    await tx.execute(_TAKE_OUT, collection_id, ids)


async def touch_collection(
    tx: Transaction, collection_id: UUID, *, at: datetime
) -> None:
    """Give a locked collection its next version, as its products are others now."""
    await tx.execute(_TOUCH_COLLECTION, collection_id, at)


async def named_products(
    tx: Transaction, named: Sequence[str], pointer: str
) -> list[UUID]:
    """Ids of products by id or handle, in order; they stay until the end.

    ``CollectionInvalid`` points at what is not there or there twice; *pointer* has
    ``{}`` for the number.
    """
    by_id = {name: parse_id(name) for name in named}
    rows = await tx.fetch(
        _NAMED,
        [id_ for id_ in by_id.values() if id_ is not None],
        [name for name, id_ in by_id.items() if id_ is None and is_handle(name)],
    )
    known = {key: row["id"] for row in rows for key in (row["handle"], row["id"])}
    ids: dict[UUID, None] = {}
    faults = []
    for index, name in enumerate(named):
        found = known.get(by_id[name] or name)
        if found is None:
            faults.append(Fault(pointer.format(index), "does not exist"))
        elif found in ids:
            faults.append(Fault(pointer.format(index), "is there twice"))
        else:
            ids[found] = None
    if faults:
        raise CollectionInvalid(faults)
    return list(ids)
