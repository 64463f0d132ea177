"""Choose another password: with the old one, or by way of the e-mail address."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain import accounts, identity, ordering
from holdfast.domain.accounts import (
    Account,
    Hasher,
    LinkNotValid,
    SignInBusy,
    WrongPassword,
)
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction
from holdfast.platform.joint import apart
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail, attempts


async def request_reset(
    db: Database,
    vault: Vault,
    email: str,
    *,
    origin: Origin,
    clock: Clock,
) -> None:
    """Have a link sent to *email*, if it has an account; and nothing if not.

    Does the same work for every address, and says nothing about it.
    """
    async with db.transaction() as tx:
        await account_mail.ask(
            tx, vault, "password_reset", email, origin=origin, at=clock()
        )


async def reset(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    token: str,
    password: str,
    *,
    shortest: int,
    origin: Origin,
    clock: Clock,
) -> Account:
    """Give an account the password chosen by whoever followed the link to its address.

    It has at least *shortest* characters. Every session ends; the second factor stays,
    and is asked for at the next sign-in. Raises ``LinkNotValid``, ``PasswordRefused``
    (the link stays good) or ``SignInBusy``.
    """
    purpose: accounts.Purpose = "password_reset"
    request = await accounts.request_of_token(db, vault, token, purpose, clock())
    accounts.check_password_rules(password, email=request.email, shortest=shortest)
    phc = await hasher.hash(password)

    async with db.transaction() as tx:
        now = clock()
        request = await accounts.use_request(tx, vault, token, purpose, now)
        account = await accounts.find_by_email(tx, vault, request.email)
        # The address may have gone over to somebody else's account meanwhile, or the
        # account been closed.
        if account is None or account.id != request.account_id or not account.is_active:
            raise LinkNotValid
        await accounts.set_password(tx, vault, account.id, phc, now)
        # Whoever knew the old password may have asked for these.
        await accounts.void_requests(tx, account.id, "email_change", now)
        if await accounts.verify_email(tx, account.id, now):
            # Opened for them by an operator: it was not known yet that it is theirs.
            index = accounts.email_index(vault, request.email)
            await ordering.attach(tx, email_index=index, account_id=account.id)
        await accounts.end_sessions(tx, account.id, reason="password_reset", at=now)
        # Whoever reads their mail here can sign in here, whatever others guess.
        await attempts.make_familiar(
            tx, vault, account.id, email=request.email, origin=origin, at=now
        )
        await account_mail.ask(
            tx,
            vault,
            "password_changed",
            account.email or request.email,
            account_id=account.id,
            origin=origin,
            at=now,
        )
        await identity.record(
            tx,
            vault,
            "password.reset",
            actor=f"account:{account.id}",
            origin=origin,
            at=now,
            account_id=account.id,
        )
        return await accounts.find(tx, vault, account.id)


async def change(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    account_id: UUID,
    *,
    old: str,
    new: str,
    shortest: int,
    session_id: UUID,
    origin: Origin,
    clock: Clock,
) -> None:
    """Change the password of somebody who is signed in; their other sessions end.

    The new one has at least *shortest* characters; the old one may have fewer. Raises
    ``WrongPassword``, ``TooManyAttempts``, ``PasswordRefused`` or ``SignInBusy``.
    """
    said = await prove(
        *(db, vault, hasher, account_id, old),
        session_id=session_id,
        origin=origin,
        clock=clock,
    )
    email = said.account.email or ""
    accounts.check_password_rules(new, email=email, shortest=shortest)
    phc = await hasher.hash(new)

    async with db.transaction() as tx:
        now = clock()
        await said.hold(tx)
        await accounts.set_password(tx, vault, account_id, phc, now)
        await accounts.void_requests(tx, account_id, "password_reset", now)
        await accounts.void_requests(tx, account_id, "email_change", now)
        await accounts.end_sessions(
            tx, account_id, reason="password_changed", at=now, keep=session_id
        )
        await account_mail.ask(
            tx,
            vault,
            "password_changed",
            email,
            account_id=account_id,
            origin=origin,
            at=now,
        )
        await identity.record(
            tx,
            vault,
            "password.changed",
            actor=f"account:{account_id}",
            origin=origin,
            at=now,
            account_id=account_id,
            session_id=session_id,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody who is signed in said their password."""

    account: Account
    password_changed_at: datetime | None

    async def hold(self, tx: Transaction) -> None:
        """Keep the account as it is until the commit, to write what was asked for.

        Raises ``WrongPassword`` if it was closed, or got another password, since: what
        the owner does about a thief is not undone by what the thief began before.
        """
        if not await accounts.hold(
            tx, self.account.id, password_changed_at=self.password_changed_at
        ):
            raise WrongPassword


async def prove(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    account_id: UUID,
    password: str,
    *,
    session_id: UUID,
    origin: Origin,
    clock: Clock,
) -> Said:
    """Have somebody who is signed in say their password once more.

    Whoever got hold of a session can guess no faster than elsewhere, and leaves traces
    as there, whatever becomes of what they asked for. Raises ``WrongPassword``,
    ``TooManyAttempts`` or ``SignInBusy``.
    """
    with apart():
        return await _prove(
            *(db, vault, hasher, account_id, password),
            session_id=session_id,
            origin=origin,
            clock=clock,
        )


async def _prove(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    account_id: UUID,
    password: str,
    *,
    session_id: UUID,
    origin: Origin,
    clock: Clock,
) -> Said:
    account = await accounts.find(db, vault, account_id)
    password_now = await accounts.find_password(db, vault, account_id)
    subject = accounts.password_subject(vault, account_id, session_id)
    claim = await attempts.claim(db, [subject], at=clock())
    try:
        right = await hasher.verify(password_now.phc, password)
    except SignInBusy:
        # Nobody looked at it: it was no guess.
        async with db.statement() as tx:
            await accounts.give_back_attempt(tx, claim)
        raise
    if not right or not account.is_active:
        now = clock()
        async with db.transaction() as tx:
            await identity.record(
                tx,
                vault,
                "password.failed",
                actor=f"account:{account_id}",
                origin=origin,
                at=now,
                account_id=account_id,
                session_id=session_id,
            )
            await attempts.record_block(
                tx, vault, account_id, claim, origin=origin, at=now
            )
        raise WrongPassword
    async with db.statement() as tx:
        await accounts.give_back_attempt(tx, claim)
    return Said(account, password_now.changed_at)
