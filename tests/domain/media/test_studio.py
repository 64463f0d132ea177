"""Drawings: what becomes of what was in the file, and of files that fight back."""

import asyncio
import io
import os
import signal
import struct
import tempfile
import zlib
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pictures import bomb, picture, png_chunk
from PIL import Image, ImageCms, PngImagePlugin

from holdfast.domain.media import CannotDraw, DrawingInterrupted, Studio


@asynccontextmanager
async def drawn(content: bytes, studio: Studio | None = None):
    """The drawing of an upload, with its pictures by name."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        async with (studio or Studio()).drawn(file) as drawing:
            blobs = {r.name: drawing.blobs.read(r.bytes) for r in drawing.renditions}
            assert drawing.blobs.read() == b""
            yield drawing, {n: Image.open(io.BytesIO(b)) for n, b in blobs.items()}


class TestDrawing:
    async def test_makes_each_size_smaller_and_none_larger(self):
        async with drawn(picture("PNG", (1000, 500))) as (drawing, images):
            assert (drawing.width, drawing.height) == (1000, 500)
            assert {n: i.size for n, i in images.items() if n.endswith("jpg")} == {
                "full.jpg": (1000, 500),
                "large.jpg": (1000, 500),
                "medium.jpg": (640, 320),
                "small.jpg": (320, 160),
                "thumb.jpg": (160, 80),
            }

    async def test_holds_nothing_that_came_with_the_picture(self):
        exif = Image.Exif()
        exif[0x010E] = "secret caption"
        exif.get_ifd(0x8825)[1] = "secret place"
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", "secret")
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        for content in (
            picture("JPEG", exif=exif, comment=b"secret", icc_profile=profile),
            picture("PNG", exif=exif, pnginfo=notes, icc_profile=profile),
            picture("WEBP", exif=exif, xmp=b"secret", icc_profile=profile),
            picture("GIF", mode="P", comment=b"secret"),
        ):
            assert b"secret" in content or b"iTXt" in content or b"zTXt" in content
            async with drawn(content) as (_, images):
                for image in images.values():
                    assert not image.getexif()
                    assert not {"comment", "xmp", "icc_profile"} & image.info.keys()
                    assert b"secret" not in image.fp.getvalue()

    async def test_stands_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # a quarter turn to the right
        content = picture("JPEG", (400, 200), exif=exif)

        async with drawn(content) as (drawing, images):
            assert (drawing.width, drawing.height) == (200, 400)
            image = images["full.jpg"]
            assert image.size == (200, 400)
            # What was left, red, is now above.
            red, _, blue = image.getpixel((100, 20))
            assert red > 200 > blue

    async def test_bears_notes_that_cannot_be_read(self):
        content = picture("JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")

        async with drawn(content) as (drawing, _):
            assert drawing.width == 64

    async def test_keeps_what_can_be_seen_through(self):
        image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
        out = io.BytesIO()
        image.save(out, "PNG")

        async with drawn(out.getvalue()) as (_, images):
            assert images["full.webp"].convert("RGBA").getpixel((5, 5))[3] == 0
            assert images["full.jpg"].getpixel((5, 5)) == (255, 255, 255)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
    async def test_takes_every_way_to_say_colours(self, mode):
        image = Image.new("L", (20, 20), 128)
        if mode == "I;16":
            image = Image.new("I;16", (20, 20), 128 * 256)
        out = io.BytesIO()
        image.convert(mode).save(out, "JPEG" if mode == "CMYK" else "PNG")

        async with drawn(out.getvalue()) as (_, images):
            grey = images["full.jpg"].convert("L").getpixel((10, 10))
            assert mode == "1" or abs(grey - 128) < 4

    async def test_shows_the_first_picture_of_a_film(self):
        frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])

        async with drawn(out.getvalue()) as (_, images):
            red, _, blue = images["full.jpg"].getpixel((15, 15))
            assert red > 200 > blue

    @pytest.mark.parametrize(
        ("name", "before"),
        [
            (b"iCCP", b"profile\0\0"),
            (b"zTXt", b"Comment\0\0"),
            (b"iTXt", b"Comment\0\1\0\0\0"),
        ],
        ids=["profile", "text", "translated"],
    )
    async def test_refuses_a_bomb_in_the_notes(self, name, before):
        """64 kB that would be 64 MB beside a picture of 64 pixels."""
        note = png_chunk(name, before + zlib.compress(bytes(64 << 20), 9))
        whole = picture()
        # After the header: the signature, and 25 bytes.
        content = whole[:33] + note + whole[33:]

        with pytest.raises(CannotDraw) as refused:
            async with drawn(content):
                pass

        assert "cannot be decoded" in refused.value.problem

    async def test_reads_no_more_of_a_bomb_than_the_picture_has(self):
        """The rows of a small picture, and 64 MB after them."""
        header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
        rows = png_chunk(b"IDAT", zlib.compress(bytes(64 << 20), 9))
        content = b"\x89PNG\r\n\x1a\n" + header + rows + png_chunk(b"IEND", b"")

        async with drawn(content) as (drawing, images):
            assert (drawing.width, drawing.height) == (8, 8)
            assert images["full.jpg"].getpixel((4, 4)) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (bomb(), "too many pixels"),
            (bomb(30, 30), "cannot be decoded"),
            (picture("GIF", mode="P")[:40], "cannot be decoded"),
            (b"P6 1 1 255 xxx", "cannot be decoded"),
        ],
        ids=["bomb", "nonsense", "half", "another kind"],
    )
    async def test_refuses_what_cannot_be_drawn(self, content, problem):
        with pytest.raises(CannotDraw) as refused:
            async with drawn(content):
                pass

        assert problem in refused.value.problem


class TestStudio:
    """The process that draws ends, and takes nothing along."""

    @pytest.fixture
    def program(self, tmp_path):
        def write(code: str):
            path = tmp_path / "program.py"
            path.write_text(code)
            return path

        return write

    async def test_ends_what_takes_too_long_and_lets_it_be_tried_again(self, program):
        """By the clock: the machine may be busy with other things."""
        studio = Studio(seconds=0.2, program=program("import time; time.sleep(60)"))

        with pytest.raises(DrawingInterrupted, match="too long"):
            async with drawn(picture(), studio):
                pass

    async def test_refuses_what_takes_too_much_of_a_core(self, program):
        code = """if True:
            import resource
            resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
            while True: pass"""

        with pytest.raises(CannotDraw, match="too long"):
            async with drawn(picture(), Studio(program=program(code))):
                pass

    @pytest.mark.parametrize("code", ["raise MemoryError", "import no_such_library"])
    async def test_calls_what_ends_without_a_verdict_interrupted(self, program, code):
        with pytest.raises(DrawingInterrupted, match="before it was done"):
            async with drawn(picture(), Studio(program=program(code))):
                pass

    @pytest.fixture
    def full(self):
        """A file on a disk that is full."""
        with Path("/dev/full").open("r+b", buffering=0) as file:
            yield file

    async def test_knows_a_machine_in_trouble(self, monkeypatch, full):
        """The drawings do not fit onto the disk."""
        with tempfile.TemporaryFile() as upload:
            upload.write(picture())
            upload.flush()
            monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full)
            with pytest.raises(OSError, match="neither read nor written"):
                async with Studio().drawn(upload):
                    pass

    async def test_calls_a_crash_a_picture_that_cannot_be_drawn(self, program):
        studio = Studio(program=program("import os; os.abort()"))

        with pytest.raises(CannotDraw, match="decoded"):
            async with drawn(picture(), studio):
                pass

    async def test_tries_again_what_was_ended_from_outside(self, program):
        code = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"

        with pytest.raises(DrawingInterrupted):
            async with drawn(picture(), Studio(program=program(code))):
                pass

    async def test_ends_with_whoever_waits_for_it(self, program, tmp_path, promised):
        said = tmp_path / "pid"
        code = f"""if True:
            import os, pathlib, time
            pathlib.Path({str(said)!r}).write_text(str(os.getpid()))
            time.sleep(60)"""
        studio = Studio(program=program(code))

        async def wait() -> None:
            async with drawn(picture(), studio):
                pass

        async def started() -> bool:
            return said.exists() and said.read_text() != ""

        waiting = asyncio.create_task(wait())
        await promised(started)
        waiting.cancel()
        await asyncio.wait([waiting])

        with pytest.raises(ProcessLookupError):
            os.kill(int(said.read_text()), 0)
