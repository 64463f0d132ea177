"""Sign in to the shop's own applications, which take the password themselves.

Only clients that are marked so may: from any other, people would learn to type their
password into whatever asks for it.

A password that is right, and all there is to ask for, becomes a session in one
statement: the attempt given back, the place, the record, the session and its refresh
token are one commit, and a process that dies leaves nobody half signed in.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import Client, KeyRing
from holdfast.kernel import tokens
from holdfast.kernel.errors import Forbidden
from holdfast.platform.db import Connection
from holdfast.workflows import attempts, issuing
from holdfast.workflows.issuing import Issued
from holdfast.workflows.sign_in import (
    ONE_FACTOR,
    InvalidLogin,
    Proved,
    Right,
    SecondFactorNeeded,
    SignIn,
)
from holdfast.workflows.tokens import Credentials


@dataclass(eq=False)
class ClientNotFirstParty(Forbidden):
    """This client may not take passwords, or its credentials are not right."""


async def client_of(connection: Connection, credentials: Credentials) -> Client:
    """The client, if it is one of the shop's own; ``ClientNotFirstParty``.

    That is caused by ``oauth.ClientRefused`` where its secret is wrong.
    """
    try:
        client = await oauth.authenticate(
            connection, credentials.client_id, credentials.secret
        )
    except oauth.RequestRefused as refused:
        raise ClientNotFirstParty from refused
    if not client.first_party:
        raise ClientNotFirstParty
    return client


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A session of a first-party client, with its first tokens."""

    session: Session
    issued: Issued
    place: str
    """To be kept where they signed in, and shown at the next sign-in."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Opens sessions of one *client*, for what somebody may do of *scopes*."""

    doors: SignIn
    keyring: KeyRing
    client: Client
    scopes: tuple[str, ...]
    issuer: str
    origin: Origin

    async def by_password(
        self, email: str, password: str, *, place: str | None
    ) -> Opened | SecondFactorNeeded:
        """Open a session if the password is right. Raises as ``SignIn`` does."""
        async with self.doors.hasher.turn():
            right = await self.doors.check(
                email, password, origin=self.origin, place=place
            )
            if right.is_all:
                return await self._open_at_once(right)
            proved = await self.doors.admit(
                right, origin=self.origin, client=self.client.id
            )
        if isinstance(proved, SecondFactorNeeded):
            return proved
        return await self._open(proved)

    async def by_code(self, challenge: str, code: str) -> Opened:
        """Open a session if the code is right. Raises as ``SignIn`` does."""
        proved = await self.doors.by_code(
            challenge, code, origin=self.origin, client=self.client.id
        )
        return await self._open(proved)

    async def _open_at_once(self, right: Right) -> Opened:
        """The same as ``SignIn.admit`` and ``_open``, in one statement."""
        db, vault, now = self.doors.db, self.doors.vault, self.doors.clock()
        key = await self.keyring.signer()
        place = right.place or tokens.new_token(tokens.PLACE)
        wanted = accounts.new_session(
            account_id=right.account_id,
            kind="first_party",
            client_id=self.client.id,
            scopes=self.scopes,
            methods=ONE_FACTOR,
            authenticated_at=now,
            origin=self.origin,
            expires_at=accounts.expiry_of("first_party", now),
            at=now,
        )
        step = accounts.entering(
            vault,
            wanted,
            password_changed_at=right.known.password_changed_at,
            claim=right.claim,
            places=attempts.places_of(vault, place, self.origin),
            of_no_role=identity.IDENTITY_SCOPES,
        )
        refresh_token = None
        if issuing.gets_refresh_token(self.client, self.scopes):
            refresh_token, keeping = oauth.refresh_token_of_sign_in(now)
            step = step.then(keeping)
        step = step.then(
            identity.recording_sign_in(
                vault,
                account_id=right.account_id,
                methods=ONE_FACTOR,
                origin=self.origin,
                at=now,
            )
        )
        async with db.statement() as tx:
            row = await tx.fetchrow(step.statement, *step.args)
        if row is None:
            # Hashing took its time: the password is another by now.
            raise InvalidLogin
        session = replace(wanted, scopes=tuple(row["scopes"]))
        issued = issuing.sign(
            *(key, session, self.client, self._granted(session.scopes)),
            issuer=self.issuer,
            at=now,
            refresh_token=refresh_token,
        )
        return Opened(session, issued, place)

    async def _open(self, proved: Proved) -> Opened:
        """Open a session for whoever *proved* who they are.

        It gets those scopes that a role of the person has at this moment. Raises
        ``InvalidLogin`` if the proof is worth nothing any more.
        """
        key, now = await self.keyring.signer(), self.doors.clock()
        async with self.doors.db.transaction() as tx:
            await proved.hold(tx)
            held = await identity.scopes_of_account(tx, proved.account_id)
            granted = self._granted(held.union(identity.IDENTITY_SCOPES))
            session = await accounts.open_session(
                tx,
                self.doors.vault,
                account_id=proved.account_id,
                kind="first_party",
                client_id=self.client.id,
                scopes=granted,
                methods=proved.methods,
                authenticated_at=proved.authenticated_at,
                origin=self.origin,
                cookie=None,
                expires_at=accounts.expiry_of("first_party", now),
                at=now,
            )
            issued = await issuing.issue(
                tx, key, session, self.client, granted, issuer=self.issuer, at=now
            )
        return Opened(session, issued, proved.place)

    def _granted(self, held: Collection[str]) -> tuple[str, ...]:
        """Of the scopes, in the order in which they were asked for, those *held*."""
        return tuple(scope for scope in self.scopes if scope in held)
