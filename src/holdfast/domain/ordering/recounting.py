"""Lines of orders held against shipments and returns, and made to agree with them.

Three books say how many units of a line were shipped and came back: the line itself,
the shipments and returns that there are, and the order's record, which is never
changed. Where the other two agree the line is wrong for certain; where they do not,
nobody here knows which of them is.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.ordering.changes import correct_lines
from holdfast.domain.ordering.errors import LinesNotOpen, OrderNotOpen
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.ordering")
_LINE_DRIFT = _SQL["line_drift"]
_LOCK_ORDER = _SQL["lock_order"]


@dataclass(frozen=True, slots=True)
class LineDrift:
    """A line that says something else than its shipments and returns."""

    order_id: UUID
    number: int
    position: int
    sku: str
    fulfilled: int
    """What the line says, and what of that came back."""
    returned: int
    shipped: int
    """What shipments and returns say."""
    came_back: int
    recorded_shipped: int
    """What the record of the order adds up to."""
    recorded_back: int

    @property
    def certain(self) -> bool:
        """Whether shipments, returns and record agree, and the line is alone."""
        there = (self.shipped, self.came_back)
        return there == (self.recorded_shipped, self.recorded_back)


async def line_drift(
    connection: Connection, order_id: UUID | None = None
) -> list[LineDrift]:
    """Lines of an order, or of all, that do not agree; none is the promise."""
    return [LineDrift(*row) for row in await connection.fetch(_LINE_DRIFT, order_id)]


async def recount_lines(
    tx: Transaction, order_id: UUID, *, actor: str, at: datetime
) -> bool:
    """Let the lines of an order say what was shipped and came back, where certain.

    Where the order stands follows from its lines, and what was changed is recorded.
    False if nothing was: it is not certain, more would be shipped than was ordered, or
    the order has ended.
    """
    await tx.fetchrow(_LOCK_ORDER, order_id)
    # Once more: it sees what was committed while the lock was waited for.
    found = await line_drift(tx, order_id)
    counted = {n.position: (n.shipped, n.came_back) for n in found if n.certain}
    if not counted:
        return False
    try:
        await correct_lines(tx, order_id, counted, actor=actor, at=at)
    except (LinesNotOpen, OrderNotOpen):
        return False
    return True
