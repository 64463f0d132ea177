"""Pictures to upload: small, of every kind, and odd on purpose."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(
    kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **how: Any
) -> bytes:
    """A file with a picture of one kind; red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste((0, 0, 255), (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.convert(mode).save(out, kind, **how)
    return out.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def bomb(width: int = 10_000, height: int = 10_000) -> bytes:
    """A PNG of 1 kB whose header promises any number of pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    content = png_chunk(b"IDAT", zlib.compress(bytes(900), 0))
    return b"\x89PNG\r\n\x1a\n" + header + content + png_chunk(b"IEND", b"")
