"""What products cost whoever asks, put into the documents that show them.

A product travels as JSON text that says the variants' own prices. Where more is to be
said (a price in another currency, a list, a period, a price to compare with) it is put
into the text; most products of most shops go out as they came.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from holdfast.api.price_shapes import Offer, breaks_of, compared
from holdfast.api.shapes import currency as known
from holdfast.api.shop import Shop
from holdfast.domain import catalog, pricing
from holdfast.domain.identity import Caller, Member
from holdfast.domain.pricing import Priced
from holdfast.kernel.money import Money

Currency = Annotated[
    Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")] | None,
    QueryParameter(
        name="currency",
        description="ISO 4217: say in `offer` what each variant costs in it.",
    ),
]


class OfferedVariant(catalog.Variant, frozen=True, kw_only=True):
    """A variant, and what it costs whoever asks, now.

    Without `currency`, the offer is there where it says more than the price does; with
    it always, and null where the variant is not sold in the currency.
    """

    offer: Offer | msgspec.UnsetType | None = msgspec.UNSET


class OfferedProduct(catalog.Product, frozen=True, kw_only=True):
    """A product with the offers of its variants."""

    variants: tuple[OfferedVariant, ...]


class _Named(msgspec.Struct, frozen=True):
    id: UUID


_names = msgspec.json.Decoder(list[_Named])
_json = msgspec.json.Encoder().encode


async def on_one(
    shop: Shop, caller: Caller, document: catalog.Document, currency: str | None
) -> str:
    """A product as JSON with the offers of its variants; one statement, or none."""
    asked = _checked(currency)
    if asked is None and not document.has_offers:
        return document.json
    found = await shop.prices.find(
        document.id, currency=asked, account_id=_account_of(caller)
    )
    if not found:
        return document.json
    return catalog.say_of_variants(document.json, _said(found, shop.clock()))


async def on_many(
    shop: Shop, caller: Caller, documents: str, currency: str | None
) -> str:
    """Products as JSON, with commas between, and their offers; one statement."""
    asked = _checked(currency)
    if not documents:
        return documents
    listed = f"[{documents}]"
    found = await pricing.priced(
        shop.looking,
        [product.id for product in _names.decode(listed)],
        currency=asked,
        account_id=_account_of(caller),
    )
    if not found:
        return documents
    return catalog.say_of_variants(documents, _said(found, shop.clock()))


def _said(found: Mapping[UUID, Sequence[Priced]], at: datetime) -> dict[str, str]:
    """What is to be said of variants, by their ids."""
    return {
        str(priced.variant_id): f'"offer":{_json(_offer(priced, at)).decode()}'
        for variants in found.values()
        for priced in variants
    }


def _offer(priced: Priced, at: datetime) -> Offer | None:
    groups = pricing.groups_in(priced.book)
    holding = pricing.resolve(priced.book, quantity=1, at=at, groups=groups)
    if holding is None:
        return None
    lowest = None
    if holding.compare_at is not None:
        # A list that is withdrawn is in no book, and was a price of its group's.
        known = pricing.Book(tuple(each.entry for each in priced.known))
        lowest = pricing.lowest_before(
            priced.known, at=at, groups=groups | pricing.groups_in(known)
        )
    return Offer(
        price=Money(holding.amount, priced.currency),
        compare_at_price=compared(holding, priced.currency),
        lowest_price_30_days=None if lowest is None else Money(lowest, priced.currency),
        breaks=breaks_of(priced.book, at, priced.currency),
    )


def _checked(currency: str | None) -> str | None:
    return None if currency is None else known(currency, "currency")


def _account_of(caller: Caller) -> UUID | None:
    return caller.account_id if isinstance(caller, Member) else None
