"""Give out API keys, take them back, and note that they are used."""

from collections.abc import Iterable
from uuid import UUID

from holdfast.domain import identity
from holdfast.domain.identity import ApiKey, Operator, Origin
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

_NOWHERE = Origin()
_PLACE_CHARS = 16


async def create_key(
    db: Database,
    vault: Vault,
    *,
    name: str,
    scopes: Iterable[str],
    actor: str = identity.COMMAND_LINE,
    origin: Origin = _NOWHERE,
    clock: Clock,
) -> tuple[ApiKey, str]:
    """Make a key; its token is in the answer and nowhere else.

    Raises ``UnknownScopes``.
    """
    granted = frozenset(scopes)
    identity.check_scopes(granted)
    token = tokens.new_token(tokens.API_KEY)
    now = clock()
    async with db.transaction() as tx:
        key = await identity.add_key(
            tx, key_id=new_id(), name=name, token=token, scopes=granted, at=now
        )
        await identity.record(
            tx,
            vault,
            "api_key.created",
            actor=actor,
            origin=origin,
            at=now,
            detail={"key_id": str(key.id), "scopes": " ".join(key.scopes)},
        )
    return key, token


async def revoke_key(
    db: Database,
    vault: Vault,
    key_id: UUID,
    *,
    actor: str = identity.COMMAND_LINE,
    origin: Origin = _NOWHERE,
    clock: Clock,
) -> ApiKey:
    """Revoke a key; doing it again changes nothing.

    Processes remember keys for up to five seconds; after that it opens nothing.
    Raises ``ApiKeyNotFound``.
    """
    now = clock()
    async with db.transaction() as tx:
        key, revoked_now = await identity.revoke_key(tx, key_id, at=now)
        if revoked_now:
            await identity.record(
                tx,
                vault,
                "api_key.revoked",
                actor=actor,
                origin=origin,
                at=now,
                detail={"key_id": str(key_id)},
            )
    return key


async def note_use(
    db: Database, vault: Vault, operator: Operator, *, origin: Origin, clock: Clock
) -> None:
    """Note that a key was used, and record it once a day for each address.

    Addresses are compared by a keyed hash: the record has none in clear.
    """
    now = clock()
    seen_from = f"{operator.key_id}\n{origin.address}"
    place = vault.index(seen_from, purpose="key use").hex()[:_PLACE_CHARS]
    async with db.transaction() as tx:
        if await identity.note_key_use(
            tx, operator.key_id, actor=operator.actor, place=place, at=now
        ):
            await identity.record(
                tx,
                vault,
                "api_key.used",
                actor=operator.actor,
                origin=origin,
                at=now,
                detail={"place": place},
            )
