"""Clients in the database, and what people allowed them."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from holdfast.domain.oauth.errors import (
    NOT_AUTHENTICATED,
    ClientNotFound,
    ClientRefused,
    ConsentNotFound,
    RequestRefused,
)
from holdfast.domain.oauth.model import Client, Consent
from holdfast.kernel.page import Page, decode_cursor, encode_cursor
from holdfast.kernel.tokens import CLIENT_SECRET, fingerprint, plausible
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction

_SQL = sql.load("holdfast.domain.oauth")
_ADD_CLIENT = _SQL["add_client"]
_FIND_CLIENT = _SQL["find_client"]
_FIND_CREDENTIALS = _SQL["find_credentials"]
_BROWSE_CLIENTS = _SQL["browse_clients"]
_LOCK_CLIENT = _SQL["lock_client"]
_CHANGE_CLIENT = _SQL["change_client"]
_DISABLE_CLIENT = _SQL["disable_client"]
_CHANGE_SECRET = _SQL["change_secret"]
_CONSENTED_SCOPES = _SQL["consented_scopes"]
_REMEMBER_CONSENT = _SQL["remember_consent"]
_CONSENTS_OF = _SQL["consents_of"]
_WITHDRAW_CONSENT = _SQL["withdraw_consent"]
_FORGET_PERSON = _SQL["forget_person"]


async def add_client(tx: Transaction, client: Client, secret: str | None) -> None:
    """Store a client; only the hash of its secret is kept."""
    await tx.execute(
        _ADD_CLIENT,
        client.id,
        client.name,
        client.kind,
        None if secret is None else fingerprint(secret),
        client.redirect_uris,
        client.grant_types,
        client.scopes,
        client.first_party,
        client.created_at,
    )


async def find_client(connection: Connection, client_id: str) -> Client:
    """A client, disabled or not. Raises ``ClientNotFound``."""
    row = await connection.fetchrow(_FIND_CLIENT, client_id)
    return _known(row, client_id)


async def lock_client(tx: Transaction, client_id: str) -> Client:
    """A client that nobody else changes until the end. Raises ``ClientNotFound``."""
    row = await tx.fetchrow(_LOCK_CLIENT, client_id)
    return _known(row, client_id)


async def authenticate(
    connection: Connection, client_id: str, secret: str | None
) -> Client:
    """The client, if it is enabled and the secret is its own.

    A public client has none and must send none. Raises ``ClientRefused``, and
    ``RequestRefused`` in the same words if there is no such client, or no such secret
    could ever be.
    """
    if secret is not None and not plausible(secret, CLIENT_SECRET):
        raise RequestRefused("invalid_client", NOT_AUTHENTICATED)
    row = await connection.fetchrow(_FIND_CREDENTIALS, client_id)
    if row is None:
        raise RequestRefused("invalid_client", NOT_AUTHENTICATED)
    kept: bytes = row["secret_hash"] or b""
    shown = b"" if secret is None else fingerprint(secret)
    if not hmac.compare_digest(kept, shown):
        raise ClientRefused(client_id)
    return _client(row)


async def browse_clients(
    connection: Connection, *, after: str | None, limit: int
) -> Page[Client]:
    """A page of clients, newest first, disabled ones included."""
    last = decode_cursor(after, 1)[0] if after is not None else None
    rows = await connection.fetch(_BROWSE_CLIENTS, last, limit + 1)
    clients = [_client(row) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(clients, encode_cursor(clients[-1].id) if more else None)


async def change_client(tx: Transaction, client: Client) -> Client:
    """Store *client* as it is now, ``updated_at`` included."""
    row = await tx.fetchrow(
        _CHANGE_CLIENT,
        client.id,
        client.name,
        client.redirect_uris,
        client.grant_types,
        client.scopes,
        client.first_party,
        client.updated_at,
    )
    return _known(row, client.id)


async def disable_client(
    tx: Transaction, client_id: str, at: datetime
) -> tuple[Client, bool]:
    """Disable a client; and whether it was enabled. Raises ``ClientNotFound``."""
    row = await tx.fetchrow(_DISABLE_CLIENT, client_id, at)
    client = _known(row, client_id)
    return client, row is not None and not row["was_disabled"]


async def change_secret(
    tx: Transaction, client_id: str, secret: str, at: datetime
) -> Client | None:
    """Replace the secret; None if there is no confidential client of this id."""
    row = await tx.fetchrow(_CHANGE_SECRET, client_id, fingerprint(secret), at)
    return None if row is None else _client(row)


async def consented_scopes(
    connection: Connection, account_id: UUID, client_id: str
) -> frozenset[str]:
    """Everything the person allowed this client so far."""
    scopes = await connection.fetchval(_CONSENTED_SCOPES, account_id, client_id)
    return frozenset(scopes or ())


async def remember_consent(
    tx: Transaction,
    account_id: UUID,
    client_id: str,
    scopes: Iterable[str],
    at: datetime,
) -> bool:
    """Add to what the person allowed; whether anything was new."""
    wanted = sorted(set(scopes))
    added = await tx.fetchval(_REMEMBER_CONSENT, account_id, client_id, wanted, at)
    return added is not None


async def consents_of(connection: Connection, account_id: UUID) -> list[Consent]:
    """Every client the person allowed something, latest first."""
    rows = await connection.fetch(_CONSENTS_OF, account_id)
    return [
        Consent(
            row["client_id"],
            row["client_name"],
            tuple(row["scopes"]),
            row["granted_at"],
        )
        for row in rows
    ]


async def withdraw_consent(tx: Transaction, account_id: UUID, client_id: str) -> None:
    """Forget what was allowed. Raises ``ConsentNotFound``."""
    if await tx.fetchval(_WITHDRAW_CONSENT, account_id, client_id) is None:
        raise ConsentNotFound(client_id)


async def forget_person(tx: Transaction, account_id: UUID) -> None:
    """Forget what somebody allowed clients; again does nothing."""
    await tx.execute(_FORGET_PERSON, account_id)


def _known(row: Row | None, client_id: str) -> Client:
    if row is None:
        raise ClientNotFound(client_id)
    return _client(row)


def _client(row: Row) -> Client:
    return Client(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        redirect_uris=tuple(row["redirect_uris"]),
        grant_types=tuple(row["grant_types"]),
        scopes=tuple(row["scopes"]),
        first_party=row["first_party"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        disabled_at=row["disabled_at"],
    )
