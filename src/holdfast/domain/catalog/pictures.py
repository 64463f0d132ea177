"""Products with a picture of the shop's own: how large it is, they learn from it."""

from uuid import UUID

from holdfast.platform import sql
from holdfast.platform.db import Transaction

_SQL = sql.load("holdfast.domain.catalog")
_LOCK_SHOWING = _SQL["lock_showing"]


async def lock_showing(tx: Transaction, asset_id: UUID) -> list[UUID]:
    """Lock the products that show a picture without saying how large it is.

    Their documents say that, once it is known: ``project`` must follow.
    """
    return [row["id"] for row in await tx.fetch(_LOCK_SHOWING, asset_id)]
