"""Register OAuth clients, change them and take them out of use.

Whoever can change a client can become it: send its codes elsewhere, or take its secret.
So changing one takes every scope that the client has or shall have, as making one does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.identity import Caller, Origin
from holdfast.domain.oauth import Client, GrantType, Kind
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

T = TypeVar("T")

CLIENT_SCOPES = identity.SCOPES | frozenset(identity.IDENTITY_SCOPES)
"""What a client may be registered for."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client is to be."""

    name: str
    kind: Kind
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    first_party: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be otherwise; None leaves it as it is."""

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    grant_types: tuple[GrantType, ...] | None = None
    scopes: tuple[str, ...] | None = None
    first_party: bool | None = None


async def create(
    db: Database,
    vault: Vault,
    wanted: Registration,
    *,
    giver: Caller | None,
    origin: Origin,
    clock: Clock,
) -> tuple[Client, str | None]:
    """Register a client; the secret of a confidential one is told this once.

    *giver* is None for the command line, which may give everything. Raises
    ``ClientInvalid``, ``UnknownScopes`` or ``ScopeNotHeld``.
    """
    now = clock()
    client = Client(
        # Not to be taken for the id of a person: both stand in `sub` of tokens.
        id=f"client_{new_id().hex}",
        name=wanted.name,
        kind=wanted.kind,
        redirect_uris=_once(wanted.redirect_uris),
        grant_types=_once(wanted.grant_types),
        scopes=_once(sorted(wanted.scopes)),
        first_party=wanted.first_party,
        created_at=now,
        updated_at=now,
        disabled_at=None,
    )
    _check(client)
    _check_held(giver, client)
    secret = None if client.is_public else tokens.new_token(tokens.CLIENT_SECRET)
    async with db.transaction() as tx:
        await oauth.add_client(tx, client, secret)
        await identity.record(
            tx,
            vault,
            "client.created",
            actor=_actor(giver),
            origin=origin,
            at=now,
            client_id=client.id,
        )
    return client, secret


async def change(
    db: Database,
    vault: Vault,
    client_id: str,
    changes: Changes,
    *,
    giver: Caller | None,
    origin: Origin,
    clock: Clock,
) -> Client:
    """Change a client; scopes that it loses, people's tokens lose at their refresh.

    That is ten minutes later at most; its own tokens lose them within five seconds.
    Codes on their way are withdrawn if an address is taken away.

    Raises as ``create``, and ``ClientNotFound``.
    """
    now = clock()
    async with db.transaction() as tx:
        before = await oauth.lock_client(tx, client_id)
        wanted = replace(
            before,
            name=before.name if changes.name is None else changes.name,
            redirect_uris=_or(changes.redirect_uris, before.redirect_uris),
            grant_types=_or(changes.grant_types, before.grant_types),
            scopes=tuple(sorted(_or(changes.scopes, before.scopes))),
            first_party=(
                before.first_party
                if changes.first_party is None
                else changes.first_party
            ),
        )
        if wanted == before:
            return before
        _check(wanted)
        _check_held(giver, before, wanted)
        after = await oauth.change_client(tx, replace(wanted, updated_at=now))
        if set(before.redirect_uris) - set(after.redirect_uris):
            await oauth.withdraw_codes(tx, client_id)
        await identity.record(
            tx,
            vault,
            "client.changed",
            actor=_actor(giver),
            origin=origin,
            at=now,
            client_id=client_id,
        )
        return after


async def disable(
    db: Database,
    vault: Vault,
    client_id: str,
    *,
    actor: str,
    origin: Origin,
    clock: Clock,
) -> Client:
    """Take a client out of use for good.

    Its refresh tokens are worthless at once, its access tokens within five seconds.
    Doing it again changes nothing. Raises ``ClientNotFound``.
    """
    now = clock()
    async with db.transaction() as tx:
        client, was_enabled = await oauth.disable_client(tx, client_id, now)
        if was_enabled:
            await oauth.withdraw_codes(tx, client_id)
            await identity.record(
                tx,
                vault,
                "client.disabled",
                actor=actor,
                origin=origin,
                at=now,
                client_id=client_id,
            )
    return client


async def rotate_secret(
    db: Database,
    vault: Vault,
    client_id: str,
    *,
    giver: Caller | None,
    origin: Origin,
    clock: Clock,
) -> tuple[Client, str]:
    """Give a confidential client a new secret; the old one is refused at once.

    Raises ``ClientNotFound``, ``ClientHasNoSecret`` or ``ScopeNotHeld``.
    """
    now, secret = clock(), tokens.new_token(tokens.CLIENT_SECRET)
    async with db.transaction() as tx:
        _check_held(giver, await oauth.lock_client(tx, client_id))
        client = await oauth.change_secret(tx, client_id, secret, now)
        if client is None:
            raise oauth.ClientHasNoSecret(client_id)
        await identity.record(
            tx,
            vault,
            "client.secret_rotated",
            actor=_actor(giver),
            origin=origin,
            at=now,
            client_id=client_id,
        )
    return client, secret


async def revoke_consent(
    db: Database,
    vault: Vault,
    account_id: UUID,
    client_id: str,
    *,
    origin: Origin,
    clock: Clock,
) -> None:
    """Take back what a person allowed a client, and sign it out.

    Raises ``ConsentNotFound``.
    """
    now = clock()
    async with db.transaction() as tx:
        await oauth.withdraw_consent(tx, account_id, client_id)
        await oauth.withdraw_codes(tx, client_id, account_id)
        await accounts.end_sessions(
            tx, account_id, client_id=client_id, reason="consent_revoked", at=now
        )
        await identity.record(
            tx,
            vault,
            "consent.revoked",
            actor=f"account:{account_id}",
            origin=origin,
            at=now,
            account_id=account_id,
            client_id=client_id,
        )


def _check(client: Client) -> None:
    identity.check_scopes(client.scopes, known=CLIENT_SCOPES)
    oauth.check_client(
        kind=client.kind,
        redirect_uris=client.redirect_uris,
        grant_types=client.grant_types,
        scopes=client.scopes,
        personal=identity.PERSONAL_SCOPES | frozenset(identity.IDENTITY_SCOPES),
    )


def _check_held(giver: Caller | None, *clients: Client) -> None:
    if giver is not None:
        scopes = {scope for client in clients for scope in client.scopes}
        identity.check_held(giver, scopes - identity.IDENTITY_SCOPES.keys())


def _actor(giver: Caller | None) -> str:
    return identity.COMMAND_LINE if giver is None else giver.actor


def _once(names: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(names))


def _or(changed: tuple[T, ...] | None, before: tuple[T, ...]) -> tuple[T, ...]:
    return before if changed is None else _once(changed)
