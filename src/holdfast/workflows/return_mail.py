"""What buyers are told about their returns."""

from collections.abc import Mapping
from uuid import UUID

from holdfast.domain import notifications, ordering
from holdfast.domain.notifications import Mailer, ReturnNotice, ReturnNoticeKind
from holdfast.domain.ordering import Return
from holdfast.kernel.clock import Clock
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.returns import APPROVED, RECEIVED, REJECTED

_KINDS: Mapping[str, ReturnNoticeKind] = {
    APPROVED: "return_approved",
    REJECTED: "return_rejected",
    RECEIVED: "return_received",
}


async def tell(
    return_id: UUID,
    what: str,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    clock: Clock,
) -> None:
    """Tell the buyer *what* became of a return, by the name of its event.

    The e-mail is written once for the event; running again sends what was written and
    not yet taken. Nothing is said to somebody who was erased. Raises
    ``ReturnNotFound``, ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        found = await ordering.find_return(tx, vault, return_id)
        order = await ordering.find(tx, vault, found.order_id)
        if order.email is None:
            return
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(_notice(found, _KINDS[what], order.email)),
            event_id=event_id,
            account_id=order.account_id,
            at=clock(),
        )
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())


def _notice(found: Return, kind: ReturnNoticeKind, recipient: str) -> ReturnNotice:
    received = kind == "return_received"
    amounts = found.amounts
    return ReturnNotice(
        kind=kind,
        number=f"HF-{found.order_number}",
        recipient=recipient,
        lines=[
            (line.title, line.sku, count)
            for line in found.lines
            if (count := line.received if received else line.quantity)
        ],
        answer=(found.answer or "").splitlines(),
        credit=Money(amounts.credit, found.currency),
        given_back=Money(amounts.refund, found.currency),
        # Something is left to pay: its buyer has to order it.
        to_be_paid=found.replacement_id is not None
        and found.replacement_order_id is None,
    )
