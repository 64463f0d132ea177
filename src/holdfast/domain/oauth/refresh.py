"""Refresh tokens in the database: each is used once, and its use makes the next.

The session is the family, and a family is one line: what follows a token is a keyed
hash of it. A client that asks twice at once is given the same token twice, and so is
whoever asks with a copy in that moment: one of the two comes second with the next. A
used token stays on record until it would have expired: if it comes again, somebody has
a copy.
"""

from datetime import datetime
from uuid import UUID

from holdfast.domain.oauth.model import REFRESH_TOKEN_LIFETIME, RefreshToken, Used
from holdfast.kernel.tokens import REFRESH, fingerprint, mint, new_token
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.oauth")
_ADD_REFRESH_TOKEN = _SQL["add_refresh_token"]
_ADD_REFRESH_TOKEN_OF_SIGN_IN = _SQL["add_refresh_token_of_sign_in"]
_ADD_NEXT_REFRESH_TOKEN = _SQL["add_next_refresh_token"]
_USE_REFRESH_TOKEN = _SQL["use_refresh_token"]
_SESSION_OF_REFRESH_TOKEN = _SQL["session_of_refresh_token"]
_FIND_REFRESH_TOKEN = _SQL["find_refresh_token"]
_FORGET_REFRESH_TOKENS = _SQL["forget_refresh_tokens"]
# More refreshes of one session than anybody makes in the ten seconds of grace.
_MOST_STEPS = 20


async def new_refresh_token(tx: Transaction, session_id: UUID, at: datetime) -> str:
    """Make a refresh token of a session; only its hash is kept."""
    token = new_token(REFRESH)
    expires_at = at + REFRESH_TOKEN_LIFETIME
    await tx.execute(_ADD_REFRESH_TOKEN, fingerprint(token), session_id, at, expires_at)
    return token


def refresh_token_of_sign_in(at: datetime) -> tuple[str, sql.Step]:
    """The same, as the second part of the statement that opens the session.

    The first part returns a row with the session's id, end and scopes; this one returns
    the id and the scopes.
    """
    token = new_token(REFRESH)
    args = fingerprint(token), at, at + REFRESH_TOKEN_LIFETIME
    return token, sql.Step(_ADD_REFRESH_TOKEN_OF_SIGN_IN, args)


async def next_refresh_token(
    tx: Transaction, vault: Vault, token: str, session_id: UUID, at: datetime
) -> str | None:
    """The first token after a used one that is not used itself.

    None if the line is longer than a client that asks twice at once can make it.
    """
    expires_at = at + REFRESH_TOKEN_LIFETIME
    for _ in range(_MOST_STEPS):
        token = mint(REFRESH, vault.index(token, purpose="refresh"))
        digest = fingerprint(token)
        if not await tx.fetchval(
            _ADD_NEXT_REFRESH_TOKEN, digest, session_id, at, expires_at
        ):
            return token
    return None


async def use_refresh_token(
    tx: Transaction, token: str, client_id: str, at: datetime
) -> Used | None:
    """Use a token; None if it is not to be used by this client now."""
    row = await tx.fetchrow(_USE_REFRESH_TOKEN, fingerprint(token), client_id, at)
    return None if row is None else Used(row["session_id"], row["used_before"])


async def session_of_refresh_token(
    connection: Connection, token: str, client_id: str
) -> tuple[UUID, UUID] | None:
    """The session and account of a token of this client, used or not; else None."""
    row = await connection.fetchrow(
        _SESSION_OF_REFRESH_TOKEN, fingerprint(token), client_id
    )
    return None if row is None else (row["id"], row["account_id"])


async def find_refresh_token(
    connection: Connection, token: str, at: datetime
) -> RefreshToken | None:
    """A token that could be used now; looking at it changes nothing."""
    row = await connection.fetchrow(_FIND_REFRESH_TOKEN, fingerprint(token), at)
    if row is None:
        return None
    return RefreshToken(
        session_id=row["session_id"],
        client_id=row["client_id"],
        account_id=row["account_id"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )


async def forget_refresh_tokens(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete those that have expired; returns how many."""
    return len(await tx.fetch(_FORGET_REFRESH_TOKENS, now, limit))
