"""Pictures that the shop keeps itself, in ``images`` in its home folder.

A picture's name holds a hash of its content, so a name never means another
picture and may be cached for ever. What is not exactly a name that the shop
gives does not reach the file system.
"""

import asyncio
import re
from dataclasses import dataclass

from litestar import Response

from holdfast.api.shop import Shop
from holdfast.kernel.errors import NotFound

_FOLDER = re.compile(r"[a-z0-9]{1,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,199}\.(webp|png|jpg)")
_MEDIA_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(eq=False)
class ImageNotFound(NotFound):
    """There is no such image."""


async def show(shop: Shop, folder: str, name: str) -> Response[bytes]:
    """A picture as it was stored."""
    named = _NAME.fullmatch(name)
    if named is None or not _FOLDER.fullmatch(folder):
        raise ImageNotFound
    path = shop.settings.home / "images" / folder / name
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError:
        raise ImageNotFound from None
    return Response(
        content,
        media_type=_MEDIA_TYPES[named[1]],
        headers={"Cache-Control": _FOR_EVER},
    )
