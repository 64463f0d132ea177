"""The security record: what happened that matters for security, kept as it was.

An event is written in the transaction of what it tells, so neither is there without
the other. The database itself refuses to change or empty the record; only the sealed
address and user agent can be sealed anew or, when a person is erased, dropped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain.identity.model import Origin
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.sql import Step
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.identity")
_ADD_EVENT = _SQL["add_event"]
_ADD_EVENT_OF_SIGN_IN = _SQL["add_event_of_sign_in"]
_LATEST_EVENTS = _SQL["latest_events"]
_EVENTS_BY_ACCOUNT = _SQL["events_by_account"]
_EVENTS_BY_ACTOR = _SQL["events_by_actor"]
_EVENTS_BY_KIND = _SQL["events_by_kind"]
_FORGET_EVENTS = _SQL["forget_events"]
_FORGET_ORIGINS = _SQL["forget_origins"]

EVENT_TITLES: dict[str, str] = {
    "sign_in.succeeded": "Somebody signed in",
    "sign_in.failed": "A sign-in failed",
    "sign_in.blocked": "A sign-in was refused after too many failures",
    "second_factor.enabled": "An account got a second factor",
    "second_factor.disabled": "An account lost its second factor",
    "second_factor.failed": "A code of a second factor was wrong",
    "recovery_code.used": "A recovery code was used",
    "recovery_codes.replaced": "An account got new recovery codes",
    "session.ended": "A session was ended",
    "sessions.ended_all": "All sessions of an account were ended",
    "refresh_token.reused": "A refresh token came again; its session was ended",
    "authorization_code.reused": "A code came again; what it had opened was ended",
    "token.revoked": "An access token was taken back",
    "password.failed": "Somebody who was signed in had the password wrong",
    "password.changed": "A password was changed by its owner",
    "password.reset": "A password was replaced by way of the e-mail address",
    "email.changed": "An account got another e-mail address",
    "email.verified": "An address that the shop had corrected was confirmed",
    "account.created": "An account was created",
    "account.disabled": "An account was disabled",
    "account.enabled": "An account was enabled again",
    "account.erased": "A person was erased",
    "account.exported": "A person's data was exported",
    "identity.linked": "An outside identity was linked to an account",
    "identity.unlinked": "An outside identity was unlinked",
    "role.created": "A role was created",
    "role.changed": "A role was changed",
    "role.deleted": "A role was deleted",
    "role.granted": "An account was given a role",
    "role.revoked": "A role was taken from an account",
    "api_key.created": "An API key was created",
    "api_key.revoked": "An API key was revoked",
    "api_key.used": "An API key was used from an address, first time that day",
    "api_key.refused": "An API key was refused, as nobody's or as revoked",
    "client.created": "An OAuth client was created",
    "client.changed": "An OAuth client was changed",
    "client.disabled": "An OAuth client was disabled",
    "client.secret_rotated": "An OAuth client got another secret",
    "client.refused": "An OAuth client was refused for its secret",
    "consent.granted": "A person let a client act for them",
    "consent.revoked": "A person took that back",
    "signing_key.rotated": "Tokens are signed by another key",
    "signing_key.revoked": "A signing key was withdrawn",
    "protection.changed": "A limit, a level or a circuit was changed by an operator",
    "data_key.rotated": "Personal data is sealed under another key",
}
"""Everything that is recorded, and how to say it to a person."""

EVENT_KINDS = frozenset(EVENT_TITLES)

KEPT = timedelta(days=400)
"""How long events stay: a year and a month, for whoever looks once a year."""


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Something that happened."""

    id: UUID
    kind: str
    actor: str
    """Who did it: ``account:<id>``, ``key:<id>``, ``client:<id>``, ``anonymous``."""
    account_id: UUID | None
    """Whom it is about."""
    client_id: str | None
    session_id: UUID | None
    request_id: str | None
    address: str | None
    user_agent: str | None
    detail: dict[str, Any]
    happened_at: datetime


class _Sealed(msgspec.Struct, frozen=True):
    address: str | None = None
    user_agent: str | None = None


async def record(
    tx: Transaction,
    vault: Vault,
    kind: str,
    *,
    actor: str,
    origin: Origin,
    at: datetime,
    account_id: UUID | None = None,
    client_id: str | None = None,
    session_id: UUID | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Write down that something happened, in the transaction in which it does.

    *detail* is not sealed: ids and names of things, never of people.
    """
    if kind not in EVENT_KINDS:
        raise ValueError(f"{kind!r} is not a kind of security event")
    event_id, about = new_id(), (account_id, client_id, session_id)
    seen = _origin(vault, event_id, origin)
    said = origin.request_id, dict(detail or {}), seen, at
    await tx.execute(_ADD_EVENT, event_id, kind, actor, *about, *said)


def recording_sign_in(
    vault: Vault,
    *,
    account_id: UUID,
    methods: Iterable[str],
    origin: Origin,
    at: datetime,
) -> Step:
    """The same of a sign-in, as the second part of the statement that is one.

    The first part returns a row with the session's scopes, and so does this.
    """
    event_id, about = new_id(), (account_id, None, None)
    return Step(
        _ADD_EVENT_OF_SIGN_IN,
        (
            *(event_id, "sign_in.succeeded", f"account:{account_id}", *about),
            *(origin.request_id, {"methods": " ".join(methods)}),
            *(_origin(vault, event_id, origin), at),
        ),
    )


async def events(
    connection: Connection,
    vault: Vault,
    *,
    after: str | None,
    limit: int,
    kind: str | None = None,
    account_id: UUID | None = None,
    actor: str | None = None,
) -> Page[SecurityEvent]:
    """A page of what happened, newest first."""
    last = decode_id_cursor(after) if after is not None else None
    # Each has an index of its own; the server cannot choose one by what is NULL.
    if account_id is not None:
        rows = await connection.fetch(
            _EVENTS_BY_ACCOUNT, last, limit + 1, account_id, actor, kind
        )
    elif actor is not None:
        rows = await connection.fetch(_EVENTS_BY_ACTOR, last, limit + 1, actor, kind)
    elif kind is not None:
        rows = await connection.fetch(_EVENTS_BY_KIND, last, limit + 1, kind)
    else:
        rows = await connection.fetch(_LATEST_EVENTS, last, limit + 1)
    found = [_event(row, vault) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, encode_cursor(str(found[-1].id)) if more else None)


async def forget_events(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Drop up to *limit* events that were kept for long enough; returns how many."""
    return int(await tx.fetchval(_FORGET_EVENTS, now - KEPT, limit))


async def forget_origins(tx: Transaction, account_id: UUID) -> int:
    """Drop addresses and user agents of an erased person; returns of how many events.

    What others did to the account keeps theirs: they are not erased.
    """
    return int(await tx.fetchval(_FORGET_ORIGINS, account_id))


def _origin(vault: Vault, event_id: UUID, origin: Origin) -> bytes | None:
    """Where it came from, as it is stored."""
    if origin.address is None and origin.user_agent is None:
        return None
    seen = _Sealed(origin.address, origin.user_agent)
    return vault.seal_json(seen, place=_place(event_id))


def _place(event_id: UUID) -> str:
    return f"security_events:{event_id}"


def _event(row: Row, vault: Vault) -> SecurityEvent:
    seen = _Sealed()
    if row["sealed"] is not None:
        seen = vault.open_json(row["sealed"], _Sealed, place=_place(row["id"]))
    return SecurityEvent(
        id=row["id"],
        kind=row["kind"],
        actor=row["actor"],
        account_id=row["account_id"],
        client_id=row["client_id"],
        session_id=row["session_id"],
        request_id=row["request_id"],
        address=seen.address,
        user_agent=seen.user_agent,
        detail=row["detail"],
        happened_at=row["happened_at"],
    )
