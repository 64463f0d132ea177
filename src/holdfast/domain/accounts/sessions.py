"""Sessions: sign-ins that last, of browsers, of first-party clients, of OAuth grants.

A browser's session slides: each use moves its end to two weeks later, but never past
30 days from its beginning. A session of tokens lasts 90 days whatever happens. Every
cookie is made here and only its hash is kept: a value that a client chose opens
nothing. A session that ended stays on record, and proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

import msgspec

from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

BROWSER_IDLE = timedelta(days=14)
BROWSER_LONGEST = timedelta(days=30)
TOKENS_LONGEST = timedelta(days=90)
SESSIONS_KEPT = timedelta(days=30)
"""How long a session stays on record after it has expired."""
SEEN_EVERY = timedelta(minutes=1)
"""A use is written down at most once in this time."""

SessionKind: TypeAlias = Literal["browser", "first_party", "grant"]

_SQL = sql.load("holdfast.domain.accounts")
_OPEN_SESSION = _SQL["open_session"]
_SESSION = _SQL["session"]
_BROWSER_SESSION = _SQL["browser_session"]
_SESSIONS_OF = _SQL["sessions_of"]
_TOUCH_SESSION = _SQL["touch_session"]
_END_SESSION = _SQL["end_session"]
_END_SESSIONS = _SQL["end_sessions"]
_FORGET_SESSIONS = _SQL["forget_sessions"]


class Whence(Protocol):
    """Where a request came from."""

    @property
    def address(self) -> str | None: ...

    @property
    def user_agent(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that lasts; ``scopes`` is empty for a browser's."""

    id: UUID
    account_id: UUID
    kind: SessionKind
    client_id: str | None
    scopes: tuple[str, ...]
    methods: tuple[str, ...]
    """How its owner proved who they are (RFC 8176): pwd, otp, mfa, fed."""
    authenticated_at: datetime
    address: str | None
    user_agent: str | None
    created_at: datetime
    seen_at: datetime
    """When it was last used, to the minute."""
    expires_at: datetime
    ended_at: datetime | None = None

    def alive(self, at: datetime) -> bool:
        """Whether it still proves anything at this moment."""
        return self.ended_at is None and self.expires_at > at


class _Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed: where the session was opened, and with what."""

    address: str | None = None
    user_agent: str | None = None


def expiry_of(kind: SessionKind, at: datetime) -> datetime:
    """When a session that is opened now ends at the latest, if it is not used."""
    return at + (BROWSER_IDLE if kind == "browser" else TOKENS_LONGEST)


def new_session(
    *,
    account_id: UUID,
    kind: SessionKind,
    client_id: str | None,
    scopes: Iterable[str],
    methods: Iterable[str],
    authenticated_at: datetime,
    origin: Whence,
    expires_at: datetime,
    at: datetime,
) -> Session:
    """A session that is stored nowhere yet."""
    return Session(
        id=new_id(),
        account_id=account_id,
        kind=kind,
        client_id=client_id,
        scopes=tuple(sorted(set(scopes))),
        methods=tuple(methods),
        authenticated_at=authenticated_at,
        address=origin.address,
        user_agent=origin.user_agent,
        created_at=at,
        seen_at=at,
        expires_at=expires_at,
    )


def sealed_device(vault: Vault, session: Session) -> bytes:
    """Where a session is opened and with what, as it is stored."""
    device = _Device(session.address, session.user_agent)
    return vault.seal_json(device, place=_place(session.id))


async def open_session(
    tx: Transaction,
    vault: Vault,
    *,
    account_id: UUID,
    kind: SessionKind,
    client_id: str | None,
    scopes: Iterable[str],
    methods: Iterable[str],
    authenticated_at: datetime,
    origin: Whence,
    cookie: str | None,
    expires_at: datetime,
    at: datetime,
) -> Session:
    """Store a new session; *cookie* must be a fresh token, for a browser's alone."""
    session = new_session(
        account_id=account_id,
        kind=kind,
        client_id=client_id,
        scopes=scopes,
        methods=methods,
        authenticated_at=authenticated_at,
        origin=origin,
        expires_at=expires_at,
        at=at,
    )
    await tx.execute(
        _OPEN_SESSION,
        session.id,
        account_id,
        kind,
        client_id,
        session.scopes,
        None if cookie is None else tokens.fingerprint(cookie),
        session.methods,
        authenticated_at,
        sealed_device(vault, session),
        at,
        expires_at,
    )
    return session


async def session(
    connection: Connection, vault: Vault, session_id: UUID
) -> Session | None:
    """A session, ended ones included; None if there is no such."""
    row = await connection.fetchrow(_SESSION, session_id)
    return None if row is None else _session(row, vault)


async def browser_session(
    connection: Connection, vault: Vault, cookie: str, at: datetime
) -> Session | None:
    """The live session of a cookie, if its account may still sign in."""
    if not tokens.plausible(cookie, tokens.BROWSER):
        return None
    row = await connection.fetchrow(_BROWSER_SESSION, tokens.fingerprint(cookie), at)
    return None if row is None else _session(row, vault)


async def sessions_of(
    connection: Connection, vault: Vault, account_id: UUID, at: datetime
) -> list[Session]:
    """Every live session of an account, newest first."""
    rows = await connection.fetch(_SESSIONS_OF, account_id, at, None, None)
    return [_session(row, vault) for row in rows]


async def browse_sessions(
    connection: Connection,
    vault: Vault,
    account_id: UUID,
    at: datetime,
    *,
    after: str | None,
    limit: int,
) -> Page[Session]:
    """A page of the live sessions of an account, newest first."""
    last = None if after is None else decode_id_cursor(after)
    rows = await connection.fetch(_SESSIONS_OF, account_id, at, last, limit + 1)
    found = [_session(row, vault) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, encode_cursor(str(found[-1].id)) if more else None)


async def touch_session(tx: Transaction, session_id: UUID, at: datetime) -> bool:
    """Note that a session is used, and let a browser's last longer.

    Writes at most once a minute; returns whether it did.
    """
    return await tx.fetchval(_TOUCH_SESSION, session_id, at) is not None


async def end_session(
    tx: Transaction,
    session_id: UUID,
    *,
    account_id: UUID | None = None,
    reason: str,
    at: datetime,
) -> bool:
    """End a session, of *account_id* only if that is given.

    Returns whether it was there, belonged to that account and had not ended.
    """
    row = await tx.fetchrow(_END_SESSION, session_id, account_id, reason, at)
    return row is not None


async def end_sessions(
    tx: Transaction,
    account_id: UUID,
    *,
    reason: str,
    at: datetime,
    keep: UUID | None = None,
    client_id: str | None = None,
) -> int:
    """End every session of an account but *keep*; returns how many.

    With *client_id*, only those of that OAuth client.
    """
    rows = await tx.fetch(_END_SESSIONS, account_id, keep, client_id, reason, at)
    return len(rows)


async def forget_sessions(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete up to *limit* sessions that expired a month ago; returns how many."""
    return len(await tx.fetch(_FORGET_SESSIONS, now - SESSIONS_KEPT, limit))


def _place(session_id: UUID) -> str:
    return f"sessions:{session_id}"


def _session(row: Row, vault: Vault) -> Session:
    device = _Device()
    if row["sealed"] is not None:
        device = vault.open_json(row["sealed"], _Device, place=_place(row["id"]))
    return Session(
        id=row["id"],
        account_id=row["account_id"],
        kind=row["kind"],
        client_id=row["client_id"],
        scopes=tuple(row["scopes"]),
        methods=tuple(row["methods"]),
        authenticated_at=row["authenticated_at"],
        address=device.address,
        user_agent=device.user_agent,
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
    )
