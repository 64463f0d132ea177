"""Where the payment provider and the shop differ, for a person to look at."""

from typing import Annotated, Any

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import payments
from holdfast.domain.payments import Discrepancy
from holdfast.kernel.page import DEFAULT_LIMIT

_PATH = "/v1/payment-discrepancies"

Discrepancies = Annotated[Response[Any], Listing[Discrepancy]]
Resolved = Annotated[
    bool, msgspec.Meta(description="Also those that are not there any more.")
]


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    resolved: Resolved = False,  # noqa: FBT002 - a query parameter
) -> Discrepancies:
    """Differences between the provider's books and ours, newest first."""
    page = await payments.discrepancies(
        shop.db, after=after, limit=limit, open_only=not resolved
    )
    more = {"resolved": "true"} if resolved else {}
    return listing(page, _PATH, limit=limit, **more)
