"""What operators change of an order before it is sent, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.ordering.model import Line, Order
from holdfast.domain.ordering.person import Person, index_of, seal
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_ADD_LINES = _SQL["add_lines"]
_CHANGE_PERSON = _SQL["change_person"]
_ORDER_OF_RETURN = _SQL["order_of_return"]
_EARNED_BY_RETURN = _SQL["earned_by_return"]


async def add_lines(
    tx: Transaction,
    order_id: UUID,
    lines: Sequence[Line],
    *,
    actor: str,
    at: datetime,
) -> None:
    """Put lines behind those that an order has; the caller holds the order.

    Its totals stay those of the checkout.
    """
    await tx.execute(
        _ADD_LINES,
        *(order_id, [line.variant_id for line in lines]),
        [line.sku for line in lines],
        [line.title for line in lines],
        [line.quantity for line in lines],
        [line.unit_price.amount for line in lines],
        *(actor, at),
    )


async def change_person(
    tx: Transaction,
    vault: Vault,
    order: Order,
    *,
    was: Order,
    actor: str,
    at: datetime,
) -> None:
    """Write who buys and where it goes; the caller holds the order.

    The record says what was changed, not into what.
    """
    changed = [
        name
        for name in ("email", "shipping_address")
        if getattr(order, name) != getattr(was, name)
    ]
    await tx.execute(
        _CHANGE_PERSON,
        order.id,
        seal(
            vault,
            Person(order.email, order.shipping_address),
            place=f"orders:{order.id}",
        ),
        None if order.email is None else index_of(vault, order.email),
        *(actor, {"changed": changed}, at),
    )


async def order_of_return(connection: Connection, return_id: UUID) -> UUID | None:
    """The order that goods came back from; None if there is no such return."""
    order_id: UUID | None = await connection.fetchval(_ORDER_OF_RETURN, return_id)
    return order_id


async def earned_by_return(connection: Connection, return_id: UUID) -> int:
    """What goods that came back can pay for, in minor units.

    Less than other goods were given for them in advance, if not all of them came.
    """
    earned: int | None = await connection.fetchval(_EARNED_BY_RETURN, return_id)
    return earned or 0
