"""Tokens for what was granted: the token endpoint's work, and taking tokens back.

Each function is one transaction, the client's credentials included. What is refused as
reuse is written down in the transaction that refuses it, and told after the commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import (
    AccessClaims,
    Client,
    Code,
    GrantType,
    KeyRing,
    RequestRefused,
    TokenRefused,
)
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows.issuing import Issued, gets_refresh_token, issue

_NOT_VALID = "It is not valid: unknown, used, expired, or of another client"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a client says it is; without secret if it is public."""

    client_id: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Gives tokens to clients, and takes them back."""

    db: Database
    vault: Vault
    keyring: KeyRing
    issuer: str
    clock: Clock

    async def redeem(
        self,
        credentials: Credentials,
        *,
        code: str,
        redirect_uri: str,
        verifier: str,
        origin: Origin,
    ) -> Issued:
        """Give tokens for an authorization code (RFC 6749 4.1.3, RFC 7636 4.5).

        Raises ``RequestRefused``. A code that was redeemed before ends what it was
        redeemed for. A try that fails otherwise leaves the code as it was.
        """
        key, now = await self.keyring.signer(), self.clock()
        async with self.db.transaction() as tx:
            client = await authenticated(tx, credentials, "authorization_code")
            issued = None
            if (challenge := oauth.challenge_of(verifier)) is not None:
                redeemed = await oauth.redeem_code(
                    tx,
                    code,
                    client_id=client.id,
                    redirect_uri=redirect_uri,
                    code_challenge=challenge,
                    at=now,
                )
                if redeemed is not None:
                    scopes = _narrowed(redeemed.scopes, client.scopes, None)
                    session = await self._open(
                        tx, client, replace(redeemed, scopes=scopes), origin, now
                    )
                    await oauth.note_session(tx, code, session.id)
                    issued = await issue(
                        tx,
                        key,
                        session,
                        client,
                        scopes,
                        issuer=self.issuer,
                        at=now,
                        nonce=redeemed.nonce,
                    )
            if issued is None:
                known = await oauth.session_of_used_code(tx, code, client.id)
                if known is not None:
                    kind = "authorization_code.reused"
                    await self._end(tx, kind, client, known, origin=origin, at=now)
        if issued is None:
            raise RequestRefused("invalid_grant", _NOT_VALID)
        return issued

    async def refresh(
        self,
        credentials: Credentials,
        *,
        token: str,
        scopes: frozenset[str] | None,
        origin: Origin,
    ) -> Issued:
        """Give new tokens for a refresh token, which is used up (RFC 9700 4.14.2).

        One that comes again within ten seconds is the same client asking twice at
        once, and gets the same again; later, somebody has a copy: the session ends.
        *scopes* are fewer than were granted, or None for all. Raises
        ``RequestRefused``.
        """
        key, now = await self.keyring.signer(), self.clock()
        issued = None
        async with self.db.transaction() as tx:
            client = await authenticated(tx, credentials, "refresh_token")
            used = await oauth.use_refresh_token(tx, token, client.id, now)
            if used is not None:
                session = await accounts.session(tx, self.vault, used.session_id)
                if session is None:
                    raise RuntimeError("a refresh token has no session")
                if used.before is None or now - used.before <= oauth.REFRESH_GRACE:
                    granted = _narrowed(session.scopes, client.scopes, scopes)
                    await accounts.touch_session(tx, session.id, now)
                    following = None
                    if gets_refresh_token(client, session.scopes):
                        following = await self._following(tx, token, session.id, now)
                    issued = await issue(
                        *(tx, key, session, client, granted),
                        issuer=self.issuer,
                        at=now,
                        refresh_token=following,
                    )
                else:
                    kind, whose = (
                        "refresh_token.reused",
                        (session.id, session.account_id),
                    )
                    await self._end(tx, kind, client, whose, origin=origin, at=now)
        if issued is None:
            raise RequestRefused("invalid_grant", _NOT_VALID)
        return issued

    async def for_itself(
        self, credentials: Credentials, *, scopes: frozenset[str] | None
    ) -> Issued:
        """Give a client a token of its own (RFC 6749 4.4); never a refresh token.

        It is good for what an API key could do. Without *scopes*, for all of that the
        client was registered for. Raises ``RequestRefused``.
        """
        key, now = await self.keyring.signer(), self.clock()
        client = await authenticated(self.db, credentials, "client_credentials")
        own = tuple(s for s in client.scopes if s in identity.KEY_SCOPES)
        granted = _narrowed(own, own, scopes)
        access_token = oauth.sign_access_token(
            key,
            issuer=self.issuer,
            account_id=None,
            client_id=client.id,
            session_id=None,
            scopes=granted,
            authenticated_at=None,
            methods=(),
            token_id=new_id(),
            at=now,
        )
        return Issued(access_token, oauth.ACCESS_TOKEN_SECONDS, " ".join(granted))

    async def revoke(
        self, credentials: Credentials, *, token: str, origin: Origin
    ) -> None:
        """Take a token back (RFC 7009); with a refresh token goes its whole session.

        What is unknown, or another client's, is left alone, and nothing is told of it.
        """
        now = self.clock()
        claims = await self._claims(token, now)
        async with self.db.transaction() as tx:
            client = await authenticated(tx, credentials)
            if claims is not None and claims.client_id == client.id:
                if await oauth.revoke_token(
                    tx, claims.token_id, expires_at=claims.expires_at
                ):
                    await self._note(
                        tx,
                        "token.revoked",
                        client,
                        claims.session_id,
                        claims.account_id,
                        origin=origin,
                        at=now,
                    )
            elif tokens.plausible(token, tokens.REFRESH):
                known = await oauth.session_of_refresh_token(tx, token, client.id)
                if known is not None:
                    await self._end(
                        tx, "token.revoked", client, known, origin=origin, at=now
                    )

    async def _following(
        self, tx: Transaction, token: str, session_id: UUID, at: datetime
    ) -> str:
        found = await oauth.next_refresh_token(tx, self.vault, token, session_id, at)
        if found is None:
            raise RequestRefused("invalid_grant", _NOT_VALID)
        return found

    async def _claims(self, token: str, at: datetime) -> AccessClaims | None:
        try:
            return await oauth.verify(
                token, keys=self.keyring, issuer=self.issuer, at=at
            )
        except TokenRefused:
            return None

    async def _open(
        self, tx: Transaction, client: Client, code: Code, origin: Origin, at: datetime
    ) -> Session:
        """The session that a code is redeemed for: the family of its tokens."""
        lasts = gets_refresh_token(client, code.scopes)
        return await accounts.open_session(
            tx,
            self.vault,
            account_id=code.account_id,
            kind="grant",
            client_id=client.id,
            scopes=code.scopes,
            methods=code.methods,
            authenticated_at=code.authenticated_at,
            origin=origin,
            cookie=None,
            # Without refresh tokens nothing of it is left after the access token.
            expires_at=accounts.expiry_of("grant", at)
            if lasts
            else at + timedelta(seconds=oauth.ACCESS_TOKEN_SECONDS),
            at=at,
        )

    async def _end(
        self,
        tx: Transaction,
        kind: str,
        client: Client,
        whose: tuple[UUID, UUID],
        *,
        origin: Origin,
        at: datetime,
    ) -> None:
        """End a session because of *kind*; once, however often it is asked."""
        if await accounts.end_session(tx, whose[0], reason=kind, at=at):
            await self._note(tx, kind, client, *whose, origin=origin, at=at)

    async def _note(
        self,
        tx: Transaction,
        kind: str,
        client: Client,
        session_id: UUID | None,
        account_id: UUID | None,
        *,
        origin: Origin,
        at: datetime,
    ) -> None:
        await identity.record(
            tx,
            self.vault,
            kind,
            actor=f"client:{client.id}",
            origin=origin,
            at=at,
            account_id=account_id,
            client_id=client.id,
            session_id=session_id,
        )


async def authenticated(
    connection: Connection, credentials: Credentials, grant: GrantType | None = None
) -> Client:
    """The client that *credentials* belong to, if it may use that grant.

    Raises ``RequestRefused``, of which ``ClientRefused`` is for us alone: what is wrong
    with the credentials is not told.
    """
    client = await oauth.authenticate(
        connection, credentials.client_id, credentials.secret
    )
    if grant is not None and grant not in client.grant_types:
        raise RequestRefused(
            "unauthorized_client", f"The client is not registered for {grant}"
        )
    return client


def _narrowed(
    granted: Iterable[str], registered: Iterable[str], wanted: frozenset[str] | None
) -> tuple[str, ...]:
    """Of what was granted and is still registered, all or what is *wanted*."""
    still = frozenset(registered)
    able = tuple(scope for scope in granted if scope in still)
    if wanted is not None and not wanted.issubset(able):
        raise RequestRefused("invalid_scope", "More than was granted to the client")
    chosen = able if wanted is None else tuple(s for s in able if s in wanted)
    if not chosen:
        raise RequestRefused("invalid_scope", "Nothing is granted to the client")
    return chosen
