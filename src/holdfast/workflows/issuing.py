"""What a session's client is given: an access token, a refresh token, an id token."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.domain import oauth
from holdfast.domain.accounts import Session
from holdfast.domain.oauth import Client, SigningKey
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Transaction


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """Tokens, as RFC 6749 5.1 names what is told of them."""

    access_token: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105 - the type, RFC 6750


def gets_refresh_token(client: Client, scopes: Iterable[str]) -> bool:
    """Whether a grant outlives its access token.

    The client must be registered for it. The shop's own always do; others only if the
    person agreed to ``offline_access``.
    """
    return "refresh_token" in client.grant_types and (
        client.first_party or "offline_access" in scopes
    )


async def issue(
    tx: Transaction,
    key: SigningKey,
    session: Session,
    client: Client,
    scopes: Iterable[str],
    *,
    issuer: str,
    at: datetime,
    nonce: str | None = None,
    refresh_token: str | None = None,
) -> Issued:
    """Make the tokens of a session: access, refresh where it may, id on ``openid``.

    Of *refresh_token*, the one that follows the one just used, none is made.

    *key* is that of ``KeyRing.signer``, asked before the transaction was opened.
    *scopes* may be fewer than the session's; a refresh token always stands for all.
    """
    if refresh_token is None and gets_refresh_token(client, session.scopes):
        refresh_token = await oauth.new_refresh_token(tx, session.id, at)
    return sign(
        *(key, session, client, scopes),
        issuer=issuer,
        at=at,
        nonce=nonce,
        refresh_token=refresh_token,
    )


def sign(
    key: SigningKey,
    session: Session,
    client: Client,
    scopes: Iterable[str],
    *,
    issuer: str,
    at: datetime,
    nonce: str | None = None,
    refresh_token: str | None = None,
) -> Issued:
    """The same, with the refresh token that was stored, if one was."""
    granted = tuple(scopes)
    access_token = oauth.sign_access_token(
        key,
        issuer=issuer,
        account_id=session.account_id,
        client_id=client.id,
        session_id=session.id,
        scopes=granted,
        authenticated_at=session.authenticated_at,
        methods=session.methods,
        token_id=new_id(),
        at=at,
    )
    id_token = None
    if "openid" in granted:
        id_token = oauth.sign_id_token(
            key,
            issuer=issuer,
            client_id=client.id,
            account_id=session.account_id,
            nonce=nonce,
            access_token=access_token,
            authenticated_at=session.authenticated_at,
            methods=session.methods,
            session_id=session.id,
            claims={},
            at=at,
        )
    return Issued(
        access_token,
        oauth.ACCESS_TOKEN_SECONDS,
        " ".join(granted),
        refresh_token,
        id_token,
    )
