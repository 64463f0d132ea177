"""Files of products: sent by operators, taken in by the worker, told of in between."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter
from litestar.response import Stream

from holdfast.api import decoding
from holdfast.api.decoding import invalid_parameter
from holdfast.api.keyed import KeyHeader
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.problems import UnsupportedMediaType
from holdfast.api.shapes import CurrencyCode
from holdfast.api.shop import Shop
from holdfast.domain import catalog, imports
from holdfast.domain.identity import Caller
from holdfast.domain.imports import Format, Job, NumberedFault, Place, Status, Tally
from holdfast.kernel.money import CURRENCIES
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.resilience.idempotency import parse
from holdfast.workflows import import_files
from holdfast.workflows.import_files import Received, Wanted

_PATH = "/v1/imports"
_FORMATS: dict[str, Format] = {
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "shopify_csv",
}
_FAULTS_AT_ONCE = 1_000

MAX_FILE_BYTES = 1 << 30
"""A million variants of a kilobyte each."""

Stock = Annotated[
    Literal["new", "all"],
    msgspec.Meta(
        description="Set the stock of variants that are new, or of all in the file, at "
        "the main location."
    ),
]
Currency = Annotated[
    CurrencyCode,
    msgspec.Meta(
        description="Of prices that do not say theirs; by default the shop's. None "
        "that is there comes to be in another because its row says none."
    ),
]
ErrorFormat = Annotated[
    Literal["csv", "jsonl"],
    QueryParameter(name="format", description="How the file is written."),
]


class ImportView(msgspec.Struct, frozen=True):
    """An import, and how far it has come.

    `created`, `updated` and `unchanged` count products, `refused` rows; everything up
    to `done_bytes` is in, and nothing after it.
    """

    id: UUID
    format: Format
    currency: str
    stock: Literal["new", "all"]
    status: Status
    actor: str
    size_bytes: int
    done_bytes: int
    done_lines: int
    progress: float
    created: int
    updated: int
    unchanged: int
    refused: int
    failure: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "ImportView":
        return cls(
            id=job.id,
            format=job.format,
            currency=job.currency,
            stock="all" if job.overwrite_stock else "new",
            status=job.status,
            actor=job.actor,
            size_bytes=job.size_bytes,
            done_bytes=job.done.offset,
            done_lines=job.done.lines,
            progress=round(job.progress, 4),
            created=job.tally.created,
            updated=job.tally.updated,
            unchanged=job.tally.unchanged,
            refused=job.tally.refused,
            failure=job.failure,
            created_at=job.created_at,
            finished_at=job.finished_at,
        )


OneImport = Annotated[Response[Any], ImportView]
Imports = Annotated[Response[Any], Listing[ImportView]]


async def browse(
    *, shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Imports:
    """List imports, newest first; they are kept for 30 days."""
    page = await imports.page(shop.db, after=after, limit=limit)
    views = Page([ImportView.of(job) for job in page.items], page.next)
    return listing(views, _PATH, limit=limit)


async def show(shop: Shop, import_id: UUID) -> ImportView:
    """One import, and how far it has come."""
    return ImportView.of(await imports.find(shop.db, import_id))


async def create(
    shop: Shop,
    caller: Caller,
    request: Request[Any, Any, Any],
    *,
    stock: Stock = "new",
    currency: Currency | None = None,
    key: KeyHeader = None,
) -> OneImport:
    """Send a file of products, to be taken in one after the other.

    The body is the file: JSON Lines (`application/jsonl`) or Shopify's product CSV
    (`text/csv`), of up to 1 GiB. It sets stock, at the main location, so it takes
    `inventory:write` besides `products:write`.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _FORMATS or "content-encoding" in request.headers:
        raise UnsupportedMediaType(", ".join(_FORMATS))
    priced_in = shop.settings.currency if currency is None else currency
    if priced_in not in CURRENCIES:
        raise invalid_parameter("currency", "There is no such currency")
    wanted = Wanted(
        format=_FORMATS[media],
        currency=priced_in,
        overwrite_stock=stock == "all",
        actor=caller.actor,
        key=None if key is None else parse(key),
    )
    pieces = decoding.pieces(request.receive)  # type: ignore[arg-type]
    received = await import_files.receive(shop.db, pieces, wanted, clock=shop.clock)
    return _received(received)


async def cancel(shop: Shop, import_id: UUID) -> ImportView:
    """End an import; what is in stays in."""
    job = await import_files.cancel(shop.db, import_id, clock=shop.clock)
    return ImportView.of(job)


async def show_errors(
    shop: Shop, import_id: UUID, *, file_format: ErrorFormat = "csv"
) -> Annotated[Response[bytes], str]:
    """What was refused of a file, as a file: line, handle and reason.

    The first 10,000 are kept.
    """
    job = await imports.find(shop.db, import_id)
    media, write = {
        "csv": ("text/csv", _as_csv),
        "jsonl": ("application/jsonl", _as_jsonl),
    }[file_format]
    name = f"import-{job.id}-errors.{file_format}"
    return Stream(  # type: ignore[return-value]
        _errors(shop, job, write, heading=file_format == "csv"),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _errors(
    shop: Shop, job: Job, write: Any, *, heading: bool
) -> AsyncIterator[bytes]:
    if heading:
        yield b"Line,Handle,Error\r\n"
    last = 0
    while found := await imports.faults(
        shop.db, job.id, after=last, limit=_FAULTS_AT_ONCE
    ):
        yield write(found)
        last = found[-1].number


def _as_csv(found: Iterable[NumberedFault]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(
        (one.fault.line, *map(catalog.defuse, (one.fault.handle, one.fault.message)))
        for one in found
    )
    return written.getvalue().encode()


def _as_jsonl(found: Iterable[NumberedFault]) -> bytes:
    return b"".join(
        msgspec.json.encode(
            {
                "line": one.fault.line,
                "handle": one.fault.handle,
                "error": one.fault.message,
            }
        )
        + b"\n"
        for one in found
    )


def _received(received: Received) -> OneImport:
    # The same each time, however far it has come since.
    job = replace(
        received.job,
        status="queued",
        done=Place(0, 0),
        tally=Tally(),
        failure=None,
        finished_at=None,
    )
    headers = {"Location": f"{_PATH}/{job.id}"}
    if received.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(ImportView.of(job), headers=headers)
