"""What operators do about accounts: make them, close them, open them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from holdfast.domain import accounts, customers, identity, ordering
from holdfast.domain.accounts import Account, Purpose
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail
from holdfast.workflows.roles import Giver
from holdfast.workflows.sign_up import CUSTOMER

GIVES_ROLES = "roles:write"


@dataclass(frozen=True, slots=True)
class Users:
    """Everything that operators can do about accounts, besides erasing them."""

    db: Database
    vault: Vault
    clock: Clock

    async def create(
        self,
        email: str,
        roles: Sequence[str],
        by: Giver,
        *,
        password: str | None = None,
    ) -> Account:
        """Make an account with *roles* besides that of a customer.

        A link to choose a password is sent to the address; with a *password*, which is
        a hash, nothing is sent, the address counts as verified, and what was ordered
        with it as a guest belongs to the account. Raises
        ``EmailTaken``, ``RoleNotFound``, and ``ScopeNotHeld`` unless the giver holds
        all that the roles allow.
        """
        now, account_id = self.clock(), new_id()
        if roles:
            by.demand({GIVES_ROLES})
        async with self.db.transaction() as tx:
            account = await accounts.create(
                tx,
                self.vault,
                account_id=account_id,
                email=email,
                password=password,
                verified_at=None if password is None else now,
                at=now,
            )
            await customers.add(tx, self.vault, account_id, at=now)
            await self._record(tx, "account.created", account_id, by, now)
            for name in dict.fromkeys((CUSTOMER, *roles)):
                await self._give(tx, account_id, name, by, now)
            if password is None:
                await self._write(
                    tx, "password_reset", email, account_id, by=by, now=now
                )
            else:
                await self._attach(tx, account)
        return account

    async def set_status(
        self, account_id: UUID, status: Literal["active", "disabled"], by: Giver
    ) -> Account:
        """Close an account, which ends its sessions, or open it again.

        Doing it again changes nothing. Raises ``AccountNotFound``, ``AccountErased``,
        ``AccountMayMore``, and ``LastAdmin`` if nobody else could administer the shop.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            await by.demand_over(tx, account_id)
            if status == "active":
                if await accounts.enable(tx, account_id, now):
                    await self._record(tx, "account.enabled", account_id, by, now)
            else:
                await identity.keep_an_admin(tx, without=account_id)
                if await accounts.disable(tx, account_id, now):
                    await accounts.end_sessions(
                        tx, account_id, reason="account_disabled", at=now
                    )
                    # Nothing that was asked for before opens it when it is enabled.
                    await accounts.void_requests(tx, account_id, "password_reset", now)
                    await accounts.void_requests(tx, account_id, "email_change", now)
                    await self._record(tx, "account.disabled", account_id, by, now)
            return await accounts.find(tx, self.vault, account_id)

    async def correct_email(self, account_id: UUID, email: str, by: Giver) -> Account:
        """Give an account its owner's address, which they confirm by a link sent there.

        For whoever mistyped it, or lost the mailbox. Until the link is followed the
        password opens nothing; every session ends, links to the old address open
        nothing, and it is told. The same address again has another link sent. Raises
        ``AccountNotFound``, ``AccountErased``, ``EmailTaken``, and over the API
        ``AccountOfStaff``.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            if by.caller is not None:
                await identity.check_of_customer(tx, account_id)
            account = await accounts.find(tx, self.vault, account_id)
            if account.email == email and account.email_verified_at is not None:
                return account
            before = await accounts.set_email(
                tx, self.vault, account_id, email, now, verified=False
            )
            # After the row is locked: of two at once, the later voids the other's link.
            await accounts.void_requests(tx, account_id, "password_reset", now)
            await accounts.void_requests(tx, account_id, "email_change", now)
            await accounts.end_sessions(tx, account_id, reason="email_changed", at=now)
            if before != email:
                await self._write(
                    tx, "email_changed", before, account_id, by=by, now=now
                )
                await self._record(tx, "email.changed", account_id, by, now)
            invited = not account.has_password and account.email_verified_at is None
            purpose: Purpose = "password_reset" if invited else "email_change"
            await self._write(tx, purpose, email, account_id, by=by, now=now)
            return await accounts.find(tx, self.vault, account_id)

    async def set_password(self, account_id: UUID, phc: str, by: Giver) -> None:
        """Give an account another password, by its hash; its sessions end.

        As when it is made with a password, the address counts as verified: without
        that nobody could sign in. If it was not, guests' orders with it are the
        account's from now on. Its owner is told. Raises ``AccountNotFound`` or
        ``AccountErased``.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            await accounts.set_password(tx, self.vault, account_id, phc, now)
            proved = await accounts.verify_email(tx, account_id, now)
            account = await accounts.find(tx, self.vault, account_id)
            if proved:
                await self._attach(tx, account)
            await accounts.end_sessions(tx, account_id, reason="password_reset", at=now)
            await accounts.void_requests(tx, account_id, "password_reset", now)
            await accounts.void_requests(tx, account_id, "email_change", now)
            await account_mail.ask(
                tx,
                self.vault,
                "password_changed",
                account.email or "",
                account_id=account_id,
                origin=by.origin,
                at=now,
            )
            await self._record(tx, "password.reset", account_id, by, now)

    async def remove_second_factor(self, account_id: UUID, by: Giver) -> bool:
        """Let somebody who lost their device and codes in by password; was there one?

        For whoever has made sure who is asking. The owner is told. Raises
        ``AccountNotFound`` or ``AccountErased``.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            account = await accounts.find(tx, self.vault, account_id)
            if account.email is None:
                raise accounts.AccountErased(account_id)
            if not await accounts.remove_second_factor(tx, account_id):
                return False
            await account_mail.ask(
                tx,
                self.vault,
                "second_factor_disabled",
                account.email,
                account_id=account_id,
                origin=by.origin,
                at=now,
            )
            await self._record(tx, "second_factor.disabled", account_id, by, now)
            return True

    async def _write(
        self,
        tx: Transaction,
        purpose: Purpose,
        email: str,
        account_id: UUID,
        *,
        by: Giver,
        now: datetime,
    ) -> None:
        """Have an e-mail written; nobody waits for the link to a first password."""
        lifetime = None
        if purpose == "password_reset":
            lifetime = accounts.FIRST_PASSWORD_LIFETIME
        await account_mail.ask(
            *(tx, self.vault, purpose, email),
            account_id=account_id,
            lifetime=lifetime,
            origin=by.origin,
            at=now,
        )

    async def _attach(self, tx: Transaction, account: Account) -> None:
        """Let orders be theirs that guests made with the address, now it is proved."""
        index = accounts.email_index(self.vault, account.email or "")
        await ordering.attach(tx, email_index=index, account_id=account.id)

    async def _give(
        self, tx: Transaction, account_id: UUID, name: str, by: Giver, now: datetime
    ) -> None:
        role = await identity.find_role(tx, name)
        by.demand(role.scopes)
        await identity.grant_role(tx, account_id, name, by=by.actor, at=now)
        if name != CUSTOMER:
            await self._record(
                tx, "role.granted", account_id, by, now, detail={"role": name}
            )

    async def _record(
        self,
        tx: Transaction,
        kind: str,
        account_id: UUID,
        by: Giver,
        now: datetime,
        *,
        detail: dict[str, str | int] | None = None,
    ) -> None:
        await identity.record(
            tx,
            self.vault,
            kind,
            actor=by.actor,
            origin=by.origin,
            at=now,
            account_id=account_id,
            detail=detail,
        )
