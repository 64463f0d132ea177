"""API keys: an operator gives them out, sees them and takes them back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import identity
from holdfast.domain.identity import Caller
from holdfast.kernel.errors import Forbidden
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows import keys as workflows

_PATH = "/v1/api-keys"


@dataclass(eq=False)
class ScopeNotHeld(Forbidden):
    """A key can only be given scopes that its giver holds."""

    missing: list[str]


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


async def create(shop: Shop, caller: Caller, data: NewKey) -> CreatedKey:
    """Create an API key. The secret is in the answer, and never shown again."""
    identity.check_scopes(data.scopes)
    # Otherwise whoever may make keys could make one that may do everything.
    if missing := sorted(set(data.scopes) - identity.scopes_of(caller)):
        raise ScopeNotHeld(missing)
    key, token = await workflows.create_key(
        shop.db, name=data.name, scopes=data.scopes, clock=shop.clock
    )
    return CreatedKey(key=token, **_fields(key))


async def revoke(shop: Shop, key_id: UUID) -> None:
    """Revoke an API key. It opens nothing after five seconds at the latest."""
    await workflows.revoke_key(shop.db, key_id, clock=shop.clock)


def _fields(key: identity.ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
