"""What products and categories are called in other languages: for operators.

A translation is part of what it is of. It is read with the tag of that thing and
written against it, and each write raises its version. The shop's own language is none
of them: that is the product or the category itself.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response

from holdfast.api import editions
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.languages import another, tag_of
from holdfast.api.shop import Shop
from holdfast.domain import catalog
from holdfast.domain.identity import Caller
from holdfast.workflows import translations as workflows

_ENCODER = msgspec.json.Encoder()


class ProductTranslation(catalog.ProductTexts, frozen=True, kw_only=True):
    """A product in one language; what is absent is shown in the shop's own."""

    locale: str
    updated_at: datetime


class ProductTranslations(msgspec.Struct, frozen=True):
    """A product in every language it is translated into, by language."""

    items: list[ProductTranslation]


class CategoryTranslation(catalog.CategoryTexts, frozen=True, kw_only=True):
    """A category in one language; what is absent is shown in the shop's own."""

    locale: str
    updated_at: datetime


class CategoryTranslations(msgspec.Struct, frozen=True):
    """A category in every language it is translated into, by language."""

    items: list[CategoryTranslation]


OneOfProduct = Annotated[Response[Any], ProductTranslation]
OneOfCategory = Annotated[Response[Any], CategoryTranslation]


async def browse(
    shop: Shop, product: str, if_none_match: IfNoneMatch = None
) -> Annotated[Response[Any], ProductTranslations]:
    """List the translations of a product, 30 at the most."""
    found = await shop.products.find(product)
    listed = await catalog.product_translations.of(shop.db, found.id)
    shown = ProductTranslations([*_all(listed, ProductTranslation)])
    return _answer(shown, found.version, if_none_match)


async def show(
    shop: Shop, product: str, locale: str, if_none_match: IfNoneMatch = None
) -> OneOfProduct:
    """A product in one language, as it was translated into that."""
    found = await shop.products.find(product)
    kept = await catalog.product_translations.find(shop.db, found.id, tag_of(locale))
    return _answer(_one(kept, ProductTranslation), found.version, if_none_match)


async def replace(
    shop: Shop,
    caller: Caller,
    product: str,
    locale: str,
    *,
    data: catalog.ProductTexts,
    if_match: IfMatch = None,
) -> OneOfProduct:
    """Say what a product is called in a language, in place of all that was said."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    kept, version = await workflows.translate_product(
        *(shop.db, found.id, another(shop, locale), data),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(_one(kept, ProductTranslation), version)


async def delete(
    shop: Shop, caller: Caller, product: str, locale: str, if_match: IfMatch = None
) -> None:
    """Take a translation away: the product is shown in the shop's own language."""
    versions = editions.versions(if_match)
    found = await shop.products.find(product)
    await workflows.untranslate_product(
        *(shop.db, found.id, tag_of(locale)),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


async def browse_category(
    shop: Shop, category: str, if_none_match: IfNoneMatch = None
) -> Annotated[Response[Any], CategoryTranslations]:
    """List the translations of a category, 30 at the most."""
    found = await catalog.find_category(shop.db, category)
    listed = await catalog.category_translations.of(shop.db, found.id)
    shown = CategoryTranslations([*_all(listed, CategoryTranslation)])
    return _answer(shown, found.version, if_none_match)


async def show_category(
    shop: Shop, category: str, locale: str, if_none_match: IfNoneMatch = None
) -> OneOfCategory:
    """A category in one language, as it was translated into that."""
    found = await catalog.find_category(shop.db, category)
    kept = await catalog.category_translations.find(shop.db, found.id, tag_of(locale))
    return _answer(_one(kept, CategoryTranslation), found.version, if_none_match)


async def replace_category(
    shop: Shop,
    caller: Caller,
    category: str,
    locale: str,
    *,
    data: catalog.CategoryTexts,
    if_match: IfMatch = None,
) -> OneOfCategory:
    """Say what a category is called in a language, in place of all that was said."""
    versions = editions.versions(if_match)
    found = await catalog.find_category(shop.db, category)
    kept, version = await workflows.translate_category(
        *(shop.db, found.id, another(shop, locale), data),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )
    return _answer(_one(kept, CategoryTranslation), version)


async def delete_category(
    shop: Shop, caller: Caller, category: str, locale: str, if_match: IfMatch = None
) -> None:
    """Take a translation away: the category is shown in the shop's own language."""
    versions = editions.versions(if_match)
    found = await catalog.find_category(shop.db, category)
    await workflows.untranslate_category(
        *(shop.db, found.id, tag_of(locale)),
        clock=shop.clock,
        actor=caller.actor,
        versions=versions,
    )


T = TypeVar("T", ProductTranslation, CategoryTranslation)


def _one(kept: catalog.Translation[Any], kind: type[T]) -> T:
    texts = msgspec.structs.asdict(kept.texts)
    return kind(**texts, locale=kept.locale, updated_at=kept.updated_at)


def _all(kept: Iterable[catalog.Translation[Any]], kind: type[T]) -> Iterable[T]:
    return (_one(one, kind) for one in kept)


def _answer(
    shown: msgspec.Struct, version: int, if_none_match: str | None = None
) -> Response[Any]:
    body = _ENCODER.encode(shown)
    return editions.answer(body, version=version, if_none_match=if_none_match)
