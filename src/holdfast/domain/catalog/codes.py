"""Variants by what is printed on them: an SKU, or a barcode that several may share."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.domain.catalog.documents import Document, read_by_id
from holdfast.domain.catalog.model import Variant
from holdfast.kernel.page import Page, decode_id_cursor, encode_cursor
from holdfast.platform import sql
from holdfast.platform.db import Connection

_SQL = sql.load("holdfast.domain.catalog")
_WITH_SKU = _SQL["with_sku"]
_WITH_BARCODE = _SQL["with_barcode"]

_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Coded:
    """A variant, and the product it is of."""

    document: Document
    variant: Variant


async def with_code(
    connection: Connection,
    *,
    sku: str | None,
    barcode: str | None,
    after: str | None,
    limit: int,
) -> Page[Coded]:
    """Variants with just this SKU or barcode, in the order they were made.

    Two statements.
    """
    statement, code = (_WITH_SKU, sku) if sku is not None else (_WITH_BARCODE, barcode)
    last = _FIRST if after is None else decode_id_cursor(after)
    rows = await connection.fetch(statement, code, last, limit + 1)
    documents = await read_by_id(
        connection, list({row["product_id"] for row in rows[:limit]})
    )
    variants = {
        variant.id: (document, variant)
        for document in documents.values()
        for variant in document.product().variants
    }
    # One that was deleted between the two statements is not there.
    there = [row["id"] for row in rows[:limit] if row["id"] in variants]
    items = [Coded(*variants[variant_id]) for variant_id in there]
    more = len(rows) > limit
    return Page(items, encode_cursor(str(rows[limit - 1]["id"])) if more else None)
