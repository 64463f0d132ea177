"""Pictures of the shop's own: uploading them, and what became of them.

Products show them by their ``url``; a picture is removed only when none does.
"""

import asyncio
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response

from holdfast.api import editions, keyed, uploads
from holdfast.api.editions import IfMatch, IfNoneMatch
from holdfast.api.keyed import KeyHeader
from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.problems import ClientGone, MalformedRequest
from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain import media
from holdfast.domain.identity import Caller
from holdfast.domain.media import Asset, Upload
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import DEFAULT_LIMIT, Page
from holdfast.platform.idempotency import LEASE, Answer
from holdfast.platform.storage import StorageUnavailable
from holdfast.resilience.errors import BodyTooLarge
from holdfast.workflows import media as workflows

BODY_LIMIT_BYTES = media.MAX_BYTES + uploads.FORM_BYTES
"""Of a form with one picture."""

SECONDS = 300.0
"""For an upload: 20 MiB at half a megabit a second take as long."""

_PATH = "/v1/media"
_ALT = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,512}")
_ENCODER = msgspec.json.Encoder()

Alt = Annotated[
    str,
    msgspec.Meta(
        max_length=512,
        description="What the picture shows, for those who cannot see it; one line.",
    ),
]


class MediaFile(msgspec.Struct, frozen=True):
    """One size of a picture in one format."""

    size: str
    format: Literal["webp", "jpg"]
    url: str
    width: int
    height: int
    bytes: int


class Media(msgspec.Struct, frozen=True):
    """A picture of the shop's own.

    ``url`` is what a product shows; it answers once the status is ``ready``. ``failed``
    has a ``problem``; for seven days its upload is kept, and can be drawn again. While
    it is ``processing``, the problem is what its last drawing came to.
    """

    id: UUID
    status: media.Status
    url: str
    alt: str
    file_name: str
    kind: media.Kind
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    files: list[MediaFile]
    problem: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    """Raised by what people change of it; being drawn is no change of theirs."""

    @classmethod
    def of(cls, asset: Asset) -> "Media":
        return cls(
            id=asset.id,
            status=asset.status,
            url=media.path_of(asset.address, "large.webp"),
            alt=asset.alt,
            file_name=asset.file_name,
            kind=asset.kind,
            bytes=asset.bytes,
            sha256=asset.sha256,
            width=asset.width,
            height=asset.height,
            files=[_file(asset, rendition) for rendition in asset.renditions],
            problem=asset.problem,
            created_at=asset.created_at,
            updated_at=asset.updated_at,
            version=asset.version,
        )


class MediaChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a picture."""

    alt: Alt


class MediaForm(msgspec.Struct, frozen=True):
    """A form (``multipart/form-data``) with one picture."""

    file: Annotated[
        str,
        msgspec.Meta(
            description="PNG, JPEG, GIF or WebP, by its content.",
            extra_json_schema={"contentMediaType": "application/octet-stream"},
        ),
    ]
    alt: Alt = ""


OneMedia = Annotated[Response[Any], Media]
ManyMedia = Annotated[Response[Any], Listing[Media]]


async def create(
    shop: Shop, caller: Caller, request: Request[Any, Any, Any], key: KeyHeader = None
) -> OneMedia:
    """Upload a picture: a form with the part ``file``, and ``alt`` if there is a text.

    It is checked at once and drawn in its sizes a moment later, by then ``ready``.
    """
    with _counted(shop.media):
        return await _create(shop, caller, request, key)


async def _create(
    shop: Shop, caller: Caller, request: Request[Any, Any, Any], key: str | None
) -> Response[Any]:
    scope: Any = request.scope
    receive: Any = request.receive
    async with uploads.arriving(
        scope,
        receive,
        file="file",
        texts=frozenset({"alt"}),
        most_bytes=media.MAX_BYTES,
    ) as form:
        picture = await asyncio.to_thread(_inspect, form.file, form.bytes)
        upload = Upload(
            id=new_id(),
            picture=picture,
            bytes=form.bytes,
            sha256=form.sha256,
            file_name=media.file_name_of(form.name),
            alt=_alt(form.texts.get("alt", "")),
        )
        claim = None
        if key is not None:
            claim = keyed.claim(
                shop.vault,
                key,
                caller=caller,
                route=f"POST {_PATH}",
                subject=UUID(int=0),
                body=(upload.sha256, upload.file_name, upload.alt),
                lease=4 * LEASE,
            )
        form.file.seek(0)
        answer, replayed = await workflows.Uploading(
            shop.db, shop.vault, shop.storage, shop.clock, _answer
        ).upload(upload, form.file, actor=caller.actor, claim=claim)
    if not replayed:
        shop.media.taken[picture.kind].inc()
    return keyed.response(answer, replayed=replayed)


async def browse(
    shop: Shop,
    *,
    limit: Limit = DEFAULT_LIMIT,
    after: After | None = None,
    status: media.Status | None = None,
    if_none_match: IfNoneMatch = None,
) -> ManyMedia:
    """List the pictures, latest first."""
    page = await media.page(shop.db, after=after, limit=limit, status=status)
    shown = Page([Media.of(asset) for asset in page.items], page.next)
    listed = listing(shown, _PATH, limit=limit, status=status)
    return editions.of_list(listed, if_none_match)


async def show(
    shop: Shop, media_id: UUID, if_none_match: IfNoneMatch = None
) -> OneMedia:
    """One picture, and how far it is."""
    found = await media.find(shop.db, media_id)
    return editions.of(
        Media.of(found), version=found.version, if_none_match=if_none_match
    )


async def change(
    shop: Shop, media_id: UUID, data: MediaChanges, if_match: IfMatch = None
) -> OneMedia:
    """Give a picture another alternative text; products keep the one they have."""
    versions = editions.versions(if_match)
    changed = await workflows.describe(
        shop.db, media_id, _alt(data.alt), clock=shop.clock, versions=versions
    )
    return editions.of(Media.of(changed), version=changed.version)


async def draw(shop: Shop, media_id: UUID) -> OneMedia:
    """Have a picture drawn again that failed, now that what was wrong is mended."""
    drawn = await workflows.draw_again(shop.db, media_id, clock=shop.clock)
    return editions.of(Media.of(drawn), version=drawn.version)


async def remove(shop: Shop, media_id: UUID, if_match: IfMatch = None) -> None:
    """Remove a picture that no product shows, and its files shortly after."""
    versions = editions.versions(if_match)
    await workflows.remove(shop.db, media_id, clock=shop.clock, versions=versions)
    shop.media.removed.inc()


@contextmanager
def _counted(metrics: media.UploadMetrics) -> Iterator[None]:
    """Count why an upload is refused."""
    try:
        yield
    except media.MediaInvalid as error:
        metrics.refused[error.reason].inc()
        raise
    except BodyTooLarge:
        metrics.refused["too-large"].inc()
        raise
    except (MalformedRequest, ClientGone):
        metrics.refused["cut-off"].inc()
        raise
    except StorageUnavailable:
        metrics.refused["not-kept"].inc()
        raise


def _inspect(file: IO[bytes], size: int) -> media.Picture:
    if not size:
        return media.inspect(b"")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return media.inspect(content)


def _alt(text: str) -> str:
    if not _ALT.fullmatch(text):
        raise invalid("/alt", "Must be one line of at most 512 characters")
    return text


def _answer(asset: Asset) -> Answer:
    body = _ENCODER.encode(Media.of(asset))
    headers = {
        "content-type": "application/json",
        "etag": editions.tag_of(body, asset.version),
        "location": f"{_PATH}/{asset.id}",
    }
    return Answer(201, headers, body)


def _file(asset: Asset, rendition: media.Rendition) -> MediaFile:
    size, _, ending = rendition.name.partition(".")
    return MediaFile(
        size=size,
        format="webp" if ending == "webp" else "jpg",
        url=media.path_of(asset.address, rendition.name),
        width=rendition.width,
        height=rendition.height,
        bytes=rendition.bytes,
    )
