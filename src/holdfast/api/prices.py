"""Prices beside those of the variants: operators set them, and ask which holds.

A price is set for a SKU in a currency, from a quantity on, for a time or for always,
among the shop's own or in a price list. What was set is never changed; another price
takes its place, and the history keeps both.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api import editions
from holdfast.api.decoding import invalid_parameter
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.price_shapes import (
    Break,
    Moment,
    breaks_of,
    compared,
    moment,
    period,
    source_of,
)
from holdfast.api.shapes import Amount, CurrencyCode, Sku
from holdfast.api.shapes import currency as known
from holdfast.api.shop import Shop
from holdfast.domain import pricing
from holdfast.domain.identity import Caller
from holdfast.domain.pricing import Change, PriceOnRecord
from holdfast.kernel.money import Money
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.prices import MAX_PRICES, Prices, PriceWanted, worth

_PATH = "/v1/prices"

Quantity = Annotated[
    int,
    msgspec.Meta(
        ge=1, le=pricing.MAX_QUANTITY, description="From how many of the variant on."
    ),
]


class NewPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price; it takes the place of one for the same quantity, currency and time."""

    sku: Sku
    price: Amount
    compare_at_price: Amount | None = None
    min_quantity: Quantity = 1
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def wanted(self, here: str) -> PriceWanted:
        """The price as it is wanted; *here* is where it stands in the body."""
        compare_at = self.compare_at_price
        return PriceWanted(
            self.sku,
            self.price.money,
            None if compare_at is None else compare_at.money,
            self.min_quantity,
            period(self.starts_at, self.ends_at, here),
        )


class PricesToSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of the shop's own, or of a list; all are set, or none."""

    prices: Annotated[list[NewPrice], msgspec.Meta(min_length=1, max_length=MAX_PRICES)]
    price_list_id: UUID | None = None


class PricesSet(msgspec.Struct, frozen=True):
    """What became of them."""

    set: int
    # They were there and said the same.
    unchanged: int
    # Others took their place.
    replaced: int


class PriceView(msgspec.Struct, frozen=True):
    """A price as it is on record."""

    id: UUID
    sku: str
    price_list_id: UUID | None
    min_quantity: int
    price: Money
    compare_at_price: Money | None
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, price: PriceOnRecord) -> "PriceView":
        return cls(
            price.id,
            price.sku,
            price.price_list_id,
            price.min_quantity,
            price.price,
            price.compare_at_price,
            price.period.starts_at,
            price.period.ends_at,
            price.created_at,
        )


class PriceChangeView(msgspec.Struct, frozen=True):
    """What a price was, and for which time that was on record."""

    # Null for the price of the variant itself.
    price_id: UUID | None
    price_list_id: UUID | None
    min_quantity: int
    price: Money
    compare_at_price: Money | None
    starts_at: datetime | None
    ends_at: datetime | None
    since: datetime
    # Null: it still is.
    until: datetime | None
    # Null where the variant itself was changed: its own history says by whom.
    set_by: str | None
    removed_by: str | None

    @classmethod
    def of(cls, change: Change) -> "PriceChangeView":
        return cls(
            change.price_id,
            change.price_list_id,
            change.min_quantity,
            change.price,
            change.compare_at_price,
            change.period.starts_at,
            change.period.ends_at,
            change.since,
            change.until,
            change.set_by,
            change.removed_by,
        )


class Quote(msgspec.Struct, frozen=True):
    """Which price holds, and why."""

    sku: str
    currency: str
    quantity: int
    at: datetime
    # Null where the variant has no price in the currency.
    price: Money | None
    compare_at_price: Money | None
    # The price that holds; null for the variant's own. Then the list that it is in.
    price_id: UUID | None
    price_list_id: UUID | None
    breaks: list[Break]


async def browse(
    *,
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    sku: Sku | None = None,
    price_list: UUID | None = None,
    currency: CurrencyCode | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[PriceView]]:
    """List prices: of a SKU, of a price list, or else the shop's own.

    With a SKU, the ETag begins with the version of the prices of that variant.
    """
    version = None if sku is None else await pricing.version_of(shop.db, sku)
    found = await pricing.prices(
        shop.db,
        list_id=price_list,
        sku=sku,
        currency=currency,
        after=after,
        limit=limit,
    )
    listed = listing(
        Page([PriceView.of(price) for price in found.items], found.next),
        _PATH,
        limit=limit,
        sku=sku,
        price_list=price_list,
        currency=currency,
    )
    return editions.of_list(listed, if_none_match, version=version)


async def set_many(
    shop: Shop, caller: Caller, data: PricesToSet, if_match: IfMatch = None
) -> Annotated[Response[Any], PricesSet]:
    """Set up to 1,000 prices at once, all or none.

    No two prices of a variant may hold at one moment in the same list, currency and
    quantity, but for one without a period: it holds while no other does. If-Match
    names the version of the prices of one variant, or `*` for any number of them.
    """
    versions = editions.versions(if_match)
    if versions is not None and len({price.sku for price in data.prices}) > 1:
        raise invalid_parameter("If-Match", "Is of one variant; send * for several")
    wanted = [price.wanted(f"/prices/{n}") for n, price in enumerate(data.prices)]
    done = await Prices(shop.db, shop.clock, caller.actor).set(
        wanted, data.price_list_id, versions=versions
    )
    said = PricesSet(done.set, done.unchanged, done.removed)
    return editions.of(said, version=done.version)


async def remove(
    shop: Shop, caller: Caller, price_id: UUID, if_match: IfMatch = None
) -> None:
    """Take a price off; what it was stays in the history.

    If-Match names the version of the prices of the variant.
    """
    versions = editions.versions(if_match)
    prices = Prices(shop.db, shop.clock, caller.actor)
    await prices.remove(price_id, versions=versions)


async def history(
    *,
    shop: Shop,
    sku: Sku,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    currency: CurrencyCode | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[PriceChangeView]]:
    """What the prices of a variant are and have been, newest first."""
    found = await pricing.changes(
        shop.db, sku, currency=currency, after=after, limit=limit
    )
    listed = listing(
        Page([PriceChangeView.of(change) for change in found.items], found.next),
        f"{_PATH}/history",
        limit=limit,
        sku=sku,
        currency=currency,
    )
    return editions.of_list(listed, if_none_match)


async def quote(
    *,
    shop: Shop,
    sku: Sku,
    currency: CurrencyCode | None = None,
    quantity: Quantity = 1,
    account_id: UUID | None = None,
    at: Moment | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Quote]:
    """Which price holds for a customer, a quantity and a moment, and why.

    A moment to come is answered by what is on record now; so is one that has passed:
    what was asked then is in the history.
    """
    then = shop.clock() if at is None else moment(at, "at")
    ware, found = await worth(
        shop.db,
        sku,
        currency=None if currency is None else known(currency, "currency"),
        quantity=quantity,
        at=then,
        account_id=account_id,
    )
    price_id, list_id = (None, None) if found is None else source_of(found)
    told = Quote(
        sku=sku,
        currency=ware.currency,
        quantity=quantity,
        at=then,
        price=None if found is None else Money(found.amount, ware.currency),
        compare_at_price=None if found is None else compared(found, ware.currency),
        price_id=price_id,
        price_list_id=list_id,
        breaks=breaks_of(ware.book, then, ware.currency),
    )
    return editions.of(told, if_none_match=if_none_match)
