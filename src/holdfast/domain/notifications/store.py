"""E-mails in PostgreSQL: the outbox of mail, and the mailbox where there is none.

What an e-mail says and to whom is sealed. Rows from before the vault, and those of an
older release that still runs, hold it in clear until the worker has sealed them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.notifications.errors import EmailNotFound
from holdfast.domain.notifications.model import Email, Message
from holdfast.kernel.email import canonical
from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.resealing import Sealed
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.notifications")
_ADD = _SQL["add"]
_BY_EVENT = _SQL["by_event"]
_FIND = _SQL["find"]
_LATEST = _SQL["latest"]
_MARK_SENT = _SQL["mark_sent"]
_OF_RECIPIENT = _SQL["of_recipient"]
_FORGET_PERSON = _SQL["forget_person"]
_FORGET_OLD = _SQL["forget_old"]
_EMAILS_TO_RESEAL = _SQL["emails_to_reseal"]
_RESEAL_EMAILS = _SQL["reseal_emails"]

SEALED = (
    Sealed("emails", take=_EMAILS_TO_RESEAL, put=_RESEAL_EMAILS, index="recipient"),
)


KEPT = timedelta(days=400)
"""How long what an e-mail said is kept: as long as the record of security events, so
that a complaint about either can be looked into with both."""


async def add(
    tx: Transaction,
    vault: Vault,
    message: Message,
    *,
    event_id: UUID,
    account_id: UUID | None = None,
    withheld: bool = False,
    at: datetime,
) -> Email:
    """Write a message down, once for an event; returns what stands there.

    With the *account_id* it is found also when the account has another address. One
    that is *withheld* is erased with the account, and not shown to it while the
    address is not the account's: that it was written says something of the address.

    Of one whose recipient was erased meanwhile an empty e-mail stands, as sent.
    """
    email_id = new_id()
    sealed = vault.seal_json(message, place=_place(email_id))
    index = index_of(vault, message.recipient)
    row = await tx.fetchrow(
        _ADD, email_id, event_id, sealed, index, at, account_id, withheld
    )
    if row is None:
        (row,) = await tx.fetch(_BY_EVENT, event_id)
    return _email(vault, row)


async def find(connection: Connection, vault: Vault, ending: str) -> Email:
    """The e-mail whose id is, or alone ends in, *ending*; ``EmailNotFound``."""
    rows = await connection.fetch(_FIND, ending.strip().lower())
    if len(rows) != 1:
        raise EmailNotFound
    return _email(vault, rows[0])


async def latest(connection: Connection, vault: Vault, *, limit: int) -> list[Email]:
    """The last e-mails, latest first."""
    return [_email(vault, row) for row in await connection.fetch(_LATEST, limit)]


async def of_recipient(
    connection: Connection,
    vault: Vault,
    index: bytes,
    *,
    account_id: UUID | None = None,
) -> list[Email]:
    """Every e-mail to the address of an index or about an account, oldest first.

    Not those to other addresses that are withheld from the account.
    """
    rows = await connection.fetch(_OF_RECIPIENT, index, account_id)
    return [_email(vault, row) for row in rows]


async def mark_sent(tx: Transaction, email_id: UUID, *, at: datetime) -> None:
    """A mail server took it. Twice does nothing."""
    await tx.execute(_MARK_SENT, email_id, at)


async def forget_person(
    tx: Transaction, account_id: UUID, indexes: Iterable[bytes], *, at: datetime
) -> int:
    """Forget every e-mail about an account or to the addresses of *indexes*.

    None of them is sent any more. Returns how many they were.
    """
    return len(await tx.fetch(_FORGET_PERSON, account_id, list(indexes), at))


async def forget_old(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget what e-mails said that are old, and to whom; returns how many.

    The rows stay, empty and as sent: an event that comes again writes no second one.
    """
    return len(await tx.fetch(_FORGET_OLD, now - KEPT, now, limit))


def index_of(vault: Vault, recipient: str) -> bytes:
    """What e-mails to an address are found by."""
    return vault.index(canonical(recipient), purpose="email")


def _place(email_id: UUID) -> str:
    return f"emails:{email_id}"


def _email(vault: Vault, row: Row) -> Email:
    message = Message("", "", "")
    if row["recipient"] is not None:
        message = Message(row["recipient"], row["subject"], row["body"])
    elif row["sealed"] is not None:
        message = vault.open_json(row["sealed"], Message, place=_place(row["id"]))
    return Email(
        row["id"],
        row["event_id"],
        message.recipient,
        message.subject,
        message.body,
        row["created_at"],
        row["sent_at"],
    )
