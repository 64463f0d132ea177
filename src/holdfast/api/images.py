"""Pictures as browsers get them: what was drawn of uploads, and those of the demo.

An address holds a hash of the content, so it never means another picture and may be
cached for ever. What is not exactly a name that the shop gives reaches neither the
storage nor the file system; an upload has no such name, and is served to nobody.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from litestar import Response
from litestar.params import HeaderParameter

from holdfast.api import editions
from holdfast.api.editions import IfNoneMatch
from holdfast.api.problems import RangeNotSatisfiable
from holdfast.api.shop import Shop
from holdfast.domain import media
from holdfast.kernel.errors import NotFound
from holdfast.platform.storage import FileMissing, StorageUnavailable

_ADDRESS = re.compile(r"[0-9a-f]{64}")
_FOLDER = re.compile(r"[a-z0-9]{1,63}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,199}\.(webp|png|jpg)")
_MEDIA_TYPES = {"png": "image/png", **media.FORMATS}
_FOR_EVER = "public, max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)

RangeHeader = Annotated[
    str | None,
    HeaderParameter(name="Range", description="Which bytes: `bytes=0-1023`."),
]
IfRange = Annotated[
    str | None,
    HeaderParameter(name="If-Range", description="The ETag of which they are a part."),
]


@dataclass(eq=False)
class ImageNotFound(NotFound):
    """There is no such image."""


async def show(
    shop: Shop,
    folder: str,
    name: str,
    *,
    if_none_match: IfNoneMatch = None,
    range_: RangeHeader = None,
    if_range: IfRange = None,
) -> Response[bytes | None]:
    """A picture, or a part of it."""
    headers = {
        "Cache-Control": _FOR_EVER,
        "ETag": f'"{folder}.{name}"',
        "Accept-Ranges": "bytes",
    }
    has = if_none_match is not None and editions.has(if_none_match, headers["ETag"])
    try:
        content = await _content(shop, folder, name)
    except StorageUnavailable:
        if not has:
            raise
        # Whoever has a picture has it for ever: it is never another.
        return Response(None, status_code=304, headers=headers)
    if has:
        return Response(None, status_code=304, headers=headers)
    media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
    # A part of another edition would not fit; there is none, but the tag says so.
    wanted = range_ if if_range in {None, headers["ETag"]} else None
    part = None if wanted is None else _part(wanted, len(content))
    if part is None:
        return Response(content, media_type=media_type, headers=headers)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(
        content[start:end], status_code=206, media_type=media_type, headers=headers
    )


async def _content(shop: Shop, folder: str, name: str) -> bytes:
    if _ADDRESS.fullmatch(folder):
        if name not in media.NAMES:
            raise ImageNotFound
        try:
            # A picture is 5 MB at the most. It is sent in one piece, because a client
            # that is slow to take it must not keep the request waiting.
            return await shop.storage.load(folder, name)
        except FileMissing:
            raise ImageNotFound from None
    if not _NAME.fullmatch(name) or not _FOLDER.fullmatch(folder):
        raise ImageNotFound
    read: Callable[[], bytes] = (
        shop.settings.home / "images" / folder / name
    ).read_bytes
    try:
        return await asyncio.to_thread(read)
    except OSError:
        raise ImageNotFound from None


def _part(wanted: str, size: int) -> tuple[int, int] | None:
    """The bytes that a Range asks for; None for all (RFC 9110 14.2).

    Several ranges, and what is not understood, get all; what begins after the end is
    ``RangeNotSatisfiable``.
    """
    match = _RANGE.fullmatch(wanted.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start = int(first)
        end = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start == end:
        raise RangeNotSatisfiable(size)
    return start, end
