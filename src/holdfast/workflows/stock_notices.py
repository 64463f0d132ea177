"""Who is told of stock: operators when it runs low, people when it is back.

Events and e-mails hold ids and numbers; to whom an e-mail goes is looked up when it is
written.
"""

from collections.abc import Sequence
from uuid import UUID

from holdfast.domain import accounts, inventory, notifications
from holdfast.domain.inventory import LowStock, StillAvailable, StockRequest
from holdfast.domain.notifications import BackInStock, LowStockNotice, Mailer
from holdfast.kernel.clock import Clock
from holdfast.kernel.email import canonical
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

LOW = "inventory.stock.low"
LOW_MAIL_REQUESTED = "inventory.low_stock_mail.requested"
BACK = "inventory.stock_request.due"
AT_ONCE = 100


async def publish_low(
    db: Database, *, mail: bool, clock: Clock, limit: int = AT_ONCE
) -> int:
    """Publish an event for each level that ran low since; returns how many.

    With *mail*, operators get one e-mail for all of them.
    """
    now = clock()
    async with db.transaction() as tx:
        alerts = await inventory.take_alerts(tx, at=now, limit=limit)
        events = [_event(alert) for alert in alerts]
        if events and mail:
            ids = [str(alert.id) for alert in alerts]
            events.append(outbox.event(LOW_MAIL_REQUESTED, alert_ids=ids))
        if events:
            await outbox.publish(tx, events, at=now)
    return len(alerts)


def _event(alert: LowStock) -> outbox.Event:
    return outbox.event(
        LOW,
        alert_id=str(alert.id),
        sku=alert.sku,
        location=alert.location,
        remaining=alert.remaining,
        threshold=alert.threshold,
    )


async def mail_low(
    alert_ids: Sequence[UUID],
    recipient: str | None,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the operators what ran low; nothing when there is nobody to tell.

    Written once for the event. Raises ``MailRefused`` or ``MailServerUnavailable``.
    """
    if recipient is None:
        return
    async with db.transaction() as tx:
        alerts = await inventory.alerts(tx, alert_ids)
        if not alerts:
            return
        notice = LowStockNotice(
            recipient,
            [
                notifications.LowLine(n.sku, n.location, n.remaining, n.threshold)
                for n in alerts
            ],
        )
        email = await notifications.add(
            tx, vault, notifications.compose(notice), event_id=event_id, at=clock()
        )
    await _send(email, db=db, mailer=mailer, clock=clock)


async def ask_for(
    db: Database,
    vault: Vault,
    sku: str,
    *,
    email: str | None,
    account_id: UUID | None,
    clock: Clock,
) -> None:
    """Note that somebody wants to hear when a SKU can be bought again.

    Somebody who is signed in needs no *email*; what they ask for at another address
    than theirs is erased with their account, and not shown to them. The answer is the
    same whether it was noted before. Raises ``UnknownStock``, ``StillAvailable``, or
    ``StockRequestNeedsEmail``.
    """
    async with db.transaction() as tx:
        levels = await inventory.levels_of(tx, sku)
        if any(level.available > 0 for level in levels):
            raise StillAvailable(sku)
        own = None
        if account_id is not None:
            own = (await accounts.find(tx, vault, account_id)).email
        email = email or own
        if email is None:
            raise inventory.StockRequestNeedsEmail
        await inventory.add_request(
            *(tx, vault, new_id(), levels[0].variant_id, email),
            account_id=account_id,
            withheld=own is not None and canonical(email) != canonical(own),
            at=clock(),
        )


async def remove(
    db: Database, request_id: UUID, *, account_id: UUID | None = None
) -> None:
    """Forget a request, of this account if one is given; ``StockRequestNotFound``."""
    async with db.transaction() as tx:
        await inventory.remove_request(tx, request_id, account_id=account_id)


async def publish_back(db: Database, *, clock: Clock, limit: int = AT_ONCE) -> int:
    """Have people told of what can be bought again; returns how many."""
    now = clock()
    async with db.transaction() as tx:
        due = await inventory.due_requests(tx, at=now, limit=limit)
        events = [outbox.event(BACK, request_id=str(request_id)) for request_id in due]
        if events:
            await outbox.publish(tx, events, at=now)
    return len(due)


async def mail_back(
    request_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    public_url: str,
    clock: Clock,
) -> None:
    """Tell somebody that it can be bought again, unless they took it back.

    Written once for the event. Raises ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        try:
            request = await inventory.find_request(tx, vault, request_id)
        except inventory.StockRequestNotFound:
            return
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(_told(request, public_url)),
            event_id=event_id,
            account_id=request.account_id,
            withheld=request.withheld,
            at=clock(),
        )
    await _send(email, db=db, mailer=mailer, clock=clock)


def _told(request: StockRequest, public_url: str) -> BackInStock:
    link = f"{public_url}/v1/products/{request.handle}"
    return BackInStock(request.email, request.title, request.sku, link)


async def _send(
    email: notifications.Email, *, db: Database, mailer: Mailer | None, clock: Clock
) -> None:
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())
