"""An e-mail that leads the buyer of a draft order to where they pay it.

The token in it is made when the e-mail is written, in the same transaction: no event,
job or log line ever holds one. Whatever token opened the draft order before opens it no
more.
"""

from dataclasses import dataclass
from uuid import UUID

from holdfast.domain import notifications, ordering
from holdfast.domain.notifications import Invitation, Mailer
from holdfast.domain.ordering import CartStatus
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Conflict
from holdfast.platform import outbox
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.drafts import open_draft

INVITED = "ordering.draft.invited"


@dataclass(eq=False)
class PayPageMissing(Conflict):
    """The shop has not said on which page buyers pay draft orders."""


async def ask(
    draft_id: UUID, *, db: Database, vault: Vault, pay_page: str | None, clock: Clock
) -> None:
    """Have the e-mail written.

    Raises ``PayPageMissing``, ``CartIncomplete`` if there is no address to write to,
    and what ``open_draft`` raises.
    """
    if pay_page is None:
        raise PayPageMissing
    async with db.transaction() as tx:
        found = await open_draft(tx, vault, draft_id)
        if found.cart.email is None:
            raise ordering.CartIncomplete(["email"])
        event = outbox.event(INVITED, draft_id=str(draft_id))
        await outbox.publish(tx, [event], at=clock())


async def send(
    draft_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    pay_page: str | None,
    clock: Clock,
) -> None:
    """Write the e-mail, once for the event, and send it.

    Nothing is written of a draft order that is not open any more. Raises
    ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        found = await ordering.find_draft(tx, vault, draft_id)
        cart = found.cart
        if pay_page is None or cart.email is None or cart.status is not CartStatus.OPEN:
            return
        token = tokens.new_token(tokens.CART)
        invitation = Invitation(cart.email, cart.total, f"{pay_page}#{cart.id}:{token}")
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(invitation),
            event_id=event_id,
            account_id=cart.account_id,
            at=clock(),
        )
        if token in email.body:
            # Not a second run, which finds what the first has written.
            await ordering.replace_token(tx, draft_id, tokens.fingerprint(token))
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())
