"""Sign in to the shop's own applications, which take the password themselves.

Only clients that are marked so may: from any other, people would learn to type their
password into whatever asks for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Session
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import Client, KeyRing
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import Forbidden
from holdfast.platform.db import Connection, Database
from holdfast.platform.vault import Vault
from holdfast.workflows import tokens
from holdfast.workflows.sign_in import Proved
from holdfast.workflows.tokens import Credentials, Issued


@dataclass(eq=False)
class ClientNotFirstParty(Forbidden):
    """This client may not take passwords, or its credentials are not right."""


async def client_of(connection: Connection, credentials: Credentials) -> Client:
    """The client, if it is one of the shop's own; ``ClientNotFirstParty``."""
    client = await oauth.authenticate(
        connection, credentials.client_id, credentials.secret
    )
    if client is None or not client.first_party:
        raise ClientNotFirstParty
    return client


async def open_session(
    db: Database,
    vault: Vault,
    keyring: KeyRing,
    client: Client,
    proved: Proved,
    *,
    scopes: Iterable[str],
    issuer: str,
    origin: Origin,
    clock: Clock,
) -> tuple[Session, Issued]:
    """Open a session of a first-party client, with its first tokens.

    Of *scopes* it gets those that a role of the person has at this moment. Raises
    ``InvalidLogin`` if the proof is worth nothing any more.
    """
    key = await keyring.signer()
    now = clock()
    async with db.transaction() as tx:
        await proved.hold(tx)
        held = await identity.scopes_of_account(tx, proved.account_id)
        granted = tuple(s for s in scopes if s in held or s in identity.IDENTITY_SCOPES)
        session = await accounts.open_session(
            tx,
            vault,
            account_id=proved.account_id,
            kind="first_party",
            client_id=client.id,
            scopes=granted,
            methods=proved.methods,
            authenticated_at=proved.authenticated_at,
            origin=origin,
            cookie=None,
            expires_at=accounts.expiry_of("first_party", now),
            at=now,
        )
        issued = await tokens.issue(
            tx, key, session, client, granted, issuer=issuer, at=now
        )
    return session, issued
