"""API keys: an operator gives them out, sees them and takes them back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import identity
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import keys as workflows

_PATH = "/v1/api-keys"


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is for, and what it may do."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    scopes: Annotated[
        list[str],
        msgspec.Meta(
            min_length=1,
            max_length=100,
            description="Of: " + ", ".join(sorted(identity.KEY_SCOPES)),
        ),
    ]


class Key(msgspec.Struct, frozen=True):
    """An API key, without the secret."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To the minute; the security record has from where."""


class CreatedKey(Key, frozen=True):
    """A new API key. The secret in ``key`` is shown this once."""

    key: str


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[Key]]:
    """List the API keys, newest first, revoked ones included."""
    page = await identity.list_keys(shop.db, after=after, limit=limit)
    shown = Page([Key(**_fields(key)) for key in page.items], page.next)
    return listing(shown, _PATH, limit=limit)


async def create(
    shop: Shop, caller: Caller, origin: Origin, data: NewKey
) -> CreatedKey:
    """Create an API key. The secret is in the answer, and never shown again."""
    identity.check_scopes(data.scopes)
    identity.check_held(caller, data.scopes)
    key, token = await workflows.create_key(
        shop.db,
        shop.vault,
        name=data.name,
        scopes=data.scopes,
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )
    return CreatedKey(key=token, **_fields(key))


async def revoke(shop: Shop, caller: Caller, origin: Origin, key_id: UUID) -> None:
    """Revoke an API key. It opens nothing after five seconds at the latest."""
    await workflows.revoke_key(
        shop.db,
        shop.vault,
        key_id,
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )


def _fields(key: identity.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
