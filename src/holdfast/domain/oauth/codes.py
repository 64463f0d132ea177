"""Authorization codes in the database: each is good for one redemption.

Only hashes are kept. Rows stay a day beyond their minute, so that a code that comes
again is known for what it is.
"""

from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain.oauth.model import AUTHORIZATION_CODE_LIFETIME, Code
from holdfast.kernel.tokens import fingerprint
from holdfast.platform import sql
from holdfast.platform.db import Transaction

_SQL = sql.load("holdfast.domain.oauth")
_ADD_CODE = _SQL["add_code"]
_REDEEM_CODE = _SQL["redeem_code"]
_NOTE_SESSION_OF_CODE = _SQL["note_session_of_code"]
_SESSION_OF_USED_CODE = _SQL["session_of_used_code"]
_WITHDRAW_CODES = _SQL["withdraw_codes"]
_FORGET_CODES = _SQL["forget_codes"]

_REMEMBERED = timedelta(days=1)


async def add_code(tx: Transaction, token: str, code: Code, at: datetime) -> None:
    """Store a code; it expires after a minute."""
    await tx.execute(
        _ADD_CODE,
        fingerprint(token),
        code.client_id,
        code.account_id,
        code.redirect_uri,
        code.code_challenge,
        code.scopes,
        code.nonce,
        code.methods,
        code.authenticated_at,
        code.browser_session_id,
        at,
        at + AUTHORIZATION_CODE_LIFETIME,
    )


async def redeem_code(
    tx: Transaction,
    token: str,
    *,
    client_id: str,
    redirect_uri: str,
    code_challenge: str,
    at: datetime,
) -> Code | None:
    """Use a code; None if it is not to be used like this, whatever the reason."""
    row = await tx.fetchrow(
        _REDEEM_CODE,
        fingerprint(token),
        client_id,
        redirect_uri,
        code_challenge,
        at,
    )
    if row is None:
        return None
    return Code(
        client_id=row["client_id"],
        account_id=row["account_id"],
        redirect_uri=row["redirect_uri"],
        code_challenge=row["code_challenge"],
        scopes=tuple(row["scopes"]),
        nonce=row["nonce"],
        methods=tuple(row["methods"]),
        authenticated_at=row["authenticated_at"],
        browser_session_id=row["browser_session_id"],
    )


async def note_session(tx: Transaction, token: str, session_id: UUID) -> None:
    """Write down what a code was redeemed for, in case it comes again."""
    await tx.execute(_NOTE_SESSION_OF_CODE, fingerprint(token), session_id)


async def session_of_used_code(
    tx: Transaction, token: str, client_id: str
) -> tuple[UUID, UUID] | None:
    """The session and account of a code that was redeemed before; None if not."""
    row = await tx.fetchrow(_SESSION_OF_USED_CODE, fingerprint(token), client_id)
    return None if row is None else (row["session_id"], row["account_id"])


async def withdraw_codes(
    tx: Transaction, client_id: str, account_id: UUID | None = None
) -> None:
    """Forget the codes of a client that were not redeemed, of one account or all."""
    await tx.execute(_WITHDRAW_CODES, client_id, account_id)


async def forget_codes(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete what has been of no use for a day; returns how many."""
    return len(await tx.fetch(_FORGET_CODES, now - _REMEMBERED, limit))
