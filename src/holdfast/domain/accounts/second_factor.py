"""The second factor: time-based codes (RFC 6238), and recovery codes for a lost device.

Codes of six digits that change every 30 seconds; those of the step before and after
are taken too, for clocks that differ. No code is taken twice: the step of the last one
is kept, and one statement moves it on. Recovery codes have 80 random bits, are shown
once, kept as keyed hashes, and each is good for one sign-in.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp

from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault

STEP_SECONDS = 30
RECOVERY_CODES = 10
BEGUN_FOR = timedelta(hours=1)
"""How long there is to enter the first code."""

_SQL = sql.load("holdfast.domain.accounts")
_BEGIN = _SQL["begin_second_factor"]
_CONFIRM = _SQL["confirm_second_factor"]
_SECOND_FACTOR = _SQL["second_factor"]
_TAKE_STEP = _SQL["take_step"]
_REMOVE = _SQL["remove_second_factor"]
_REPLACE_RECOVERY_CODES = _SQL["replace_recovery_codes"]
_TAKE_RECOVERY_CODE = _SQL["take_recovery_code"]

_DIGITS = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(r"[\s-]")
# Crockford's: no letter that looks like a digit, and no vowel but two.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_CHARS = 16
_GROUP = 4
_LOOKALIKES = str.maketrans("oil", "011")


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The second factor of an account, as far as it has got."""

    account_id: UUID
    secret: str
    """Base32, 160 bits."""
    sealed: bytes
    confirmed_at: datetime | None
    """None until the first code proved that the owner has the secret."""
    usable: bool
    """Whether the account may be signed in to."""
    password_changed_at: datetime | None
    codes_left: int
    """Recovery codes that were not used."""


def new_secret() -> str:
    """A new secret of 160 bits, in base32."""
    return pyotp.random_base32(length=32)


def otpauth_uri(secret: str, *, email: str, issuer: str) -> str:
    """What an authenticator reads as a QR code. It holds the secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step that *code* belongs to, if it is that of now, before or next."""
    typed = _SEPARATORS.sub("", code)
    if _DIGITS.fullmatch(typed) is None:
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    totp = pyotp.HOTP(secret)
    # Each is compared, so that the time it takes does not say which it was.
    found = None
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(totp.at(step), typed):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 bits: ``k3wz-9f0m-x2ab-77qd``."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


async def begin_second_factor(
    tx: Transaction, vault: Vault, account_id: UUID, secret: str, *, at: datetime
) -> bool:
    """Keep a secret that is not in use yet; whether the account has none in use."""
    sealed = vault.seal(secret.encode(), place=_place(account_id))
    return await tx.fetchval(_BEGIN, account_id, sealed, at) is not None


async def find_second_factor(
    connection: Connection, vault: Vault, account_id: UUID
) -> SecondFactor | None:
    """The second factor of an account, in use or only begun."""
    row = await connection.fetchrow(_SECOND_FACTOR, account_id)
    if row is None:
        return None
    return SecondFactor(
        account_id,
        vault.open(row["sealed"], place=_place(account_id)).decode(),
        row["sealed"],
        row["confirmed_at"],
        row["usable"],
        row["password_changed_at"],
        row["codes_left"],
    )


async def confirm_second_factor(
    tx: Transaction, factor: SecondFactor, step: int, *, at: datetime
) -> bool:
    """Use the second factor from now on; whether its secret is still that one."""
    begun_since = at - BEGUN_FOR
    row = await tx.fetchval(
        _CONFIRM, factor.account_id, factor.sealed, step, at, begun_since
    )
    return row is not None


async def take_step(tx: Transaction, account_id: UUID, step: int) -> bool:
    """Take the code of a time step; whether none of it or later was taken before."""
    return await tx.fetchval(_TAKE_STEP, account_id, step) is not None


async def remove_second_factor(tx: Transaction, account_id: UUID) -> bool:
    """Forget the second factor and its recovery codes; whether there was one."""
    return await tx.fetchval(_REMOVE, account_id) is not None


async def replace_recovery_codes(
    tx: Transaction, vault: Vault, account_id: UUID, codes: Sequence[str]
) -> None:
    """Take these recovery codes from now on and no others."""
    hashes = [_hash(vault, account_id, code) for code in codes]
    await tx.execute(_REPLACE_RECOVERY_CODES, account_id, hashes)


async def take_recovery_code(
    tx: Transaction, vault: Vault, account_id: UUID, code: str, *, at: datetime
) -> bool:
    """Use up a recovery code; whether it was one that was not used before."""
    hashed = _hash(vault, account_id, code)
    return await tx.fetchval(_TAKE_RECOVERY_CODE, account_id, hashed, at) is not None


def _recovery_code() -> str:
    chars = [secrets.choice(_ALPHABET) for _ in range(_RECOVERY_CHARS)]
    groups = [chars[n : n + _GROUP] for n in range(0, _RECOVERY_CHARS, _GROUP)]
    return "-".join(map("".join, groups))


def _hash(vault: Vault, account_id: UUID, code: str) -> bytes:
    # As people type: with or without hyphens, an O for a zero.
    typed = _SEPARATORS.sub("", code).lower().translate(_LOOKALIKES)
    return vault.index(f"{account_id}\n{typed}", purpose="recovery_code")


def _place(account_id: UUID) -> str:
    return f"second_factors:{account_id}"
