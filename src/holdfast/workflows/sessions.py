"""Open sessions, use them and end them.

Ending one makes its refresh tokens worthless at once and its access tokens within five
seconds, which is how long a process remembers that a token was good.
"""

from dataclasses import dataclass
from uuid import UUID

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import NotFound
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.sign_in import Proved


@dataclass(eq=False)
class SessionNotFound(NotFound):
    """There is no such session, or it has ended, or it is somebody else's."""

    session_id: UUID


async def open_browser_session(
    db: Database,
    vault: Vault,
    proved: Proved,
    *,
    origin: Origin,
    clock: Clock,
    replaces: UUID | None = None,
) -> tuple[Session, str]:
    """Open a session for a browser; returns it with the value of its cookie.

    The value is always a new one. *replaces* is the session that the browser had until
    now, if any; it ends in the same transaction. Raises ``InvalidLogin`` if the
    proof is worth nothing any more.
    """
    now, cookie = clock(), tokens.new_token(tokens.BROWSER)
    async with db.transaction() as tx:
        await proved.hold(tx)
        if replaces is not None:
            await accounts.end_session(tx, replaces, reason="replaced", at=now)
        session = await accounts.open_session(
            tx,
            vault,
            account_id=proved.account_id,
            kind="browser",
            client_id=None,
            scopes=(),
            methods=proved.methods,
            authenticated_at=proved.authenticated_at,
            origin=origin,
            cookie=cookie,
            expires_at=accounts.expiry_of("browser", now),
            at=now,
        )
    return session, cookie


async def use_browser_session(
    db: Database, vault: Vault, cookie: str, *, clock: Clock
) -> Session | None:
    """The live session of a cookie, which lasts longer for being used.

    Costs one read, and one write a minute. None if the cookie opens nothing.
    """
    now = clock()
    session = await accounts.browser_session(db, vault, cookie, now)
    if session is not None and now - session.seen_at >= accounts.SEEN_EVERY:
        async with db.statement() as tx:
            await accounts.touch_session(tx, session.id, now)
    return session


async def end(
    db: Database,
    vault: Vault,
    session_id: UUID,
    *,
    account_id: UUID,
    reason: str,
    actor: str,
    origin: Origin,
    clock: Clock,
) -> None:
    """End a session of an account.

    Raises ``SessionNotFound``, also when it has ended already or is another's.
    """
    now = clock()
    async with db.transaction() as tx:
        if not await accounts.end_session(
            tx, session_id, account_id=account_id, reason=reason, at=now
        ):
            raise SessionNotFound(session_id)
        await identity.record(
            tx,
            vault,
            "session.ended",
            actor=actor,
            origin=origin,
            at=now,
            account_id=account_id,
            session_id=session_id,
            detail={"reason": reason},
        )


async def end_all(
    db: Database,
    vault: Vault,
    account_id: UUID,
    *,
    keep: UUID | None = None,
    reason: str,
    actor: str,
    origin: Origin,
    clock: Clock,
) -> int:
    """End every session of an account, but *keep* if given; returns how many."""
    now = clock()
    async with db.transaction() as tx:
        # A code that is being redeemed opens its session before this, or none.
        await accounts.hold(tx, account_id, by_password=False)
        ended = await accounts.end_sessions(
            tx, account_id, reason=reason, at=now, keep=keep
        )
        await identity.record(
            tx,
            vault,
            "sessions.ended_all",
            actor=actor,
            origin=origin,
            at=now,
            account_id=account_id,
            detail={"reason": reason, "ended": ended},
        )
    return ended
