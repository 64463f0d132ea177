"""What buyers have to do before they have paid, and webhooks that were acted on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.payments.model import Action, ActionRequired
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.payments")
_NOTE_ACTION = _SQL["note_action"]
_ACTION = _SQL["action"]
_RESTING_ACTIONS = _SQL["resting_actions"]
_FORGET_ACTIONS = _SQL["forget_actions"]
_NOTE_EVENT = _SQL["note_event"]
_FORGET_PROVIDER_EVENTS = _SQL["forget_provider_events"]

PROVIDER = "payment"

# Its webhook comes sooner; who has none waits for this.
_LOOK_EVERY = timedelta(seconds=10)
_ACTIONS_KEPT = timedelta(days=1)
# Webhooks are sent again for hours, by some for days, and by hand later still.
_EVENTS_KEPT = timedelta(days=60)


async def note_action(
    tx: Transaction, order_id: UUID, action: ActionRequired, *, at: datetime
) -> None:
    """Note what a buyer has to do, or that it is still to be done."""
    await tx.execute(
        _NOTE_ACTION, order_id, action.reference, action.url, at, at + _LOOK_EVERY
    )


async def find_action(connection: Connection, order_id: UUID) -> Action | None:
    """What the buyer of an order was asked to do, done or not."""
    row = await connection.fetchrow(_ACTION, order_id)
    return None if row is None else Action(*row)


async def resting_actions(
    connection: Connection, order_ids: Sequence[UUID], *, now: datetime
) -> frozenset[UUID]:
    """Of these orders, those whose buyer was looked after just now."""
    rows = await connection.fetch(_RESTING_ACTIONS, list(order_ids), now)
    return frozenset(row["order_id"] for row in rows)


async def forget_actions(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget what was to do for settled orders; returns how many."""
    return len(await tx.fetch(_FORGET_ACTIONS, now - _ACTIONS_KEPT, limit))


async def note_event(
    tx: Transaction, event_id: str, type_: str, *, at: datetime
) -> bool:
    """Take a webhook in the commit of its effect; False if it was taken before."""
    row = await tx.fetchrow(_NOTE_EVENT, PROVIDER, event_id, type_, at)
    return row is not None


async def forget_events(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget webhooks too old to come again; returns how many."""
    return len(await tx.fetch(_FORGET_PROVIDER_EVENTS, now - _EVENTS_KEPT, limit))
