"""Set up a second factor, replace its recovery codes, and do without it again.

Every change needs the password, so that a borrowed device is not enough; giving it up
needs a code too. Other sessions stay: the owner hears of the change by e-mail.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Claim, Hasher, SecondFactor
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Conflict, Forbidden
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import account_mail, attempts, passwords
from holdfast.workflows.passwords import Said

_Change: TypeAlias = Literal["second_factor_enabled", "second_factor_disabled"]


@dataclass(eq=False)
class WrongCode(Forbidden):
    """The code is not right, or was used before."""


@dataclass(eq=False)
class SecondFactorEnabled(Conflict):
    """The account has a second factor already."""


@dataclass(eq=False)
class SecondFactorMissing(Conflict):
    """The account has no second factor, or none that was begun in the last hour."""


@dataclass(frozen=True, slots=True)
class State:
    """How far the second factor of an account has got."""

    enabled: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What somebody who is signed in can do with their second factor."""

    db: Database
    vault: Vault
    hasher: Hasher
    clock: Clock

    async def state(self, account_id: UUID) -> State:
        """Whether there is one."""
        factor = await self._find(account_id)
        if factor is None or factor.confirmed_at is None:
            return State(enabled=False, recovery_codes_left=0)
        return State(enabled=True, recovery_codes_left=factor.codes_left)

    async def begin(
        self,
        account_id: UUID,
        password: str,
        *,
        session_id: UUID,
        origin: Origin,
        issuer: str,
    ) -> tuple[str, str]:
        """Make a secret for a device; returns it, and as an address for a QR code.

        It counts for nothing until its first code was entered, within an hour. Raises
        ``WrongPassword``, ``TooManyAttempts``, ``SignInBusy`` or
        ``SecondFactorEnabled``.
        """
        said = await self._prove(account_id, password, session_id, origin)
        secret = accounts.new_secret()
        async with self.db.transaction() as tx:
            await said.hold(tx)
            begun = await accounts.begin_second_factor(
                tx, self.vault, account_id, secret, at=self.clock()
            )
        if not begun:
            raise SecondFactorEnabled
        label = said.account.email or str(account_id)
        return secret, accounts.otpauth_uri(secret, email=label, issuer=issuer)

    async def confirm(
        self, account_id: UUID, code: str, *, session_id: UUID, origin: Origin
    ) -> list[str]:
        """Use the second factor from now on; returns the recovery codes, this once.

        Raises ``WrongCode``, ``TooManyAttempts``, ``SecondFactorEnabled`` or
        ``SecondFactorMissing``.
        """
        factor = await self._find(account_id)
        if factor is None:
            raise SecondFactorMissing
        if factor.confirmed_at is not None:
            raise SecondFactorEnabled
        claim = await self._claim(account_id, session_id)
        now = self.clock()
        step = accounts.step_of(factor.secret, code, now)
        codes = accounts.new_recovery_codes()
        async with self.db.transaction() as tx:
            if step is not None:
                await accounts.give_back_attempt(tx, claim, forget=("second_factor",))
                if not await accounts.confirm_second_factor(tx, factor, step, at=now):
                    raise SecondFactorMissing
                await accounts.replace_recovery_codes(tx, self.vault, account_id, codes)
                await self._say(
                    tx, account_id, "second_factor_enabled", session_id, origin
                )
                return codes
            await attempts.record_wrong_code(
                tx, self.vault, account_id, claim, origin=origin, at=now
            )
        raise WrongCode

    async def disable(
        self,
        account_id: UUID,
        password: str,
        code: str,
        *,
        session_id: UUID,
        origin: Origin,
    ) -> None:
        """Ask for the password alone from now on.

        Raises ``WrongPassword``, ``WrongCode``, ``TooManyAttempts``, ``SignInBusy`` or
        ``SecondFactorMissing``.
        """

        async def remove(tx: Transaction) -> None:
            if not await accounts.remove_second_factor(tx, account_id):
                raise SecondFactorMissing
            await self._say(
                tx, account_id, "second_factor_disabled", session_id, origin
            )

        said = await self._prove(account_id, password, session_id, origin)
        await self._by_code(said, session_id, code, origin, remove)

    async def replace_recovery_codes(
        self,
        account_id: UUID,
        password: str,
        code: str,
        *,
        session_id: UUID,
        origin: Origin,
    ) -> list[str]:
        """Make ten new recovery codes; those before are good for nothing any more.

        Raises what ``disable`` does.
        """
        codes = accounts.new_recovery_codes()

        async def replace(tx: Transaction) -> None:
            await accounts.replace_recovery_codes(tx, self.vault, account_id, codes)
            await self._record(
                tx, account_id, "recovery_codes.replaced", session_id, origin
            )

        said = await self._prove(account_id, password, session_id, origin)
        await self._by_code(said, session_id, code, origin, replace)
        return codes

    async def _by_code(
        self,
        said: Said,
        session_id: UUID,
        code: str,
        origin: Origin,
        change: Callable[[Transaction], Awaitable[None]],
    ) -> None:
        """Make a change together with taking the code, if that is right."""
        account_id = said.account.id
        factor = await self._find(account_id)
        if factor is None or factor.confirmed_at is None:
            raise SecondFactorMissing
        claim = await self._claim(account_id, session_id)
        now = self.clock()
        async with self.db.transaction() as tx:
            await said.hold(tx)
            if await attempts.take_code(
                tx, self.vault, factor, code, origin=origin, at=now
            ):
                await accounts.give_back_attempt(tx, claim, forget=("second_factor",))
                await change(tx)
                return
            await attempts.record_wrong_code(
                tx, self.vault, account_id, claim, origin=origin, at=now
            )
        raise WrongCode

    async def _find(self, account_id: UUID) -> SecondFactor | None:
        return await accounts.find_second_factor(self.db, self.vault, account_id)

    async def _prove(
        self, account_id: UUID, password: str, session_id: UUID, origin: Origin
    ) -> Said:
        return await passwords.prove(
            self.db,
            self.vault,
            self.hasher,
            account_id,
            password,
            session_id=session_id,
            origin=origin,
            clock=self.clock,
        )

    async def _claim(self, account_id: UUID, session_id: UUID) -> Claim:
        # By session: whoever guesses codes at the door keeps nobody inside waiting.
        subject = accounts.second_factor_subject(
            self.vault, account_id, session_id.bytes
        )
        return await attempts.claim(self.db, [subject], at=self.clock())

    async def _say(
        self,
        tx: Transaction,
        account_id: UUID,
        what: _Change,
        session_id: UUID,
        origin: Origin,
    ) -> None:
        """Write down a change, and have its owner told by e-mail."""
        now = self.clock()
        account = await accounts.find(tx, self.vault, account_id)
        if account.email is not None:
            await account_mail.ask(
                tx,
                self.vault,
                what,
                account.email,
                account_id=account_id,
                origin=origin,
                at=now,
            )
        kind = what.replace("second_factor_", "second_factor.")
        await self._record(tx, account_id, kind, session_id, origin)

    async def _record(
        self,
        tx: Transaction,
        account_id: UUID,
        kind: str,
        session_id: UUID,
        origin: Origin,
    ) -> None:
        await identity.record(
            tx,
            self.vault,
            kind,
            actor=f"account:{account_id}",
            origin=origin,
            at=self.clock(),
            account_id=account_id,
            session_id=session_id,
        )
