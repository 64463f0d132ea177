"""E-mails in PostgreSQL: the outbox of mail, and the mailbox where there is none."""

from datetime import datetime
from uuid import UUID

from holdfast.domain.notifications.errors import EmailNotFound
from holdfast.domain.notifications.model import Email, Message
from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.notifications")
_ADD = _SQL["add"]
_BY_EVENT = _SQL["by_event"]
_FIND = _SQL["find"]
_LATEST = _SQL["latest"]
_MARK_SENT = _SQL["mark_sent"]


async def add(
    tx: Transaction, message: Message, *, event_id: UUID, at: datetime
) -> Email:
    """Write a message down, once for an event; returns what stands there."""
    row = await tx.fetchrow(
        _ADD, new_id(), event_id, message.recipient, message.subject, message.body, at
    )
    if row is None:
        (row,) = await tx.fetch(_BY_EVENT, event_id)
    return Email(*row)


async def find(connection: Connection, ending: str) -> Email:
    """The e-mail whose id is, or alone ends in, *ending*; ``EmailNotFound``."""
    rows = await connection.fetch(_FIND, ending.strip().lower())
    if len(rows) != 1:
        raise EmailNotFound
    return Email(*rows[0])


async def latest(connection: Connection, *, limit: int) -> list[Email]:
    """The last e-mails, latest first."""
    return [Email(*row) for row in await connection.fetch(_LATEST, limit)]


async def mark_sent(tx: Transaction, email_id: UUID, *, at: datetime) -> None:
    """A mail server took it. Twice does nothing."""
    await tx.execute(_MARK_SENT, email_id, at)
