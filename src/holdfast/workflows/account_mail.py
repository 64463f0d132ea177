"""E-mails about accounts: asked for in one transaction, written later by the worker.

Asking is one INSERT and one event, whether or not anybody knows the address; whether
it has an account is looked up here, where nobody waits for the answer. No e-mail holds
a word that was chosen by whoever asked.
"""

from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain import accounts, notifications
from holdfast.domain.accounts import Account, Purpose, Request
from holdfast.domain.identity import Origin
from holdfast.domain.notifications import Letter, LetterKind, Mailer
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

MAIL_REQUESTED = "accounts.mail.requested"
# Where an e-mail leads; a path that ends in "=" wants a token.
_PATHS: dict[LetterKind, str] = {
    "sign_up": "/sign-up/confirm?token=",
    # Without a token: one that opens the account is for who asks for that.
    "account_exists": "/password/forgot",
    "password_reset": "/password/reset?token=",
    "first_password": "/password/reset?token=",
    "email_change": "/email/confirm?token=",
    "address_in_use": "/sign-in",
    "email_changed": "/sign-in",
    "email_corrected": "/email/confirm?token=",
    "password_changed": "/password/forgot",
    "second_factor_enabled": "/password/forgot",
    "second_factor_disabled": "/password/forgot",
}
_TO_THE_OWNER: frozenset[LetterKind] = frozenset(
    {"account_exists", "password_reset", "first_password", "address_in_use"}
)
_HOUR = timedelta(hours=1)


async def ask(
    tx: Transaction,
    vault: Vault,
    purpose: Purpose,
    email: str,
    *,
    account_id: UUID | None = None,
    lifetime: timedelta | None = None,
    origin: Origin,
    at: datetime,
) -> None:
    """Have an e-mail written: two statements, whoever's address it is."""
    request_id = await accounts.add_request(
        tx, vault, purpose, email, account_id=account_id, lifetime=lifetime, at=at
    )
    # Where it was asked for: a complaint about an e-mail leads to a line of the log.
    event = outbox.event(
        MAIL_REQUESTED, request_id=str(request_id), asked_in=origin.request_id
    )
    await outbox.publish(tx, [event], at=at)


async def send(
    request_id: UUID,
    *,
    event_id: UUID,
    db: Database,
    vault: Vault,
    mailer: Mailer | None,
    public_url: str,
    clock: Clock,
) -> None:
    """Write the e-mail of a request, if there is one to write, and send it.

    It is written once; running again sends what was written and not yet taken. Raises
    ``MailRefused`` or ``MailServerUnavailable``.
    """
    async with db.transaction() as tx:
        request = await accounts.take_request(tx, vault, request_id)
        if request is None:
            return
        token = tokens.new_token(tokens.EMAIL)
        letter, account_id = await _letter(tx, vault, request, token, public_url)
        if letter is None or not await _is_due(tx, vault, request, at=clock()):
            return
        email = await notifications.add(
            tx,
            vault,
            notifications.compose(letter),
            event_id=event_id,
            # Of the two to the address that an account is to have, one goes to whoever
            # has it, and is theirs. The other is erased with the account, but is not
            # shown to it before it has the address: that it is there tells that the
            # address was free.
            account_id=None if letter.kind == "address_in_use" else account_id,
            withheld=letter.kind == "email_change",
            at=clock(),
        )
        if request.mailed_at is None:
            armed = token if token in letter.link else None
            await accounts.arm_request(
                tx, request.id, token=armed, account_id=account_id, at=clock()
            )
    if mailer is None or email.sent_at is not None:
        return

    # No transaction is open here: a mail server may take seconds.
    await mailer.send(email)

    async with db.transaction() as tx:
        await notifications.mark_sent(tx, email.id, at=clock())


async def forget(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete up to *limit* requests that expired a week ago; returns how many."""
    return await accounts.forget_requests(tx, now=now, limit=limit)


async def _is_due(
    tx: Transaction, vault: Vault, request: Request, *, at: datetime
) -> bool:
    if request.mailed_at is not None:
        return True
    if request.expires_at <= at:
        return False
    return not await accounts.too_many_mails(tx, vault, request, at)


async def _letter(
    tx: Transaction, vault: Vault, request: Request, token: str, url: str
) -> tuple[Letter | None, UUID | None]:
    """What to write, and whose account it is about; the same steps for every answer."""
    owner = await accounts.find_by_email(tx, vault, request.email)
    account = owner
    if request.account_id is not None:
        account = await accounts.find(tx, vault, request.account_id)
    kind = _kind(request, account, owner)
    if kind is None:
        return None, None
    path = _PATHS[kind]
    if path.endswith("="):
        path += token
    hours = -(-(request.expires_at - request.created_at) // _HOUR)
    recipient = request.email
    if owner is not None and owner.email is not None and kind in _TO_THE_OWNER:
        # As the owner spells it: addresses that count as one may be two mailboxes
        # (a server may tell case apart), and a stranger must not choose which.
        recipient = owner.email
    letter = Letter(kind, recipient, url, url + path, hours)
    return letter, None if account is None else account.id


def _kind(
    request: Request, account: Account | None, owner: Account | None
) -> LetterKind | None:
    """What its reader is to be told; nothing at nobody's address, or if it is closed.

    *account* is the one that it is about, *owner* the one that has the address.
    """
    match request.purpose:
        case "sign_up":
            return "sign_up" if account is None else "account_exists"
        case "password_reset" if account and account.is_active and account == owner:
            return "password_reset" if account.has_password else "first_password"
        case "email_change" if account and account.is_active:
            if account == owner and account.email_verified_at is None:
                return "email_corrected"
            free = owner is None or owner == account
            return "email_change" if free else "address_in_use"
        case (
            "email_changed"
            | "password_changed"
            | "second_factor_enabled"
            | "second_factor_disabled"
        ):
            return request.purpose
        case _:
            return None
