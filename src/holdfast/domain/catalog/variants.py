"""Variants one at a time, as `put_variants` has them by the thousand.

The product is locked by then (``lock_one``), and ``project`` follows.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.catalog.drafts import Draft, VariantDraft
from holdfast.domain.catalog.errors import (
    DuplicateSku,
    Fault,
    ProductInUse,
    ProductInvalid,
    VariantNotFound,
)
from holdfast.domain.catalog.model import Product
from holdfast.domain.catalog.rules import faults
from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import ConstraintViolated, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_ADD_VARIANT = _SQL["add_variant"]
_CHANGE_VARIANT = _SQL["change_variant"]
_DELETE_VARIANTS = _SQL["delete_variants"]
_DELETE_PRODUCT = _SQL["delete_product"]


def place_of(draft: Draft, variant_id: UUID) -> int:
    """Where a variant stands among the others; ``VariantNotFound``."""
    for place, variant in enumerate(draft.variants):
        if variant.id == variant_id:
            return place
    raise VariantNotFound


def with_variant(draft: Draft, place: int, variant: VariantDraft) -> Draft:
    """The draft with *variant* in this place, the one after the last for a new one.

    ``ProductInvalid`` names what is wrong by pointers into the variant.
    """
    others = (*draft.variants[:place], *draft.variants[place + 1 :])
    # As the last it is the one to be blamed for being like another.
    here = f"/variants/{len(others)}"
    found = [
        Fault(fault.pointer.removeprefix(here), fault.detail)
        for fault in faults(replace(draft, variants=(*others, variant)))
    ]
    if found:
        raise ProductInvalid(found)
    kept = (*draft.variants[:place], variant, *draft.variants[place + 1 :])
    return replace(draft, variants=kept)


async def add_variant(
    tx: Transaction, product: Product, draft: Draft, place: int, *, at: datetime
) -> UUID:
    """Add the variant in this place of the draft; ``DuplicateSku`` if it is taken."""
    variant_id = new_id()
    row = _row(product, draft, place) | {"id": variant_id}
    await _put(tx, _ADD_VARIANT, row, at)
    return variant_id


async def change_variant(
    tx: Transaction, product: Product, draft: Draft, place: int, *, at: datetime
) -> None:
    """Make a variant what the draft says in its place; raises as ``add_variant``."""
    await _put(tx, _CHANGE_VARIANT, _row(product, draft, place), at)


async def _put(
    tx: Transaction, statement: str, row: dict[str, Any], at: datetime
) -> None:
    try:
        await tx.execute(statement, row, at)
    except ConstraintViolated as error:
        raise DuplicateSku(row["sku"]) from error


async def delete_variants(tx: Transaction, variants: Sequence[UUID]) -> bool:
    """Delete variants without stock; False if something refers to one of them."""
    try:
        await tx.execute(_DELETE_VARIANTS, variants)
    except ConstraintViolated:
        return False
    return True


async def delete_product(tx: Transaction, product: Product) -> None:
    """Delete a locked product without stock, or raise ``ProductInUse``."""
    if not await delete_variants(tx, [variant.id for variant in product.variants]):
        raise ProductInUse([variant.sku for variant in product.variants])
    await tx.execute(_DELETE_PRODUCT, product.id)


def _row(product: Product, draft: Draft, place: int) -> dict[str, Any]:
    variant = draft.variants[place]
    compare_at = variant.compare_at_price
    return {
        "id": variant.id,
        "product_id": product.id,
        "sku": variant.sku,
        "title": draft.title_of(variant),
        "options": variant.options,
        "price_amount": variant.price.amount,
        "compare_at_amount": compare_at and compare_at.amount,
        "currency": variant.price.currency,
        "weight_grams": variant.weight_grams,
        "barcode": variant.barcode,
        "image_id": variant.image_id,
    }
