"""Transfers in PostgreSQL: units on their way between two locations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from holdfast.domain.inventory.errors import TransferNotFound
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_ADD_TRANSFER = _SQL["add_transfer"]
_LOCK_TRANSFER = _SQL["lock_transfer"]
_TRANSFERS = _SQL["transfers"]
_STEP_TRANSFER = _SQL["step_transfer"]

TransferStatus: TypeAlias = Literal[
    "pending", "in_transit", "partly_received", "received", "canceled"
]


@dataclass(frozen=True, slots=True)
class TransferLine:
    """So many of a variant, and how many of them have arrived."""

    variant_id: UUID
    sku: str
    quantity: int
    received: int

    @property
    def missing(self) -> int:
        return self.quantity - self.received


@dataclass(frozen=True, slots=True)
class Transfer:
    """Units that go from one location to another."""

    id: UUID
    source: str
    """The code of the location they leave."""
    destination: str
    from_location_id: UUID
    to_location_id: UUID
    status: TransferStatus
    reference: str
    actor: str
    created_at: datetime
    dispatched_at: datetime | None
    closed_at: datetime | None
    lines: list[TransferLine]


async def add_transfer(
    tx: Transaction,
    transfer_id: UUID,
    *,
    source: UUID,
    destination: UUID,
    quantities: Mapping[UUID, int],
    reference: str,
    actor: str,
    at: datetime,
) -> None:
    """Write a transfer down; nothing moves yet."""
    await tx.execute(
        _ADD_TRANSFER,
        *(transfer_id, source, destination, reference, actor, at),
        list(quantities),
        list(quantities.values()),
    )


async def find_transfer(connection: Connection, transfer_id: UUID) -> Transfer:
    """A transfer with its lines; ``TransferNotFound``."""
    rows = await connection.fetch(_TRANSFERS, transfer_id, None, None, None, 1)
    if not rows:
        raise TransferNotFound(transfer_id)
    return _transfer(rows[0])


async def lock_transfer(tx: Transaction, transfer_id: UUID) -> Transfer:
    """The same, locked for its next step."""
    await tx.fetchval(_LOCK_TRANSFER, transfer_id)
    return await find_transfer(tx, transfer_id)


async def transfers(
    connection: Connection,
    *,
    status: TransferStatus | None = None,
    location_id: UUID | None = None,
    after: str | None,
    limit: int,
) -> Page[Transfer]:
    """Transfers, newest first."""
    before = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(
        _TRANSFERS, None, status, location_id, before, limit + 1
    )
    items = [_transfer(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(items[-1].id)) if more else None)


async def step_transfer(
    tx: Transaction,
    transfer: Transfer,
    status: TransferStatus,
    *,
    received: Mapping[UUID, int] | None = None,
    dispatched_at: datetime | None = None,
    closed_at: datetime | None = None,
) -> None:
    """Move a transfer on; the caller has locked it."""
    arrived = received or {}
    await tx.execute(
        _STEP_TRANSFER,
        *(transfer.id, status, dispatched_at, closed_at),
        list(arrived),
        list(arrived.values()),
    )


def _transfer(row: Row) -> Transfer:
    values: dict[str, Any] = dict(row)
    return Transfer(**{**values, "lines": _lines(values["lines"])})


def _lines(rows: Sequence[Sequence[object]]) -> list[TransferLine]:
    return [
        TransferLine(UUID(str(variant)), str(sku), int(str(number)), int(str(received)))
        for variant, sku, number, received in rows
    ]
