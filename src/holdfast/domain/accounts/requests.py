"""E-mails about accounts: asked for by anybody, written by the worker, used once.

Asking notes the address and nothing else, so that it takes as long for one that is
known as for one that is not. The token comes into being when the e-mail is written; a
newer one of the same purpose ends those before, and using it is one statement, so that
of two who come at once one gets it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain.accounts.errors import LinkNotValid
from holdfast.domain.accounts.store import email_index
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.accounts")
_ADD_REQUEST = _SQL["add_request"]
_ARM_REQUEST = _SQL["arm_request"]
_COUNT_MAILED = _SQL["count_mailed"]
_FIND_REQUEST = _SQL["find_request"]
_FORGET_REQUESTS = _SQL["forget_requests"]
_LOCK_REQUESTS_OF = _SQL["lock_requests_of"]
_REQUEST_OF_TOKEN = _SQL["request_of_token"]
_USE_REQUEST = _SQL["use_request"]
_VOID_REQUESTS = _SQL["void_requests"]

Purpose: TypeAlias = Literal[
    "sign_up",
    "password_reset",
    "email_change",
    "email_changed",
    "password_changed",
    "second_factor_enabled",
    "second_factor_disabled",
]

LIFETIMES: dict[Purpose, timedelta] = {
    "sign_up": timedelta(hours=24),
    "password_reset": timedelta(hours=1),
    "email_change": timedelta(hours=24),
    # Notices have no token; this is how long they are worth being written.
    "email_changed": timedelta(days=3),
    "password_changed": timedelta(days=3),
    "second_factor_enabled": timedelta(days=3),
    "second_factor_disabled": timedelta(days=3),
}
FIRST_PASSWORD_LIFETIME = timedelta(hours=24)
"""Of the link to a first password, for which nobody was waiting."""

MAILS_AN_HOUR = 5
"""So many e-mails of one purpose that somebody asked for go to one address."""

KEPT = timedelta(days=7)
"""How long a request stays after it has expired."""


@dataclass(frozen=True, slots=True)
class Request:
    """An e-mail that is to be written, or was, and what it is for."""

    id: UUID
    purpose: Purpose
    email: str
    account_id: UUID | None
    mailed_at: datetime | None
    created_at: datetime
    expires_at: datetime

    @property
    def is_notice(self) -> bool:
        """Whether its reader must hear of it, rather than asked for it."""
        return self.purpose not in ("sign_up", "password_reset", "email_change")


async def add_request(
    tx: Transaction,
    vault: Vault,
    purpose: Purpose,
    email: str,
    *,
    account_id: UUID | None = None,
    lifetime: timedelta | None = None,
    at: datetime,
) -> UUID:
    """Note that an e-mail is to be written; one statement, whoever's address it is."""
    request_id = new_id()
    await tx.execute(
        _ADD_REQUEST,
        request_id,
        purpose,
        vault.seal_json({"email": email}, place=_place(request_id)),
        email_index(vault, email),
        account_id,
        at,
        at + (lifetime or LIFETIMES[purpose]),
    )
    return request_id


async def take_request(
    tx: Transaction, vault: Vault, request_id: UUID
) -> Request | None:
    """A request to write the e-mail of; other workers wait at the same address.

    None if it was forgotten meanwhile.
    """
    row = await tx.fetchrow(_FIND_REQUEST, request_id)
    if row is None:
        return None
    number = int.from_bytes(row["email_index"][:8], signed=True)
    await tx.fetchval(_LOCK_REQUESTS_OF, number)
    # Once more: whoever held the lock may have written it.
    row = await tx.fetchrow(_FIND_REQUEST, request_id)
    return None if row is None else _request(row, vault)


async def too_many_mails(
    connection: Connection, vault: Vault, request: Request, at: datetime
) -> bool:
    """Whether so many e-mails went to the address that this one is better not sent.

    Only what was sent counts: a flood that is not answered keeps nobody from theirs
    for more than an hour.
    """
    if request.is_notice:
        return False
    index = email_index(vault, request.email)
    since = at - timedelta(hours=1)
    sent = await connection.fetchval(_COUNT_MAILED, request.purpose, index, since)
    return bool(sent >= MAILS_AN_HOUR)


async def arm_request(
    tx: Transaction,
    request_id: UUID,
    *,
    token: str | None,
    account_id: UUID | None,
    at: datetime,
) -> None:
    """Its e-mail is written, with *token*, which is good from now on."""
    digest = None if token is None else tokens.fingerprint(token)
    await tx.execute(_ARM_REQUEST, request_id, at, digest, account_id)


async def request_of_token(
    connection: Connection, vault: Vault, token: str, purpose: Purpose, at: datetime
) -> Request:
    """What a token is good for, without using it up; raises ``LinkNotValid``."""
    if not tokens.plausible(token, tokens.EMAIL):
        raise LinkNotValid
    digest = tokens.fingerprint(token)
    row = await connection.fetchrow(_REQUEST_OF_TOKEN, digest, purpose, at)
    if row is None:
        raise LinkNotValid
    return _request(row, vault)


async def use_request(
    tx: Transaction, vault: Vault, token: str, purpose: Purpose, at: datetime
) -> Request:
    """Use up a token; raises ``LinkNotValid``, also for the second of two at once."""
    if not tokens.plausible(token, tokens.EMAIL):
        raise LinkNotValid
    row = await tx.fetchrow(_USE_REQUEST, tokens.fingerprint(token), purpose, at)
    if row is None:
        raise LinkNotValid
    return _request(row, vault)


async def void_requests(
    tx: Transaction, account_id: UUID, purpose: Purpose, at: datetime
) -> None:
    """End every token of a purpose that is out for an account."""
    await tx.execute(_VOID_REQUESTS, account_id, purpose, at)


async def forget_requests(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete up to *limit* requests that expired long ago; returns how many."""
    return len(await tx.fetch(_FORGET_REQUESTS, now - KEPT, limit))


def _place(request_id: UUID) -> str:
    return f"account_requests:{request_id}"


def _request(row: Row, vault: Vault) -> Request:
    opened = vault.open_json(row["sealed"], dict[str, str], place=_place(row["id"]))
    return Request(
        row["id"],
        row["purpose"],
        opened["email"],
        row["account_id"],
        row["mailed_at"],
        row["created_at"],
        row["expires_at"],
    )
