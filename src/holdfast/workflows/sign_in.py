"""Find out who somebody is, by what they know and what they have.

Each step counts the guess first, then looks, then takes the count back if the guess was
right. No transaction is open while a password is hashed. An address that nobody has, an
account that is disabled, one whose address was never verified and a wrong password take
the same statements and the same hash, and get the same answer.

What is to be done because a password was right (``admit``) is apart from finding that
out (``check``): the shop's own applications do most of it in the statement that opens
the session (``first_party``).
"""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Claim, Credentials, Hasher, SecondFactor
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Unauthenticated
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import CannotOpen, Vault
from holdfast.workflows import attempts
from holdfast.workflows.attempts import TooManyAttempts, make_familiar

__all__ = [
    "BROWSER",
    "CHALLENGE_LIFETIME",
    "ONE_FACTOR",
    "ChallengeNotValid",
    "CodeRefused",
    "InvalidLogin",
    "Proved",
    "Right",
    "SecondFactorNeeded",
    "SignIn",
    "TooManyAttempts",
    "make_familiar",
]

CHALLENGE_LIFETIME = timedelta(minutes=5)
BROWSER = "browser"
"""Who asks, if it is the shop's own sign-in page."""

_LONGEST_CHALLENGE = 2048
ONE_FACTOR = ("pwd",)
"""What a password alone is, by the names of RFC 8176."""
_TWO_FACTORS = ("pwd", "otp", "mfa")


@dataclass(eq=False)
class InvalidLogin(Unauthenticated):
    """The e-mail address or the password is not right."""


@dataclass(eq=False)
class CodeRefused(Unauthenticated):
    """The code is not right, or was used before."""


@dataclass(eq=False)
class ChallengeNotValid(Unauthenticated):
    """The sign-in took too long, or was begun elsewhere; begin again."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody proved who they are.

    What is opened because of it looks with ``hold`` whether it is still so.
    """

    account_id: UUID
    methods: tuple[str, ...]
    """How (RFC 8176): pwd, otp, mfa, fed."""
    authenticated_at: datetime
    place: str
    """To be kept where they signed in, and shown at the next sign-in."""
    password_changed_at: datetime | None = None
    """Which password it was, if it was by password."""

    async def hold(self, tx: Transaction) -> None:
        """Keep the account as it is until the commit.

        Raises ``InvalidLogin`` if it was closed, or got another password, since.
        """
        if not await accounts.hold(
            tx,
            self.account_id,
            by_password="pwd" in self.methods,
            password_changed_at=self.password_changed_at,
        ):
            raise InvalidLogin


@dataclass(frozen=True, slots=True)
class Right:
    """A password that was right; nothing has been written down because of it yet."""

    account_id: UUID
    known: Credentials
    claim: Claim
    """The attempt, still counted as a failure."""
    place: str | None
    """The place that was shown, if it is familiar."""
    fresh: str | None
    """Another hash, if the one that is kept has the costs of another time."""

    @property
    def is_all(self) -> bool:
        """Whether neither a code is wanted nor the hash to be replaced."""
        return self.fresh is None and not self.known.second_factor


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right; a code is wanted too, together with *challenge*."""

    challenge: str


class _Challenge(msgspec.Struct, frozen=True):
    """What is sealed into a challenge."""

    account_id: UUID
    begun_at: datetime
    place: str | None
    """The familiar place that the password came from."""
    password_changed_at: datetime | None
    """Which password it was."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Checks passwords and codes, and what that takes."""

    db: Database
    vault: Vault
    hasher: Hasher
    clock: Clock

    async def by_password(
        self,
        email: str,
        password: str,
        *,
        origin: Origin,
        place: str | None = None,
        client: str = BROWSER,
    ) -> Proved | SecondFactorNeeded:
        """Check a password that comes from *origin*, and maybe a familiar *place*.

        A challenge can be answered through the same *client* only. Raises
        ``InvalidLogin``, ``TooManyAttempts`` or ``SignInBusy``.
        """
        async with self.hasher.turn():
            right = await self.check(email, password, origin=origin, place=place)
            return await self.admit(right, origin=origin, client=client)

    async def by_code(
        self, challenge: str, code: str, *, origin: Origin, client: str = BROWSER
    ) -> Proved:
        """Check the code that was asked for by *challenge*, or a recovery code.

        Raises ``ChallengeNotValid``, ``CodeRefused`` or ``TooManyAttempts``.
        """
        asked = self._open(challenge, client)
        factor = await accounts.find_second_factor(
            self.db, self.vault, asked.account_id
        )
        if factor is None or not _still_asked(factor, asked):
            raise ChallengeNotValid
        place = accounts.token_place(asked.place)
        subject = accounts.second_factor_subject(self.vault, asked.account_id, place)
        claim = await attempts.claim(self.db, [subject], at=self.clock())
        now = self.clock()
        async with self.db.transaction() as tx:
            if not await accounts.hold(
                tx, asked.account_id, password_changed_at=asked.password_changed_at
            ):
                raise ChallengeNotValid
            right = await attempts.take_code(
                tx, self.vault, factor, code, origin=origin, at=now
            )
            if right:
                await accounts.give_back_attempt(tx, claim, forget=("second_factor",))
                return await self._signed_in(
                    tx,
                    asked.account_id,
                    _TWO_FACTORS,
                    origin=origin,
                    place=asked.place,
                    password_changed_at=asked.password_changed_at,
                    at=now,
                )
            await attempts.record_wrong_code(
                tx, self.vault, asked.account_id, claim, origin=origin, at=now
            )
        raise CodeRefused

    async def check(
        self, email: str, password: str, *, origin: Origin, place: str | None
    ) -> Right:
        """Check a password, in a turn of the hasher. Raises as ``by_password`` does."""
        known, claim = await attempts.begin_sign_in(
            *(self.db, self.vault, email),
            place=place,
            address=origin.address,
            at=self.clock(),
        )
        try:
            right = await self.hasher.verify(known.password, password)
        except accounts.SignInBusy:
            # Nobody looked at it: it was no guess.
            async with self.db.statement() as tx:
                await accounts.give_back_attempt(tx, claim)
            raise
        if known.account_id is None or not (right and known.usable):
            await self._refuse(known, claim, origin)
            raise InvalidLogin
        return Right(
            known.account_id,
            known,
            claim,
            place if known.place is not None else None,
            await self._fresh_hash(known, password),
        )

    async def admit(
        self, right: Right, *, origin: Origin, client: str
    ) -> Proved | SecondFactorNeeded:
        """Write down who signed in, or ask for a code that goes through *client*.

        Raises ``InvalidLogin`` if the password is another by now: hashing took its
        time.
        """
        now, changed_at = self.clock(), right.known.password_changed_at
        async with self.db.transaction() as tx:
            if not await accounts.hold(
                tx, right.account_id, password_changed_at=changed_at
            ):
                raise InvalidLogin
            await accounts.give_back_attempt(tx, right.claim, forget=("pair",))
            if right.fresh is not None:
                await accounts.replace_hash(tx, self.vault, right.known, right.fresh)
            if right.known.second_factor:
                return self._ask(right, client, now)
            return await self._signed_in(
                tx,
                right.account_id,
                ONE_FACTOR,
                origin=origin,
                place=right.place,
                password_changed_at=changed_at,
                at=now,
            )

    async def _signed_in(
        self,
        tx: Transaction,
        account_id: UUID,
        methods: tuple[str, ...],
        *,
        origin: Origin,
        place: str | None,
        password_changed_at: datetime | None,
        at: datetime,
    ) -> Proved:
        """Write down that somebody signed in; *place* is familiar already."""
        # Never one that the client brought: whoever planted it would know it.
        kept = place or tokens.new_token(tokens.PLACE)
        await attempts.remember_place(
            tx, self.vault, account_id, kept, origin=origin, at=at
        )
        await identity.record(
            tx,
            self.vault,
            "sign_in.succeeded",
            actor=f"account:{account_id}",
            origin=origin,
            at=at,
            account_id=account_id,
            detail={"methods": " ".join(methods)},
        )
        return Proved(account_id, methods, at, kept, password_changed_at)

    async def _refuse(self, known: Credentials, claim: Claim, origin: Origin) -> None:
        now = self.clock()
        # Nearly always one statement, which needs no transaction around it.
        blocks = bool(claim.blocks)
        async with self.db.transaction() if blocks else self.db.statement() as tx:
            await identity.record(
                tx,
                self.vault,
                "sign_in.failed",
                actor="anonymous",
                origin=origin,
                at=now,
                account_id=known.account_id,
            )
            await attempts.record_block(
                tx, self.vault, known.account_id, claim, origin=origin, at=now
            )

    async def _fresh_hash(self, known: Credentials, password: str) -> str | None:
        """Another hash of the password if its costs are no longer those of today."""
        if known.password is None or not self.hasher.needs_rehash(known.password):
            return None
        with suppress(accounts.SignInBusy):
            return await self.hasher.hash(password)
        return None

    def _ask(self, right: Right, client: str, now: datetime) -> SecondFactorNeeded:
        changed_at = right.known.password_changed_at
        sealed = self.vault.seal_json(
            _Challenge(right.account_id, now, right.place, changed_at),
            place=_challenge_place(client),
        )
        return SecondFactorNeeded(base64.urlsafe_b64encode(sealed).decode())

    def _open(self, challenge: str, client: str) -> _Challenge:
        if len(challenge) > _LONGEST_CHALLENGE:
            raise ChallengeNotValid
        try:
            sealed = base64.b64decode(
                challenge.encode("ascii"), altchars=b"-_", validate=True
            )
            asked = self.vault.open_json(
                sealed, _Challenge, place=_challenge_place(client)
            )
        except (CannotOpen, UnicodeError, binascii.Error):
            raise ChallengeNotValid from None
        if self.clock() >= asked.begun_at + CHALLENGE_LIFETIME:
            raise ChallengeNotValid
        return asked


def _still_asked(factor: SecondFactor, asked: _Challenge) -> bool:
    """Whether the password that the challenge was given for is still the right one."""
    return (
        factor.usable
        and factor.confirmed_at is not None
        and factor.password_changed_at == asked.password_changed_at
    )


def _challenge_place(client: str) -> str:
    return f"sign_in.challenge:{client}"
