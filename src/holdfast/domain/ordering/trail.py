"""What an account left in carts and orders: for showing it all, and for erasing it."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.domain.ordering.states import OrderStatus
from holdfast.platform import sql
from holdfast.platform.db import Connection

_SQL = sql.load("holdfast.domain.ordering")
_TRAIL = _SQL["trail"]
_CARTS_OF = _SQL["carts_of"]


@dataclass(frozen=True, slots=True)
class Trace:
    """An order, and by what e-mails about it are found."""

    order_id: UUID
    status: OrderStatus
    # None where the address is another account's.
    email_index: bytes | None


async def trail(connection: Connection, account_id: UUID) -> list[Trace]:
    """Every order of an account, in any order."""
    rows = await connection.fetch(_TRAIL, account_id)
    return [
        Trace(row["id"], OrderStatus(row["status"]), row["email_index"]) for row in rows
    ]


async def carts_of(
    connection: Connection, account_id: UUID, *, email_index: bytes | None
) -> list[UUID]:
    """The ids of all of an account's carts, whatever became of them, oldest first.

    With the index of its e-mail address also those that a guest filled with it, or an
    operator for it.
    """
    rows = await connection.fetch(_CARTS_OF, account_id, email_index)
    return [row["id"] for row in rows]
