"""What happened to an order, one row each, never changed.

Changes of state are written by the statements that make them. Here is the rest, and
the reading of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.ordering")
_RECORD = _SQL["record"]
_EVENTS = _SQL["events"]


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that happened to an order."""

    id: UUID
    # order, payment or fulfilment for a change of state, or what else it was.
    kind: str
    from_state: str | None
    to_state: str | None
    actor: str
    detail: Mapping[str, Any]
    happened_at: datetime


async def record(
    tx: Transaction,
    order_id: UUID,
    kind: str,
    *,
    actor: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done to an order; ids and amounts only, nothing personal."""
    await tx.execute(_RECORD, order_id, kind, actor, dict(detail or {}), at)


async def events_of(connection: Connection, order_id: UUID) -> list[OrderEvent]:
    """Everything that happened to an order, oldest first."""
    return [OrderEvent(*row) for row in await connection.fetch(_EVENTS, order_id)]
