"""Become somebody with an account.

Only the address is asked for at first. The password and the name are chosen by whoever
follows the link that is sent there, so that nobody can take an address that is not
theirs, or leave a password on it.
"""

from holdfast.domain import accounts, customers, identity, ordering
from holdfast.domain.accounts import Account, Hasher
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail

CUSTOMER = "customer"


async def request_sign_up(
    db: Database, vault: Vault, email: str, *, origin: Origin, clock: Clock
) -> None:
    """Have a link sent to *email*; or, if it has an account, a word that it has.

    Does the same work for every address, and says nothing about it.
    """
    async with db.transaction() as tx:
        await account_mail.ask(tx, vault, "sign_up", email, origin=origin, at=clock())


async def confirm_sign_up(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    token: str,
    password: str,
    *,
    shortest: int,
    given_name: str | None = None,
    family_name: str | None = None,
    origin: Origin,
    clock: Clock,
) -> Account:
    """Open the account for which the link with *token* was sent.

    Its password has at least *shortest* characters. Orders that were placed with the
    address as a guest belong to it from now on. Raises ``LinkNotValid``,
    ``PasswordRefused`` (the link stays good), ``EmailTaken`` or ``SignInBusy``. Of
    two at once, one gets an account.
    """
    request = await accounts.request_of_token(db, vault, token, "sign_up", clock())
    accounts.check_password_rules(password, email=request.email, shortest=shortest)
    # Before the transaction: a hash takes longer than all its statements.
    phc = await hasher.hash(password)

    async with db.transaction() as tx:
        now = clock()
        request = await accounts.use_request(tx, vault, token, "sign_up", now)
        account = await accounts.create(
            tx,
            vault,
            account_id=new_id(),
            email=request.email,
            password=phc,
            verified_at=now,
            at=now,
        )
        actor = f"account:{account.id}"
        await identity.grant_role(tx, account.id, CUSTOMER, by=actor, at=now)
        await customers.add(
            tx,
            vault,
            account.id,
            given_name=given_name,
            family_name=family_name,
            at=now,
        )
        await ordering.attach(
            tx,
            email_index=accounts.email_index(vault, request.email),
            account_id=account.id,
        )
        await identity.record(
            tx,
            vault,
            "account.created",
            actor=actor,
            origin=origin,
            at=now,
            account_id=account.id,
        )
    return account
