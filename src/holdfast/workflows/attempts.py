"""Guesses at passwords and codes: claimed, taken back, written down.

What is here is one part of several workflows: signing in, and whatever asks somebody
who is signed in to prove it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Claim, Credentials, SecondFactor
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.errors import TooMany
from holdfast.platform.db import Database, Transaction
from holdfast.platform.joint import apart
from holdfast.platform.vault import Vault


@dataclass(eq=False)
class TooManyAttempts(TooMany):
    """There were too many failed attempts; wait before the next."""

    retry_after_seconds: float


async def claim(
    db: Database, subjects: Sequence[accounts.Subject], *, at: datetime
) -> Claim:
    """Count an attempt before it is made; ``TooManyAttempts`` refuses it.

    It is counted whatever becomes of the request, and whether or not it has a key.
    """
    with apart():
        async with db.statement() as tx:
            made = await accounts.claim_attempt(tx, subjects, at=at)
            await _leave_nothing(tx, made)
    return _let_through(made, at)


async def begin_sign_in(
    db: Database,
    vault: Vault,
    email: str,
    *,
    place: str | None,
    address: str | None,
    at: datetime,
) -> tuple[Credentials, Claim]:
    """The same for a password, and how to check it: one statement, whoever it is."""
    with apart():
        async with db.statement() as tx:
            known, made = await accounts.begin_sign_in(
                tx, vault, email, place=place, address=address, at=at
            )
            await _leave_nothing(tx, made)
    return known, _let_through(made, at)


async def _leave_nothing(tx: Transaction, made: Claim) -> None:
    """Give back what was counted of an attempt that is refused."""
    if made.refused_until is not None and made.subjects:
        await accounts.give_back_attempt(tx, made)


def _let_through(made: Claim, at: datetime) -> Claim:
    if made.refused_until is not None:
        raise TooManyAttempts((made.refused_until - at).total_seconds())
    return made


async def take_code(
    tx: Transaction,
    vault: Vault,
    factor: SecondFactor,
    code: str,
    *,
    origin: Origin,
    at: datetime,
) -> bool:
    """Take a code of the second factor, or a recovery code; whether it was right."""
    step = accounts.step_of(factor.secret, code, at)
    if step is not None:
        return await accounts.take_step(tx, factor.account_id, step)
    if not await accounts.take_recovery_code(tx, vault, factor.account_id, code, at=at):
        return False
    await identity.record(
        tx,
        vault,
        "recovery_code.used",
        actor=f"account:{factor.account_id}",
        origin=origin,
        at=at,
        account_id=factor.account_id,
        detail={"left": factor.codes_left - 1},
    )
    return True


async def record_wrong_code(
    tx: Transaction,
    vault: Vault,
    account_id: UUID,
    claim: Claim,
    *,
    origin: Origin,
    at: datetime,
) -> None:
    """Write down that a code was wrong, and what has to wait because of it."""
    await identity.record(
        tx,
        vault,
        "second_factor.failed",
        actor="anonymous",
        origin=origin,
        at=at,
        account_id=account_id,
    )
    await record_block(tx, vault, account_id, claim, origin=origin, at=at)


async def make_familiar(
    tx: Transaction,
    vault: Vault,
    account_id: UUID,
    *,
    email: str,
    origin: Origin,
    at: datetime,
) -> str:
    """Make a place familiar to an account whose owner has just proved to be there.

    For those who followed a link in an e-mail: from there they can sign in whatever
    others do elsewhere, and their failures are forgotten. Returns the place's token.
    """
    place = tokens.new_token(tokens.PLACE)
    await remember_place(tx, vault, account_id, place, origin=origin, at=at)
    subjects = accounts.subjects_of(
        vault, email, origin.address, place=None, familiar_address=True
    )
    pair = tuple(subject for subject in subjects if subject.kind == "pair")
    await accounts.give_back_attempt(tx, Claim(pair), forget=("pair",))
    return place


async def remember_place(
    tx: Transaction,
    vault: Vault,
    account_id: UUID,
    place: str,
    *,
    origin: Origin,
    at: datetime,
) -> None:
    """Note where the owner of an account is: the token that they keep, the address."""
    places = places_of(vault, place, origin)
    await accounts.remember_places(tx, account_id, places, at=at)


def places_of(vault: Vault, place: str, origin: Origin) -> list[bytes]:
    """Where somebody is, as it is stored."""
    return [tokens.fingerprint(place), accounts.address_place(vault, origin.address)]


async def record_block(
    tx: Transaction,
    vault: Vault,
    account_id: UUID | None,
    claim: Claim,
    *,
    origin: Origin,
    at: datetime,
) -> None:
    """Write down that from now on somebody has to wait, if an attempt led to that."""
    # Once when it begins, and not for each refused attempt: those write nothing, so
    # that a flood of them costs little.
    if claim.blocks:
        await identity.record(
            tx,
            vault,
            "sign_in.blocked",
            actor="anonymous",
            origin=origin,
            at=at,
            account_id=account_id,
            detail={"by": " ".join(sorted(claim.blocks))},
        )
