"""The whole catalogue as a file, a page of products at a time.

Each product is as one statement saw it. No transaction spans the file: whoever reads it
slowly holds nothing, and what is changed meanwhile may be in it or not. Memory holds a
page, whatever the size of the catalogue.

Stock is that of one location, which is what an import sets: of all of them together it
would come back as more than there is.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain.catalog import shopify_rows
from holdfast.domain.catalog.attributes import Attribute, definitions
from holdfast.domain.catalog.besides import besides
from holdfast.domain.catalog.documents import document
from holdfast.domain.catalog.lines import jsonl_line
from holdfast.domain.catalog.model import Status
from holdfast.platform import sql
from holdfast.platform.db import Connection

FileFormat: TypeAlias = Literal["jsonl", "shopify_csv"]

_EXPORT_PAGE = sql.load("holdfast.domain.catalog")["export_page"]
_PAGE = 100
_FIRST = UUID(int=0)


async def export(
    connection: Connection,
    file_format: FileFormat,
    *,
    location_id: UUID,
    at: datetime,
    status: Status | None = None,
) -> AsyncIterator[bytes]:
    """The products of a *status*, or of any, in the order they were made.

    With what is on hand at a location, and the status they have *at* a moment.
    """
    columns: dict[str, str] = {}
    if file_format == "shopify_csv":
        columns = shopify_rows.columns_of(await _every_attribute(connection))
        yield shopify_rows.header(columns)
    last = _FIRST
    asked = (_PAGE, status, location_id, at)
    while rows := await connection.fetch(_EXPORT_PAGE, last, *asked):
        products = [document(row).product() for row in rows]
        last = rows[-1]["id"]
        if file_format == "shopify_csv":
            yield b"".join(shopify_rows.rows(one, columns) for one in products)
        else:
            more = await besides(connection, products, at=at)
            yield b"".join(jsonl_line(product, more) for product in products)


async def _every_attribute(connection: Connection) -> list[Attribute]:
    found: list[Attribute] = []
    after = None
    while True:
        page = await definitions(connection, after=after, limit=_PAGE)
        found += page.items
        if page.next is None:
            return found
        after = page.next
