"""Access tokens taken back before they expired, and what the others still allow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.oauth.jwt import AccessClaims
from holdfast.platform import sql
from holdfast.platform.db import Connection, Transaction

_SQL = sql.load("holdfast.domain.oauth")
_STANDING = _SQL["standing"]
_REVOKE_TOKEN = _SQL["revoke_token"]
_FORGET_REVOKED_TOKENS = _SQL["forget_revoked_tokens"]


async def standing(
    connection: Connection,
    tokens: Sequence[AccessClaims],
    *,
    at: datetime,
    of_no_role: Iterable[str] = (),
) -> Mapping[UUID, frozenset[str]]:
    """By token id, the scopes that its client and its account's roles have now.

    For scopes *of_no_role*, what a client may learn of a person, the client's word is
    enough. One statement for all. A token that is missing from the answer is worth
    nothing any more: revoked, its session ended, its account or client disabled, its
    key taken off the list.
    """
    rows = await connection.fetch(
        _STANDING,
        [token.token_id for token in tokens],
        [token.session_id for token in tokens],
        [token.account_id for token in tokens],
        [token.client_id for token in tokens],
        [token.key_id for token in tokens],
        at,
        list(of_no_role),
    )
    return {row["token_id"]: frozenset(row["scopes"]) for row in rows}


async def revoke_token(
    tx: Transaction, token_id: UUID, *, expires_at: datetime
) -> bool:
    """Take an access token back; False if it was already."""
    return await tx.fetchval(_REVOKE_TOKEN, token_id, expires_at) is not None


async def forget_revoked_tokens(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete what is known of tokens that have expired; returns how many."""
    return len(await tx.fetch(_FORGET_REVOKED_TOKENS, now, limit))
