"""The security record, for whoever looks into what happened."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import decoding
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import identity
from holdfast.domain.identity import SecurityEvent
from holdfast.kernel.page import DEFAULT_LIMIT

_PATH = "/v1/security-events"

Kind = Annotated[
    str,
    msgspec.Meta(
        max_length=50,
        description="Only this kind, of: " + ", ".join(sorted(identity.EVENT_KINDS)),
    ),
]
About = Annotated[UUID, msgspec.Meta(description="Only about this account.")]
Actor = Annotated[
    str,
    msgspec.Meta(
        max_length=255,
        description="Only by this actor, such as `account:<id>` or `key:<id>`.",
    ),
]


async def browse(
    shop: Shop,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    kind: Kind | None = None,
    account_id: About | None = None,
    actor: Actor | None = None,
) -> Response[Listing[SecurityEvent]]:
    """What happened that matters for security, newest first."""
    if kind is not None and kind not in identity.EVENT_KINDS:
        raise decoding.invalid_parameter("kind", "There are no such events")
    page = await identity.events(
        *(shop.db, shop.vault),
        after=after,
        limit=limit,
        kind=kind,
        account_id=account_id,
        actor=actor,
    )
    return listing(
        *(page, _PATH), limit=limit, kind=kind, account_id=account_id, actor=actor
    )
