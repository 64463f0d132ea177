"""What an upload is, by its first bytes and its structure; nothing is decoded.

Neither the name nor the Content-Type that came with a file is believed. The walk over
the parts of a file finds the size in pixels before anybody allocates them, and sees
when the end is missing, so that whoever sent half of a file is told at once. What is
wrong deeper inside, the worker finds when it draws.

The formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81 annex B), GIF89a, WebP (RFC 9649).
"""

import mmap
import struct
from typing import TypeAlias

from holdfast.domain.media.errors import MediaInvalid
from holdfast.domain.media.model import MAX_PIXELS, MAX_SIDE, Kind, Picture

Content: TypeAlias = bytes | mmap.mmap

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_GIF = (b"GIF87a", b"GIF89a")
# More than any picture has; as many as could be walked in a tenth of a second.
_MAX_PARTS = 100_000
# Where `<svg` stands at the latest, after a declaration and a comment or two.
_SVG_WITHIN = 4_096
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))
_SOS, _EOI, _FILL = 0xDA, 0xD9, 0xFF


def inspect(content: Content) -> Picture:
    """What the file is and how large; ``MediaInvalid`` if it cannot be taken."""
    if not len(content):
        raise MediaInvalid("empty", "The file is empty.")
    head = bytes(content[:16])
    try:
        picture = _read(content, head)
    except (struct.error, IndexError):
        raise _broken("The file ends too soon.") from None
    if picture.width < 1 or picture.height < 1:
        raise _broken("The picture has no size.")
    if (
        picture.width * picture.height > MAX_PIXELS
        or max(picture.width, picture.height) > MAX_SIDE
    ):
        raise MediaInvalid(
            "too-many-pixels",
            f"The picture is {picture.width} by {picture.height} pixels; "
            f"{MAX_PIXELS} in all and {MAX_SIDE} a side are allowed.",
        )
    return picture


def _read(content: Content, head: bytes) -> Picture:
    if head.startswith(_PNG):
        return _png(content)
    if head.startswith(_JPEG):
        return _jpeg(content)
    if head.startswith(_GIF):
        # Little-endian, after the signature. Where it ends, only a decoder can tell.
        return _picture("gif", struct.unpack_from("<HH", content, 6))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(content)
    if b"<svg" in bytes(content[:_SVG_WITHIN]).lower():
        raise MediaInvalid(
            "svg",
            "SVG is a document that can hold scripts and load other files; "
            "send a PNG, JPEG, GIF or WebP.",
        )
    raise MediaInvalid(
        "unsupported", "The file is none of PNG, JPEG, GIF and WebP, by its content."
    )


def _png(content: Content) -> Picture:
    size = None
    at = len(_PNG)
    for _ in range(_MAX_PARTS):
        length, name = struct.unpack_from(">I4s", content, at)
        if at == len(_PNG):
            if name != b"IHDR" or length != 13:  # noqa: PLR2004 - the standard's
                raise _broken("The picture does not begin with its header.")
            size = struct.unpack_from(">II", content, at + 8)
        at += 12 + length
        if at > len(content):
            raise _broken("The file ends too soon.")
        if name == b"IEND" and size is not None:
            return _picture("png", size)
    raise _broken("The picture is in too many parts.")


def _jpeg(content: Content) -> Picture:
    size = None
    at = 2
    for _ in range(_MAX_PARTS):
        mark, marker = content[at], content[at + 1]
        if mark != _FILL:
            raise _broken("The picture has bytes where a marker should be.")
        if marker == _FILL:
            at += 1
            continue
        if marker in _BARE:
            at += 2
            continue
        if marker == _EOI:
            raise _broken("The picture has no content.")
        (length,) = struct.unpack_from(">H", content, at + 2)
        if marker in _SOF and size is None:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = width, height
        if marker == _SOS:
            # Within the coded data every 0xFF is followed by a zero or a restart
            # marker, so this is the end of the picture, whatever comes after it.
            if content.find(b"\xff\xd9", at) < 0:
                raise _broken("The file ends too soon.")
            return _picture("jpeg", size or (0, 0))
        at += 2 + max(length, 2)
    raise _broken("The picture is in too many parts.")


def _webp(content: Content) -> Picture:
    (length,) = struct.unpack_from("<I", content, 4)
    if 8 + length > len(content):
        raise _broken("The file ends too soon.")
    kind = bytes(content[12:16])
    if kind == b"VP8X":
        # Less one, in 24 bits each.
        parts = struct.unpack_from("<HBHB", content, 24)
        width, height = (low + (high << 16) for low, high in (parts[:2], parts[2:]))
        return _picture("webp", (1 + width, 1 + height))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return _picture("webp", (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return _picture("webp", (width & 0x3FFF, height & 0x3FFF))
    raise _broken("The picture does not begin with its header.")


def _picture(kind: Kind, size: tuple[int, ...]) -> Picture:
    width, height = size
    return Picture(kind, width, height)


def _broken(detail: str) -> MediaInvalid:
    return MediaInvalid("broken", detail)
