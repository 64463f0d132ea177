"""Change the e-mail address of an account, once the new one is proved to be theirs.

An address that an operator has corrected (``users``) is the account's already, and is
proved here to be its owner's.
"""

from uuid import UUID

from holdfast.domain import accounts, identity, ordering
from holdfast.domain.accounts import Account, Hasher, LinkNotValid
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail, passwords


async def request(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    account_id: UUID,
    *,
    email: str,
    password: str,
    session_id: UUID,
    origin: Origin,
    clock: Clock,
) -> None:
    """Have a link sent to the new address; the old one is used until it is followed.

    Does the same work whether or not another account has the address, and says nothing
    about it. Raises ``WrongPassword``, ``TooManyAttempts`` or ``SignInBusy``.
    """
    said = await passwords.prove(
        *(db, vault, hasher, account_id, password),
        session_id=session_id,
        origin=origin,
        clock=clock,
    )
    async with db.transaction() as tx:
        await said.hold(tx)
        await account_mail.ask(
            tx,
            vault,
            "email_change",
            email,
            account_id=account_id,
            origin=origin,
            at=clock(),
        )


async def confirm(
    db: Database, vault: Vault, token: str, *, origin: Origin, clock: Clock
) -> Account:
    """Use the new address from now on, and tell the old one, unless that was done.

    Links that were sent to the old address open nothing any more. Raises
    ``LinkNotValid``, or ``EmailTaken`` if another account got the address meanwhile.
    """
    async with db.transaction() as tx:
        now = clock()
        asked = await accounts.use_request(tx, vault, token, "email_change", now)
        if asked.account_id is None:
            raise LinkNotValid
        before = await accounts.find(tx, vault, asked.account_id)
        if not before.is_active or before.email is None:
            raise LinkNotValid
        corrected = (before.email, before.email_verified_at) == (asked.email, None)
        told = await accounts.set_email(tx, vault, before.id, asked.email, now)
        await accounts.void_requests(tx, before.id, "password_reset", now)
        index = accounts.email_index(vault, asked.email)
        await ordering.attach(tx, email_index=index, account_id=before.id)
        if not corrected:
            await account_mail.ask(
                tx,
                vault,
                "email_changed",
                told,
                account_id=before.id,
                origin=origin,
                at=now,
            )
        await identity.record(
            tx,
            vault,
            "email.verified" if corrected else "email.changed",
            actor=f"account:{before.id}",
            origin=origin,
            at=now,
            account_id=before.id,
        )
        return await accounts.find(tx, vault, before.id)
