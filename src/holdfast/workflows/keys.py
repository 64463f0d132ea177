"""Give out API keys and take them back."""

from collections.abc import Iterable
from uuid import UUID

from holdfast.domain import identity
from holdfast.domain.identity import ApiKey
from holdfast.kernel import tokens
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database


async def create_key(
    db: Database, *, name: str, scopes: Iterable[str], clock: Clock
) -> tuple[ApiKey, str]:
    """Make a key; its token is in the answer and nowhere else.

    Raises ``UnknownScopes``.
    """
    granted = frozenset(scopes)
    identity.check_scopes(granted)
    token = tokens.new_token(tokens.API_KEY)
    async with db.transaction() as tx:
        key = await identity.add_key(
            tx, key_id=new_id(), name=name, token=token, scopes=granted, at=clock()
        )
    return key, token


async def revoke_key(db: Database, key_id: UUID, *, clock: Clock) -> ApiKey:
    """Revoke a key; doing it again changes nothing.

    Processes remember keys for up to five seconds; after that it opens nothing.
    Raises ``ApiKeyNotFound``.
    """
    async with db.transaction() as tx:
        return await identity.revoke_key(tx, key_id, at=clock())
