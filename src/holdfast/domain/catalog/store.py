"""The catalogue in PostgreSQL: one short function for each statement.

Writers add or put rows and call ``project`` last, in the same transaction: it
makes what readers see (``documents``) from the rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.catalog.drafts import Draft
from holdfast.domain.catalog.errors import (
    CategoryNotFound,
    DuplicateHandle,
    DuplicateSku,
    Fault,
    ProductInvalid,
)
from holdfast.domain.catalog.first_documents import Shelf, first_document
from holdfast.domain.catalog.model import (
    Category,
    Offer,
    is_handle,
    parse_id,
)
from holdfast.domain.catalog.rules import NewCategory
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.kernel.page import BadCursor, Page, decode_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection, ConstraintViolated, Row, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_OFFERS = _SQL["offers"]
_ADD_PRODUCTS = _SQL["add_products"]
_CHANGE_PRODUCTS = _SQL["change_products"]
_PUT_VARIANTS = _SQL["put_variants"]
_PUT_IMAGES = _SQL["put_images"]
_CLEAR_IMAGES = _SQL["clear_images"]
_KNOWN_CATEGORIES = _SQL["known_categories"]
_PUT_IN_CATEGORIES = _SQL["put_in_categories"]
_CLEAR_CATEGORIES = _SQL["clear_categories"]
_PROJECT = _SQL["project"]
_TOUCH = _SQL["touch"]
_REMEMBER_SOURCES = _SQL["remember_sources"]
_ADD_CATEGORIES = _SQL["add_categories"]
_FIND_CATEGORY = _SQL["find_category"]
_CATEGORIES = _SQL["categories"]

_POSITION = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A draft on its way into the catalogue, under the id it has or will have."""

    id: UUID
    draft: Draft
    source_hash: bytes | None = None
    """What it was imported from; None when made by hand."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of new products."""

    variants: dict[str, UUID]
    """By SKU."""
    untold: list[UUID]
    """Those whose document `project` has to make; the others have theirs."""


async def offers(
    connection: Connection, skus: Sequence[str], *, at: datetime | None = None
) -> dict[str, Offer]:
    """What is known of these SKUs, by SKU; unknown ones are absent.

    Active or not *at* a moment, by the database's clock if none is given.
    """
    # PostgreSQL cannot hold NUL in a text, so no variant has such a SKU.
    known = [sku for sku in skus if "\x00" not in sku]
    rows = await connection.fetch(_OFFERS, known, at)
    return {
        row["sku"]: Offer(
            variant_id=row["variant_id"],
            sku=row["sku"],
            title=" - ".join(filter(None, (row["title"], row["variant_title"]))),
            price=Money(row["price_amount"], row["currency"]),
            weight_grams=row["weight_grams"],
            active=row["active"],
        )
        for row in rows
    }


async def add(tx: Transaction, entries: Sequence[Entry], *, at: datetime) -> Added:
    """Add products, with the documents that readers are shown.

    Raises ``DuplicateHandle`` or ``DuplicateSku`` for the first that is taken,
    ``ProductInvalid`` for a category that does not exist.
    """
    shelves = await _shelves(tx, entries)
    parts = [_Parts(entry) for entry in entries]
    documents = [
        first_document(
            entry.id,
            entry.draft,
            shelves=[shelves[handle] for handle in entry.draft.categories],
            images=part.images,
            variants=part.variants,
            at=at,
        )
        for entry, part in zip(entries, parts, strict=True)
    ]
    products = [_product(entry) for entry in entries]
    rows = await tx.fetch(_ADD_PRODUCTS, products, documents, at)
    added = {row["id"] for row in rows}
    for entry in entries:
        if entry.id not in added:
            raise DuplicateHandle(entry.draft.handle)
    new = await _put_parts(tx, entries, parts, shelves, at=at)
    told = zip(entries, documents, strict=True)
    return Added(new, [entry.id for entry, document in told if not document])


async def change(
    tx: Transaction, entries: Sequence[Entry], *, at: datetime
) -> dict[str, UUID]:
    """Make locked products what their drafts say; raises as ``add``.

    Returns the id of each new variant by SKU. ``project`` must follow.
    """
    shelves = await _shelves(tx, entries)
    try:
        await tx.fetch(_CHANGE_PRODUCTS, [_product(e) for e in entries], at)
    except ConstraintViolated as error:
        # Only the handle is unique. With several at once nobody can tell which
        # one it was; those are imports, which never change a handle.
        raise DuplicateHandle(entries[0].draft.handle) from error
    ids = [entry.id for entry in entries]
    stay = [image.id for entry in entries for image in entry.draft.images if image.id]
    await tx.execute(_CLEAR_IMAGES, ids, stay)
    await tx.execute(_CLEAR_CATEGORIES, ids)
    return await _put_parts(tx, entries, [_Parts(e) for e in entries], shelves, at=at)


class _Parts:
    """The rows of a product's images and variants."""

    def __init__(self, entry: Entry) -> None:
        self.images = list(_images(entry))
        self.variants = list(_variants(entry))


async def _put_parts(
    tx: Transaction,
    entries: Sequence[Entry],
    parts: Sequence[_Parts],
    shelves: Mapping[str, Shelf],
    *,
    at: datetime,
) -> dict[str, UUID]:
    images = [image for part in parts for image in part.images]
    if images:
        _check_images(await tx.fetch(_PUT_IMAGES, images))
    filed = [
        (e.id, shelves[handle].id) for e in entries for handle in e.draft.categories
    ]
    if filed:
        await tx.execute(_PUT_IN_CATEGORIES, *zip(*filed, strict=True))
    variants = [variant for part in parts for variant in part.variants]
    rows = await tx.fetch(_PUT_VARIANTS, variants, at)
    put = {row["sku"] for row in rows}
    for variant in variants:
        if variant["sku"] not in put:
            raise DuplicateSku(variant["sku"])
    return {row["sku"]: row["id"] for row in rows if row["is_new"]}


async def _shelves(tx: Transaction, entries: Sequence[Entry]) -> dict[str, Shelf]:
    """The categories that products are to stand in, which nobody deletes meanwhile."""
    wanted = {handle for entry in entries for handle in entry.draft.categories}
    if not wanted:
        return {}
    rows = await tx.fetch(_KNOWN_CATEGORIES, sorted(wanted))
    known = {row["handle"]: Shelf(*row) for row in rows}
    for entry in entries:
        for index, handle in enumerate(entry.draft.categories):
            if handle not in known:
                raise ProductInvalid([Fault(f"/categories/{index}", "does not exist")])
    return known


async def project(
    tx: Transaction, ids: Sequence[UUID], *, changed: bool = True
) -> None:
    """Show readers what the rows of these products now say.

    That raises their version, unless nothing but the way of saying it has *changed*.
    """
    await tx.execute(_PROJECT, ids, int(changed))


async def touch(tx: Transaction, ids: Sequence[UUID], *, at: datetime) -> None:
    """Say that products were changed, where no row of theirs says so."""
    await tx.execute(_TOUCH, ids, at)


async def remember_sources(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Note from what locked products were imported that are as their drafts say."""
    sources = [entry.source_hash for entry in entries]
    await tx.execute(_REMEMBER_SOURCES, [entry.id for entry in entries], sources)


async def add_categories(
    tx: Transaction, wanted: Sequence[NewCategory], *, at: datetime
) -> list[Category]:
    """Add categories and return those that were not there before."""
    new = [{"id": new_id(), **asdict(category)} for category in wanted]
    rows = await tx.fetch(_ADD_CATEGORIES, new, at)
    return [Category(*row) for row in rows]


async def find_category(connection: Connection, id_or_handle: str) -> Category:
    """A category by its id or handle; ``CategoryNotFound`` if there is none."""
    category_id = parse_id(id_or_handle)
    handle = id_or_handle if is_handle(id_or_handle) else None
    row = await connection.fetchrow(_FIND_CATEGORY, category_id, handle)
    if row is None:
        raise CategoryNotFound
    return Category(*row)


async def categories(
    connection: Connection,
    *,
    after: str | None,
    limit: int,
    under: UUID | None = None,
    deep: bool = False,
    roots: bool = False,
) -> Page[Category]:
    """Categories in the order a shop shows them.

    *under* one those that stand in it, with all below them if *deep*; *roots* only
    those that stand under none.
    """
    position, last = (None, None) if after is None else _place(after)
    rows = await connection.fetch(
        _CATEGORIES, position, last, limit + 1, under, deep, roots
    )
    items = [Category(*row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(str(items[-1].position), str(items[-1].id)))


def _place(cursor: str) -> tuple[int, UUID]:
    position, last = decode_cursor(cursor, 2)
    category_id = parse_id(last)
    if category_id is None or not _POSITION.fullmatch(position):
        raise BadCursor
    return int(position), category_id


def _product(entry: Entry) -> dict[str, Any]:
    draft = entry.draft
    return {
        "id": entry.id,
        "handle": draft.handle,
        "title": draft.title,
        "description_html": draft.description_html,
        "vendor": draft.vendor,
        "product_type": draft.product_type,
        "status": draft.status,
        "tags": draft.tags,
        "options": draft.options,
        "seo_title": draft.seo_title,
        "seo_description": draft.seo_description,
        "publish_at": draft.publish_at,
        "unpublish_at": draft.unpublish_at,
        "attributes": draft.attributes,
        "source_hash": entry.source_hash and entry.source_hash.hex(),
    }


def _variants(entry: Entry) -> Iterator[dict[str, Any]]:
    for position, variant in enumerate(entry.draft.variants, 1):
        compare_at = variant.compare_at_price
        yield {
            "id": new_id(),
            "product_id": entry.id,
            "sku": variant.sku,
            "title": entry.draft.title_of(variant),
            "options": variant.options,
            "price_amount": variant.price.amount,
            "compare_at_amount": compare_at and compare_at.amount,
            "currency": variant.price.currency,
            "weight_grams": variant.weight_grams,
            "barcode": variant.barcode,
            "image_id": variant.image_id,
            "position": position,
        }


def _check_images(lost: Sequence[Row]) -> None:
    """Raise ``ProductInvalid`` for images of pictures that are not here."""
    if lost:
        what = "is no picture of the shop's own"
        raise ProductInvalid(
            [Fault(f"/images/{row['position'] - 1}/url", what) for row in lost]
        )


def _images(entry: Entry) -> Iterator[dict[str, Any]]:
    for position, image in enumerate(entry.draft.images, 1):
        yield {
            "id": image.id or new_id(),
            "product_id": entry.id,
            "asset_id": image.asset_id,
            # What was imported may name pictures that are still to be brought here.
            "here": entry.source_hash is None,
            "url": image.url,
            "alt": image.alt,
            "width": image.width,
            "height": image.height,
            "position": position,
        }
