"""The whole catalogue as a file, written while it is sent."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Response
from litestar.params import QueryParameter
from litestar.response import Stream

from holdfast.api.shop import Shop
from holdfast.domain import catalog, inventory
from holdfast.domain.catalog import FileFormat, Status

_MEDIA: dict[FileFormat, tuple[str, str]] = {
    "jsonl": ("application/jsonl", "products.jsonl"),
    "shopify_csv": ("text/csv", "products.csv"),
}

Written = Annotated[
    FileFormat,
    QueryParameter(
        name="format",
        description="`jsonl` loses nothing; `shopify_csv` is for other shops and "
        "for spreadsheets.",
    ),
]


async def show_products(
    *, shop: Shop, file_format: Written = "jsonl", status: Status | None = None
) -> Annotated[Response[bytes], str]:
    """Every product as a file, in the order they were made.

    Its stock is that of the main location, which is what an import sets. Each product
    is whole; what is changed meanwhile may be in it or not.
    """
    media, name = _MEDIA[file_format]

    async def content() -> AsyncIterator[bytes]:
        async for part in catalog.export(
            shop.db,
            file_format,
            location_id=inventory.MAIN,
            at=shop.clock(),
            status=status,
        ):
            yield part

    return Stream(  # type: ignore[return-value]
        content(),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
