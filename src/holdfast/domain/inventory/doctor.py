"""The books of the stock against each other, and how they are made to agree again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain.inventory.ledger import move
from holdfast.domain.inventory.model import Move, Wanted
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.inventory")
_DRIFT = _SQL["drift"]
_MISSING_GUARDS = _SQL["missing_guards"]
_MISLED_LEVELS = _SQL["misled_levels"]
_ORDER_DRIFT = _SQL["order_drift"]
_DUE_OF_ORDER = _SQL["due_of_order"]
_RECOUNT = _SQL["recount"]
_SET_TO_LEDGER = _SQL["set_to_ledger"]
_SET_TO_HELD = _SQL["set_to_held"]
_SET_TO_LOCATION = _SQL["set_to_location"]
_COUNT_RESERVED = _SQL["count_reserved"]

CONSTRAINTS = (
    "stock_pkey",
    "stock_never_negative",
    "stock_never_oversold",
    "stock_safety_not_negative",
    "stock_backorder_not_negative",
    "reservations_pkey",
    "reservations_quantity_positive",
    "stock_movements_move",
    "stock_movements_kind_known",
    "transfer_lines_received_once",
)
TRIGGERS = (
    "stock_follows_ledger",
    "stock_begins_empty",
    "stock_knows_its_location",
    "stock_movements_change_levels",
    "stock_movements_are_kept",
    "stock_movements_are_not_emptied",
    "stock_runs_low",
)
_REASON = "drift found by holdfast doctor"


@dataclass(frozen=True, slots=True)
class OrderDrift:
    """What an order holds of a variant, and what it should hold."""

    order_id: UUID
    variant_id: UUID
    sku: str | None
    number: int | None
    """None if there is no such order."""
    due: int
    held: int


async def drift(connection: Connection) -> list[Row]:
    """Levels that disagree with their ledger or reservations; none is the promise."""
    return await connection.fetch(_DRIFT)


async def order_drift(connection: Connection) -> list[OrderDrift]:
    """Orders that hold too much or too little."""
    return [OrderDrift(*row) for row in await connection.fetch(_ORDER_DRIFT)]


async def missing_guards(connection: Connection) -> list[str]:
    """The database's own rules that are not in force."""
    rows = await connection.fetch(_MISSING_GUARDS, CONSTRAINTS, TRIGGERS)
    return [row["name"] for row in rows]


async def misled_levels(connection: Connection) -> list[Row]:
    """Levels that do not know whether their location is in use."""
    return await connection.fetch(_MISLED_LEVELS)


async def due_of_order(tx: Transaction, order_id: UUID) -> list[Wanted]:
    """What an order should hold: nothing once it is ended. Locks the order."""
    await tx.fetch(_DUE_OF_ORDER, order_id)
    # Once more: it sees what was committed while the lock was waited for.
    rows = await tx.fetch(_DUE_OF_ORDER, order_id)
    return [Wanted(*row) for row in rows if row["quantity"]]


async def repair_level(
    tx: Transaction, variant_id: UUID, location_id: UUID, *, actor: str, at: datetime
) -> bool:
    """Make a level, its ledger and its reservations agree; False if they cannot.

    What is on hand stands, as that is what was sold from: the ledger gets a line for
    the difference. On the way the level is never lower than it was, so that what is
    promised stays covered. More promised than there is, nobody can repair here.
    """
    row = await tx.fetchrow(_RECOUNT, variant_id, location_id)
    if row is None or row["on_hand"] + row["backorder_limit"] < row["held"]:
        return False
    delta = row["on_hand"] - row["ledger"]
    line = [Move(variant_id, location_id, delta, "adjustment", _REASON)]
    if delta > 0:
        await move(tx, line, actor=actor, at=at)
    if delta:
        await tx.execute(_SET_TO_LEDGER, variant_id, location_id, at)
    if delta < 0:
        await move(tx, line, actor=actor, at=at)
    if row["reserved"] != row["held"]:
        await tx.execute(_SET_TO_HELD, variant_id, location_id, row["held"], at)
    return True


async def tell_levels(
    tx: Transaction, places: Sequence[tuple[UUID, UUID]], *, at: datetime
) -> None:
    """Let levels know whether their locations are in use."""
    variants, locations = [n[0] for n in places], [n[1] for n in places]
    await tx.execute(_SET_TO_LOCATION, variants, locations, at)


async def count_reserved(connection: Connection, *, at: datetime) -> Row:
    """How many reservations there are: ``orders``, ``holds``, ``overdue``."""
    return await connection.fetchrow(_COUNT_RESERVED, at)
