"""The lines of a file of products: what they say, and how they are written.

A line has no ids, which are those of one shop alone: other products are named by their
handles, images by their places among the product's. What is read is in ``jsonl``.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from holdfast.domain.catalog.arrivals import OtherPrice
from holdfast.domain.catalog.besides import Besides
from holdfast.domain.catalog.carried import written
from holdfast.domain.catalog.drafts import draft_of
from holdfast.domain.catalog.model import Product, Status, Value
from holdfast.domain.catalog.related import MAX_RELATED
from holdfast.domain.catalog.translations import MAX_TRANSLATIONS, ProductTexts
from holdfast.domain.catalog.tree import MAX_LEVELS
from holdfast.kernel.money import Money

_MAX_PRICES = 200
"""Of a variant, beside its own: as many as the shop allows in one list."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Translations = Annotated[
    dict[str, ProductTexts], msgspec.Meta(max_length=MAX_TRANSLATIONS)
]
Related = Annotated[list[str], msgspec.Meta(max_length=MAX_RELATED)]


class SaidAmount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money in minor units."""

    amount: int
    currency: str


class SaidOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to choose, and from what."""

    name: str
    values: list[str]


class SaidImage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A picture by its address."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class SaidShelf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A category above another."""

    handle: str
    name: str


class SaidCategory(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A category and those above it, from the top down."""

    handle: str
    name: str
    path: Annotated[list[SaidShelf], msgspec.Meta(max_length=MAX_LEVELS - 1)] = []


class SaidPrice(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A price of a variant beside its own."""

    price: SaidAmount
    compare_at_price: SaidAmount | None = None
    min_quantity: int = 1
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class SaidVariant(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One thing that can be bought."""

    sku: str
    price: SaidAmount
    options: dict[str, str] = {}
    compare_at_price: SaidAmount | None = None
    weight_grams: int = 0
    barcode: str | None = None
    on_hand: int | None = None
    image: int | None = None
    prices: Annotated[list[SaidPrice], msgspec.Meta(max_length=_MAX_PRICES)] = []


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A product."""

    title: str
    variants: list[SaidVariant]
    handle: str | None = None
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: Status = "draft"
    tags: list[str] = []
    options: list[SaidOption] = []
    images: list[SaidImage] = []
    categories: list[str | SaidCategory] = []
    seo_title: str = ""
    seo_description: str = ""
    publish_at: Moment | None = None
    unpublish_at: Moment | None = None
    attributes: dict[str, Value] = {}
    """What refers to a product has its handle."""
    related: Related | None = None
    translations: Translations = {}
    """Their images by place, as ``"1"``."""


_encoder = msgspec.json.Encoder()
_NOTHING = Besides()


def jsonl_line(product: Product, more: Besides = _NOTHING) -> bytes:
    """A product as a line, its ``available`` taken for what is on hand."""
    places = {image.id: place for place, image in enumerate(product.images, 1)}
    # Of what a time has put on sale or off it, that time is over.
    now = draft_of(product)
    line = Line(
        title=product.title,
        handle=product.handle,
        description_html=product.description_html,
        vendor=product.vendor,
        product_type=product.product_type,
        status=product.status,
        tags=list(product.tags),
        options=[SaidOption(one.name, list(one.values)) for one in product.options],
        images=[SaidImage(i.url, i.alt, i.width, i.height) for i in product.images],
        categories=[
            SaidCategory(
                one.handle,
                one.name,
                [SaidShelf(*s) for s in more.paths.get(one.id, ())],
            )
            for one in product.categories
        ],
        seo_title=product.seo_title,
        seo_description=product.seo_description,
        publish_at=now.publish_at,
        unpublish_at=now.unpublish_at,
        attributes={**product.attributes, **more.references.get(product.id, {})},
        related=more.related.get(product.id),
        translations={
            locale: said
            for locale, texts in more.texts.get(product.id, {}).items()
            if (said := written(texts, product)) != ProductTexts()
        },
        variants=[
            SaidVariant(
                sku=one.sku,
                price=SaidAmount(one.price.amount, one.price.currency),
                options=one.options,
                compare_at_price=_amount(one.compare_at_price),
                weight_grams=one.weight_grams,
                barcode=one.barcode,
                on_hand=one.available,
                image=places.get(one.image_id),
                prices=[_price(price) for price in more.prices.get(one.id, ())],
            )
            for one in product.variants
        ],
    )
    return _encoder.encode(line) + b"\n"


def _amount(money: Money | None) -> SaidAmount | None:
    return None if money is None else SaidAmount(money.amount, money.currency)


def _price(other: OtherPrice) -> SaidPrice:
    return SaidPrice(
        SaidAmount(other.price.amount, other.price.currency),
        _amount(other.compare_at_price),
        other.min_quantity,
        other.starts_at,
        other.ends_at,
    )
