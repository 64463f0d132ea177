"""The JSON of a product that is new, as ``project`` makes it from rows that are there.

To write a product and then its document is to write it twice, with every index of it:
a quarter of the time of an import. So what is new comes with its document. A test holds
the two ways to the same answer; what only the database knows (which of the shop's own
pictures an address stands for, a time in another calendar than ours) is left to
``project``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from holdfast.domain.catalog.documents import PLACE
from holdfast.domain.catalog.drafts import Draft
from holdfast.domain.catalog.model import CategoryName, Value
from holdfast.kernel.money import Money

_STATUS = msgspec.Raw(f'"{PLACE}"'.encode())
_UNITS = msgspec.Raw(PLACE.encode())


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category that a product stands in."""

    position: int
    id: UUID
    handle: str
    name: str


class _Option(msgspec.Struct):
    name: str
    values: Sequence[str]


class _Image(msgspec.Struct):
    id: UUID
    url: str
    alt: str
    width: int | None
    height: int | None
    position: int
    asset_id: None = None


class _Variant(msgspec.Struct):
    id: UUID
    sku: str
    title: str
    options: dict[str, str]
    price: Money
    compare_at_price: Money | None
    weight_grams: int
    barcode: str | None
    image_id: UUID | None
    available: msgspec.Raw = _UNITS


class _Product(msgspec.Struct):
    """The fields in the order of ``project``."""

    id: UUID
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    status: msgspec.Raw
    tags: Sequence[str]
    options: Sequence[_Option]
    categories: Sequence[CategoryName]
    images: Sequence[_Image]
    variants: Sequence[_Variant]
    created_at: str
    updated_at: str
    version: int
    seo_title: str
    seo_description: str
    publish_at: None
    unpublish_at: None
    attributes: Mapping[str, Value]


_encoder = msgspec.json.Encoder()


def first_document(
    product_id: UUID,
    draft: Draft,
    *,
    shelves: Iterable[Shelf],
    images: Sequence[Mapping[str, Any]],
    variants: Sequence[Mapping[str, Any]],
    at: datetime,
) -> str:
    """The document, or nothing where ``project`` has to make it.

    *images* and *variants* are the rows as they go in.
    """
    if draft.publish_at or draft.unpublish_at:
        return ""
    if any(image["asset_id"] or image["url"][:1] == "/" for image in images):
        return ""
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    product = _Product(
        id=product_id,
        handle=draft.handle,
        title=draft.title,
        description_html=draft.description_html,
        vendor=draft.vendor,
        product_type=draft.product_type,
        status=_STATUS,
        tags=draft.tags,
        options=[_Option(one.name, one.values) for one in draft.options],
        categories=[
            CategoryName(shelf.id, shelf.handle, shelf.name)
            for shelf in sorted(shelves, key=lambda s: (s.position, s.id))
        ],
        images=[
            _Image(
                *(row["id"], row["url"], row["alt"]),
                *(row["width"], row["height"], row["position"]),
            )
            for row in images
        ],
        variants=[_variant(draft, row) for row in variants],
        created_at=moment,
        updated_at=moment,
        version=1,
        seo_title=draft.seo_title,
        seo_description=draft.seo_description,
        publish_at=None,
        unpublish_at=None,
        attributes=draft.attributes,
    )
    return _encoder.encode(product).decode()


def _variant(draft: Draft, row: Mapping[str, Any]) -> _Variant:
    currency, compare_at = row["currency"], row["compare_at_amount"]
    return _Variant(
        id=row["id"],
        sku=row["sku"],
        title=row["title"],
        options={one.name: row["options"][one.name] for one in draft.options},
        price=Money(row["price_amount"], currency),
        compare_at_price=None if compare_at is None else Money(compare_at, currency),
        weight_grams=row["weight_grams"],
        barcode=row["barcode"],
        image_id=row["image_id"],
    )
