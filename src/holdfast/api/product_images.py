"""The images of a product, one by one.

What is added here is a picture of the shop's own. They are versioned with their
product; which variant shows which image, the variant says.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api import editions
from holdfast.api.editions import IfMatch
from holdfast.api.media import Alt
from holdfast.api.shop import Shop
from holdfast.domain import catalog, media
from holdfast.domain.identity import Caller
from holdfast.workflows import catalog as workflows

_SHOWN = "large.webp"
_ENCODER = msgspec.json.Encoder()

Place = Annotated[
    int,
    msgspec.Meta(ge=1, le=10_000, description="1 is the first; the others move up."),
]
OneImage = Annotated[Response[Any], catalog.Image]


class NewProductImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture for a product: last, and with its own text, unless it is said."""

    media_id: UUID
    alt: Alt | UnsetType = UNSET
    position: Place | UnsetType = UNSET


class ProductImageChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an image; what is absent stays as it is."""

    alt: Alt | UnsetType = UNSET
    position: Place | UnsetType = UNSET


async def create(
    shop: Shop,
    caller: Caller,
    product: str,
    data: NewProductImage,
    if_match: IfMatch = None,
) -> OneImage:
    """Show a picture with a product; it need not be drawn yet."""
    versions = None if if_match is None else editions.versions(if_match)
    found = await shop.products.find(product)
    asset = await media.find(shop.db, data.media_id)
    # How large it is, the product says by itself, once that is known.
    image = catalog.Image(
        media.path_of(asset.address, _SHOWN),
        asset.alt if data.alt is UNSET else data.alt,
    )

    def add(draft: catalog.Draft) -> catalog.Draft:
        return replace(draft, images=_placed(draft.images, image, data.position))

    try:
        changed = await workflows.change_product(
            *(shop.db, found.id, add),
            clock=shop.clock,
            actor=caller.actor,
            versions=versions,
        )
    except catalog.ProductInvalid:
        # It may be the picture, which somebody has removed since it was looked up.
        await media.find(shop.db, data.media_id)
        raise
    images = changed.product().images
    place = len(images) if data.position is UNSET else min(data.position, len(images))
    return _answer(changed, images[place - 1])


async def change(  # noqa: PLR0917 - what a change of a part is made of
    shop: Shop,
    caller: Caller,
    product: str,
    image_id: UUID,
    data: ProductImageChanges,
    if_match: IfMatch = None,
) -> OneImage:
    """Move an image, or give it another text."""

    def edit(draft: catalog.Draft) -> catalog.Draft:
        image = _find(draft.images, image_id)
        if data.alt is not UNSET:
            image = msgspec.structs.replace(image, alt=data.alt)
        others = tuple(one for one in draft.images if one.id != image_id)
        place = image.position if data.position is UNSET else data.position
        return replace(draft, images=_placed(others, image, place))

    changed = await _change(shop, caller, product, edit, if_match)
    return _answer(changed, _find(changed.product().images, image_id))


async def remove(
    shop: Shop,
    caller: Caller,
    product: str,
    image_id: UUID,
    if_match: IfMatch = None,
) -> None:
    """Take an image off a product; the picture itself stays."""

    def edit(draft: catalog.Draft) -> catalog.Draft:
        _find(draft.images, image_id)
        kept = tuple(image for image in draft.images if image.id != image_id)
        return replace(draft, images=kept)

    await _change(shop, caller, product, edit, if_match)


async def _change(
    shop: Shop,
    caller: Caller,
    product: str,
    edit: Callable[[catalog.Draft], catalog.Draft],
    if_match: str | None,
) -> catalog.Document:
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    return await workflows.change_product(
        *(shop.db, found.id, edit),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


def _placed(
    images: tuple[catalog.Image, ...], image: catalog.Image, place: int | UnsetType
) -> tuple[catalog.Image, ...]:
    before = len(images) if place is UNSET else place - 1
    return (*images[:before], image, *images[before:])


def _find(images: tuple[catalog.Image, ...], image_id: UUID) -> catalog.Image:
    for image in images:
        if image.id == image_id:
            return image
    raise media.MediaNotFound


def _answer(document: catalog.Document, image: catalog.Image) -> Response[Any]:
    return editions.answer(_ENCODER.encode(image), version=document.version)
