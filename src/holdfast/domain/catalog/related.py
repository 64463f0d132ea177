"""What else somebody may want who looks at a product, in the order of the shop."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.documents import Document, document
from holdfast.domain.catalog.errors import Fault, ProductInvalid
from holdfast.domain.catalog.model import is_handle, parse_id
from holdfast.domain.catalog.speaking import speaking
from holdfast.kernel.negotiation import Preference
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_RELATED = _SQL["related"]
_SPOKEN_RELATED = speaking(_RELATED, "p.id", "$3::text[]")
_RELATED_IDS = _SQL["related_ids"]
_NAMED = _SQL["named"]
_CLEAR_RELATED = _SQL["clear_related"]
_PUT_RELATED = _SQL["put_related"]

MAX_RELATED = 50


async def related(
    connection: Connection,
    product_id: UUID,
    *,
    at: datetime | None = None,
    wanted: Preference | None = None,
) -> list[Document]:
    """The products related to one, of any status, in their order: one statement."""
    if wanted is None or not wanted.tags:
        rows = await connection.fetch(_RELATED, product_id, at)
    else:
        rows = await connection.fetch(_SPOKEN_RELATED, product_id, at, wanted.tags)
    return [document(row, wanted) for row in rows]


async def related_ids(tx: Transaction, product_id: UUID) -> list[UUID]:
    """Which those are."""
    return [row["related_id"] for row in await tx.fetch(_RELATED_IDS, product_id)]


async def put_related(
    tx: Transaction, product_id: UUID, named: Sequence[str]
) -> list[UUID]:
    """Relate a locked product to these, by id or handle, and to no others.

    Returns their ids. ``ProductInvalid`` names what is not there, is there twice or is
    the product itself.
    """
    if len(named) > MAX_RELATED:
        raise ProductInvalid([Fault("/products", f"must be at most {MAX_RELATED}")])
    known = [name for name in named if parse_id(name) or is_handle(name)]
    rows = await tx.fetch(
        _NAMED,
        [found for name in known if (found := parse_id(name)) is not None],
        [name for name in known if parse_id(name) is None],
    )
    by_name = {name: row["id"] for row in rows for name in (row["handle"], row["id"])}
    ids: list[UUID] = []
    faults = []
    for index, name in enumerate(named):
        found = by_name.get(parse_id(name) or name)
        if found is None:
            faults.append(Fault(f"/products/{index}", "does not exist"))
        elif found == product_id:
            faults.append(Fault(f"/products/{index}", "is the product itself"))
        elif found in ids:
            faults.append(Fault(f"/products/{index}", "is there twice"))
        else:
            ids.append(found)
    if faults:
        raise ProductInvalid(faults)
    await tx.execute(_CLEAR_RELATED, product_id)
    await tx.execute(_PUT_RELATED, product_id, ids)
    return ids
