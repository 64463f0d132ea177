"""Put another key in the place of the one that signs tokens.

By plan, the new key is listed at once and signs ten minutes later, and the old one
stays listed until the last token it signed has expired: nobody notices. A key that
leaked is replaced at once: every older key is taken off the list, and within five
seconds no process believes a token that one of them signed. Everybody has to fetch new
tokens, by their refresh tokens or by signing in.
"""

from datetime import datetime, timedelta

from holdfast.domain import identity, oauth
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

ROTATED_EVERY = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(days=90)
"""How long keys stay on record once they are not listed any more."""


async def rotate(
    db: Database, vault: Vault, clock: Clock, *, now: bool, actor: str, origin: Origin
) -> str:
    """Make another key sign; returns its id. *now* if the one that signs has leaked."""
    async with db.transaction() as tx:
        await oauth.lock_signing_keys(tx)
        return await _rotate(tx, vault, now=now, actor=actor, origin=origin, at=clock())


async def rotate_if_due(db: Database, vault: Vault, clock: Clock) -> str | None:
    """Rotate when the youngest key is 30 days old; returns the id of the new one.

    A shop without keys has signed nothing yet: its first key is made when needed.
    """
    async with db.transaction() as tx:
        await oauth.lock_signing_keys(tx)
        at = clock()
        listed = await oauth.listed_signing_keys(tx, at)
        youngest = max((key.created_at for key in listed), default=at)
        if at - youngest < ROTATED_EVERY:
            return None
        await oauth.forget_signing_keys(tx, before=at - FORGOTTEN_AFTER)
        return await _rotate(
            tx, vault, now=False, actor="timer", origin=Origin(), at=at
        )


async def _rotate(
    tx: Transaction,
    vault: Vault,
    *,
    now: bool,
    actor: str,
    origin: Origin,
    at: datetime,
) -> str:
    key = oauth.new_signing_key()
    listed = await oauth.listed_signing_keys(tx, at)
    # The first key need not wait: there is nobody who keeps an older list.
    signs_from = at if now or not listed else at + oauth.LISTED_BEFORE
    listed_until = at if now else signs_from + oauth.LISTED_AFTER
    await oauth.add_signing_key(tx, vault, key, signs_from=signs_from, at=at)
    retired = await oauth.retire_signing_keys(tx, but=key.id, listed_until=listed_until)
    await identity.record(
        tx,
        vault,
        "signing_key.rotated",
        actor=actor,
        origin=origin,
        at=at,
        detail={"key": key.id},
    )
    if now:
        for old in retired:
            await identity.record(
                tx,
                vault,
                "signing_key.revoked",
                actor=actor,
                origin=origin,
                at=at,
                detail={"key": old},
            )
    return key.id
