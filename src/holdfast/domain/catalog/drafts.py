"""What somebody wants a product to be: the whole of it, whatever is to change.

A change is told as a draft made of the product there is (``draft_of``), edited; what is
wrong with a draft is in ``rules``, and how two of them differ in ``history``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.html import sanitise
from holdfast.domain.catalog.model import Image, Option, Product, Status, Value, Variant
from holdfast.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """What somebody wants a variant to be."""

    sku: str
    price: Money
    options: Mapping[str, str]
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    image_id: UUID | None = None
    """One of the product's images."""
    id: UUID | None = field(default=None, compare=False)
    """None before it is in the catalogue; what it is like does not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants a product to be."""

    handle: str
    title: str
    variants: tuple[VariantDraft, ...]
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: Status = "draft"
    tags: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    images: tuple[Image, ...] = ()
    categories: tuple[str, ...] = ()
    """Handles."""
    seo_title: str = ""
    seo_description: str = ""
    publish_at: datetime | None = None
    """When it goes on sale, while it is scheduled."""
    unpublish_at: datetime | None = None
    """When it goes off sale."""
    attributes: Mapping[str, Value] = field(default_factory=dict)

    def cleaned(self) -> "Draft":
        """The same with its HTML made harmless, and without times that are over.

        What is on sale has no time to come on it, and what is archived none at all: it
        would be archived again as soon as somebody brings it back. Twice is the same as
        once.
        """
        on, off = _times_left(self)
        return replace(
            self,
            description_html=sanitise(self.description_html),
            publish_at=on,
            unpublish_at=off,
        )

    def beyond(self, product: Product) -> "Draft":
        """The same with what a file does not say of *product*, which stays."""
        on, off = _times_left(product)
        return replace(
            self,
            attributes={**product.attributes, **self.attributes},
            seo_title=self.seo_title or product.seo_title,
            seo_description=self.seo_description or product.seo_description,
            publish_at=self.publish_at or on,
            unpublish_at=self.unpublish_at or off,
        )

    def beside(self, product: Product) -> "Draft":
        """The same with what *product* has besides: variants are never dropped.

        A variant that was sold has a ledger, which a change of texts must not end.
        """
        there = {variant.sku: variant for variant in product.variants}
        ours = tuple(_known(v, there.pop(v.sku, None)) for v in self.variants)
        theirs = there.values()
        options = tuple(
            Option(
                option.name,
                tuple(
                    dict.fromkeys(
                        [
                            *option.values,
                            *filter(None, (v.options.get(option.name) for v in theirs)),
                        ]
                    )
                ),
            )
            for option in self.options
        )
        kept = tuple(map(_draft_of_variant, theirs))
        images = tuple(_recognised(self.images, product.images))
        here = {image.id for image in images}
        variants = tuple(
            # An image that goes takes no variant with it.
            v if v.image_id in here else replace(v, image_id=None)
            for v in (*ours, *kept)
        )
        # Told in whatever order, it stands in the same places.
        there_now = tuple(category.handle for category in product.categories)
        is_same = sorted(self.categories) == sorted(there_now)
        return replace(
            self,
            options=options,
            variants=variants,
            images=images,
            categories=there_now if is_same else self.categories,
        )

    def title_of(self, variant: VariantDraft) -> str:
        """``S / Blue``; empty when there is nothing to choose."""
        chosen = (variant.options.get(option.name) for option in self.options)
        return " / ".join(filter(None, chosen))


def has_turned(product: Product) -> bool:
    """Whether a time has made it what it is, and that is not written down yet."""
    return _times_left(product) != (product.publish_at, product.unpublish_at)


def _times_left(thing: Draft | Product) -> tuple[datetime | None, datetime | None]:
    """When it is still to go on and off sale, by what its status is."""
    is_off = thing.status == "archived"
    on = None if is_off or thing.status == "active" else thing.publish_at
    return on, None if is_off else thing.unpublish_at


def draft_of(product: Product) -> Draft:
    """What *product* would be a draft of: the starting point of a change.

    Of a product that a time has put on or off sale, that time is over.
    """
    on, off = _times_left(product)
    return Draft(
        handle=product.handle,
        title=product.title,
        variants=tuple(map(_draft_of_variant, product.variants)),
        description_html=product.description_html,
        vendor=product.vendor,
        product_type=product.product_type,
        status=product.status,
        tags=product.tags,
        options=product.options,
        images=product.images,
        categories=tuple(category.handle for category in product.categories),
        seo_title=product.seo_title,
        seo_description=product.seo_description,
        publish_at=on,
        unpublish_at=off,
        attributes=product.attributes,
    )


def _known(variant: VariantDraft, old: Variant | None) -> VariantDraft:
    """The variant as the one it already is."""
    if old is None:
        return variant
    return replace(variant, id=old.id, image_id=variant.image_id or old.image_id)


def _recognised(images: Sequence[Image], known: Sequence[Image]) -> Iterator[Image]:
    """The images in their order, each with the id that one of its address has had."""
    spare = {image.id: image for image in known}
    for position, image in enumerate(images, 1):
        same = (old for old in spare.values() if old.url == image.url)
        old = spare.get(image.id) or next(same, None)
        size = image.width, image.height
        if old is not None:
            del spare[old.id]
            if old.asset_id and old.url == image.url and size == (None, None):
                # The shop knows that of its own pictures: not to say it is no change.
                size = old.width, old.height
        yield Image(
            image.url,
            image.alt,
            *size,
            position,
            id=None if old is None else old.id,
            asset_id=None if old is None else old.asset_id,
        )


def _draft_of_variant(variant: Variant) -> VariantDraft:
    return VariantDraft(
        sku=variant.sku,
        price=variant.price,
        options=variant.options,
        compare_at_price=variant.compare_at_price,
        weight_grams=variant.weight_grams,
        barcode=variant.barcode,
        image_id=variant.image_id,
        id=variant.id,
    )
