"""Draws one upload anew, in every size and format: a program of its own.

Decoders are where strange files do their harm, so they run in a process that ends
with the picture: bounded in memory, time and what it can write, with nothing of the
shop in it. It reads the upload from its input and writes to its output one line of
JSON, ``{"width", "height", "renditions": [{"name", "width", "height", "bytes"}]}``, and
after it the renditions, end to end. A picture that cannot be drawn is ``{"problem"}``.

Only what it says, or a crash of a decoder, is a verdict on the picture. What the
machine denies it (a disk that is full, or cannot be read) ends it with ``EX_IOERR``.

Run by its path, so that nothing but the standard library and Pillow is imported.
"""

import contextlib
import errno
import io
import json
import os
import resource
import sys
import warnings
from typing import Any

from PIL import Image, ImageCms

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_MIB = 1 << 20
_MEMORY_BYTES = 2_048 * _MIB
_OUTPUT_BYTES = 64 * _MIB
# The largest picture takes about 3 s. After these a picture is too much, on whatever
# machine; the second is for who survives the first.
_CPU_SECONDS = (30, 35)
# Beyond these, eyes find no difference and files grow (measured on photographs).
_SAVED: dict[str, dict[str, Any]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 4},
    "jpg": {"format": "JPEG", "quality": 82, "optimize": True, "progressive": True},
}
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}
_CANNOT = "The picture cannot be decoded."


def draw(source: bytes, sides: dict[str, int], max_pixels: int) -> bytes:
    """The whole output for an upload."""
    try:
        # What Pillow would merely warn of is refused below.
        with warnings.catch_warnings(action="ignore"):
            return _drawn(source, sides, max_pixels)
    except _Refused as refused:
        return _line({"problem": str(refused)})
    # Decoders raise whatever they like: OSError, SyntaxError, struct.error, and more.
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None):
            # No decoder has a number: this is from the system.
            raise
        return _line({"problem": _CANNOT})


class _Refused(Exception):
    """What the picture is, it must not be."""


def _drawn(source: bytes, sides: dict[str, int], max_pixels: int) -> bytes:
    image: Image.Image = Image.open(io.BytesIO(source), formats=_FORMATS)
    if image.width * image.height > max_pixels:
        raise _Refused("The picture has too many pixels.")
    largest = max(sides.values())
    # A JPEG can be decoded at a half, a quarter or an eighth of its size.
    size = image.size
    image.draft(None, (largest, largest))
    image.load()
    turn = _turn(image)
    image = _plain(image)
    if turn is not None:
        image = image.transpose(turn)
    width, height = size[::-1] if turn in _SIDEWAYS else size
    renditions, blobs = [], []
    saved: dict[str, bytes] = {}
    for name, side in sorted(sides.items(), key=lambda item: -item[1]):
        if not saved or side < max(image.size):
            image = image.copy()
            image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
            saved = {ending: _saved(image, ending) for ending in _SAVED}
        for ending, blob in saved.items():
            blobs.append(blob)
            renditions.append(
                {
                    "name": f"{name}.{ending}",
                    "width": image.width,
                    "height": image.height,
                    "bytes": len(blob),
                }
            )
    manifest = {"width": width, "height": height, "renditions": renditions}
    return _line(manifest) + b"".join(blobs)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to hold the picture upright, by what the camera noted (EXIF 2.32, 4.6.4)."""
    # Cameras and editors leave notes that cannot be read; the picture can.
    with contextlib.suppress(Exception):
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    return None


def _plain(image: Image.Image) -> Image.Image:
    """The picture in sRGB with 8 bits a channel, and nothing that came with it."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        # 16 bits of grey, which a conversion would cut off instead of scaling.
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode not in {"L", "CMYK"}:
        image = image.convert(mode)
    if profile:
        # A profile that is broken is one that says nothing.
        with contextlib.suppress(Exception):
            image = _in_srgb(image, profile, mode)
    image = image.convert(mode)
    image.info.clear()
    return image


def _in_srgb(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        outputMode=mode,
    )
    return image if converted is None else converted


def _saved(image: Image.Image, ending: str) -> bytes:
    out = io.BytesIO()
    (_on_white(image) if ending == "jpg" else image).save(out, **_SAVED[ending])
    return out.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _line(said: dict[str, object]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES)),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_FSIZE, (_OUTPUT_BYTES, _OUTPUT_BYTES)),
        (resource.RLIMIT_CORE, (0, 0)),
    ):
        # macOS knows no limit of addresses.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, most)


def _main() -> None:
    _bound()
    Image.MAX_IMAGE_PIXELS = None
    sides, most = json.loads(sys.argv[1])
    try:
        sys.stdout.buffer.write(draw(sys.stdin.buffer.read(), sides, most))
        sys.stdout.buffer.flush()
    except OSError as error:
        if error.errno == errno.EFBIG:
            # That is the limit above, and the picture's doing.
            raise
        # At once: at its end Python would try to write the rest.
        os._exit(os.EX_IOERR)


if __name__ == "__main__":
    _main()
