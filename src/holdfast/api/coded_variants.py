"""Variants of any product by their SKU or barcode, as a scanner reads them."""

from typing import Annotated, Any

import msgspec
from litestar import Response

from holdfast.api import editions, offers
from holdfast.api.decoding import invalid_parameter
from holdfast.api.editions import IfNoneMatch
from holdfast.api.listing import After, Limit, Listing, listing_of_json
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller
from holdfast.kernel.page import DEFAULT_LIMIT

_PATH = "/v1/variants"
_decoder = msgspec.json.Decoder(list[offers.OfferedProduct])

Sku = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=255,
        description="The SKU, as it is written.",
        examples=["TEA-ASSAM-250"],
    ),
]
Barcode = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=255,
        description="The barcode, as it is written.",
        examples=["4006381333931"],
    ),
]


class ProductOfVariant(msgspec.Struct, frozen=True):
    """What a variant is of."""

    id: str
    handle: str
    title: str
    status: catalog.Status


class CodedVariant(msgspec.Struct, frozen=True):
    """A variant that has the code, and its product."""

    product: ProductOfVariant
    variant: offers.OfferedVariant


async def browse(
    shop: Shop,
    caller: Caller,
    *,
    sku: Sku | None = None,
    barcode: Barcode | None = None,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    currency: offers.Currency = None,
    if_none_match: IfNoneMatch = None,
) -> Annotated[Response[Any], Listing[CodedVariant]]:
    """List the variants with an SKU, or with a barcode, whatever their status is.

    An SKU has one variant or none; a barcode may be on several.
    """
    if (sku is None) == (barcode is None):
        raise invalid_parameter("sku", "Must be there, or else a barcode")
    page = await catalog.with_code(
        shop.db, sku=sku, barcode=barcode, after=after, limit=limit
    )
    documents = {coded.document.id: coded.document.json for coded in page.items}
    offered = await offers.on_many(shop, caller, ",".join(documents.values()), currency)
    shown = {
        variant.id: CodedVariant(
            ProductOfVariant(
                str(product.id), product.handle, product.title, product.status
            ),
            variant,
        )
        for product in _decoder.decode(f"[{offered}]")
        for variant in product.variants
    }
    items = [shown[coded.variant.id] for coded in page.items]
    listed = listing_of_json(
        msgspec.json.encode(items)[1:-1].decode(),
        page.next,
        _PATH,
        limit=limit,
        sku=sku,
        barcode=barcode,
        currency=currency,
    )
    return editions.of_list(listed, if_none_match)
