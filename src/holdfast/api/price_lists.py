"""Price lists: prices for everybody for a time, or for groups of customers."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api import editions
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.price_shapes import Code, Moment, period
from holdfast.api.shapes import Text
from holdfast.api.shop import Shop
from holdfast.domain import pricing
from holdfast.domain.identity import Caller
from holdfast.domain.pricing import Kind, PriceList
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.workflows.prices import MAX_GROUPS, Prices

_PATH = "/v1/price-lists"

Groups = Annotated[
    list[UUID],
    msgspec.Meta(
        min_length=1,
        max_length=MAX_GROUPS,
        description="The groups of customers that it is for; null for everybody.",
    ),
]


class NewPriceList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price list, still without prices.

    A sale lowers prices; a contract takes their place for its groups, higher ones too.
    """

    code: Code
    name: Text
    kind: Kind = "sale"
    group_ids: Groups | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class PriceListChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays. The kind cannot change."""

    code: Code | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    group_ids: Groups | UnsetType | None = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET

    def of(self, before: PriceList) -> PriceList:
        """The list so changed."""
        given: dict[str, Any] = {
            name: value
            for name in ("code", "name", "starts_at", "ends_at")
            if (value := getattr(self, name)) is not UNSET
        }
        if not isinstance(self.group_ids, UnsetType):
            given["group_ids"] = _sorted(self.group_ids)
        changed = replace(before, **given)
        bounds = period(changed.starts_at, changed.ends_at, "")
        return replace(changed, starts_at=bounds.starts_at, ends_at=bounds.ends_at)


class PriceListView(msgspec.Struct, frozen=True):
    """A price list as it is now."""

    id: UUID
    code: str
    name: str
    kind: Kind
    # Null: it is for everybody.
    group_ids: list[UUID] | None
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    # Raised by every change of the list, not of the prices in it.
    version: int

    @classmethod
    def of(cls, found: PriceList) -> "PriceListView":
        return cls(**asdict(found))


OneList = Annotated[Response[Any], PriceListView]


async def browse(
    shop: Shop,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[PriceListView]]:
    """List the price lists that are not withdrawn."""
    found = await pricing.lists(shop.db, after=after, limit=limit)
    views = [PriceListView.of(each) for each in found.items]
    listed = listing(Page(views, found.next), _PATH, limit=limit)
    return editions.of_list(listed, if_none_match)


async def create(
    shop: Shop, caller: Caller, data: NewPriceList
) -> Response[PriceListView]:
    """Make a price list. Its prices are set with `PUT /v1/prices`."""
    now = shop.clock()
    bounds = period(data.starts_at, data.ends_at, "")
    made = await Prices(shop.db, shop.clock, caller.actor).add_list(
        PriceList(
            id=new_id(),
            code=data.code,
            name=data.name,
            kind=data.kind,
            group_ids=_sorted(data.group_ids),
            starts_at=bounds.starts_at,
            ends_at=bounds.ends_at,
            created_at=now,
            updated_at=now,
        )
    )
    return editions.of_new(
        PriceListView.of(made),
        version=made.version,
        location=f"{_PATH}/{made.id}",
    )


async def show(shop: Shop, list_id: UUID, if_none_match: IfNoneMatch = None) -> OneList:
    """One price list."""
    found = await pricing.find_list(shop.db, list_id)
    return _answer(found, if_none_match=if_none_match)


async def change(
    shop: Shop,
    caller: Caller,
    list_id: UUID,
    data: PriceListChanges,
    if_match: IfMatch = None,
) -> OneList:
    """Change for whom and when a price list holds, from now on."""
    versions = editions.versions(if_match)
    prices = Prices(shop.db, shop.clock, caller.actor)
    return _answer(await prices.change_list(list_id, data.of, versions=versions))


async def remove(
    shop: Shop, caller: Caller, list_id: UUID, if_match: IfMatch = None
) -> None:
    """Withdraw a price list with all its prices; the history keeps them."""
    versions = editions.versions(if_match)
    prices = Prices(shop.db, shop.clock, caller.actor)
    await prices.remove_list(list_id, versions=versions)


def _answer(found: PriceList, *, if_none_match: str | None = None) -> Response[Any]:
    return editions.of(
        PriceListView.of(found), version=found.version, if_none_match=if_none_match
    )


def _sorted(group_ids: list[UUID] | None) -> list[UUID] | None:
    return None if group_ids is None else sorted(set(group_ids))
