"""The program that draws, called in place: what it writes, and what it bears."""

import errno
import io
import json

import pytest
from pictures import bomb, picture
from PIL import Image, ImageCms

from holdfast.domain.media import MAX_PIXELS, SIDES
from holdfast.domain.media.drawing import draw


def drawn(content, sides=SIDES):
    """What the program says, and the pictures it wrote after it."""
    output = io.BytesIO(draw(content, dict(sides), MAX_PIXELS))
    said = json.loads(output.readline())
    blobs = [output.read(one["bytes"]) for one in said.get("renditions", ())]
    assert output.read() == b""
    return said, [Image.open(io.BytesIO(blob)) for blob in blobs]


class TestTrouble:
    """What the system denies, and not the picture."""

    @pytest.mark.parametrize(
        "error", [MemoryError(), OSError(errno.ENOSPC, "full")], ids=["memory", "disk"]
    )
    def test_is_no_verdict(self, error, monkeypatch):
        def denied(*_args, **_how):
            raise error

        monkeypatch.setattr(Image, "open", denied)

        with pytest.raises(type(error)):
            drawn(picture())


class TestDraw:
    def test_says_what_it_wrote_and_writes_that(self):
        said, images = drawn(picture(size=(700, 350)))

        assert (said["width"], said["height"]) == (700, 350)
        for one, image in zip(said["renditions"], images, strict=True):
            assert (one["width"], one["height"]) == image.size
            assert one["name"].endswith({"WEBP": "webp", "JPEG": "jpg"}[image.format])

    @pytest.mark.parametrize("profile", ["sRGB", "LAB", "broken"])
    def test_leaves_profiles_behind_whatever_they_say(self, profile):
        icc = b"no profile"
        if profile != "broken":
            icc = ImageCms.ImageCmsProfile(ImageCms.createProfile(profile)).tobytes()

        for mode in ("RGB", "RGBA", "L", "P"):
            content = picture("PNG", mode=mode, icc_profile=icc)
            _, images = drawn(content, {"thumb": 16})
            assert all("icc_profile" not in image.info for image in images)

    def test_keeps_the_colours_that_a_profile_means(self):
        icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

        _, images = drawn(picture("PNG", icc_profile=icc), {"thumb": 64})

        red, green, blue = images[0].getpixel((8, 24))
        assert red > 240
        assert max(green, blue) < 20

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_stands_upright_however_it_was_held(self, orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        said, _ = drawn(picture("JPEG", (40, 20), exif=exif))

        upright = (20, 40) if orientation >= 5 else (40, 20)
        assert (said["width"], said["height"]) == upright

    def test_scales_sixteen_bits_of_grey_instead_of_cutting_them(self):
        out = io.BytesIO()
        Image.new("I;16", (9, 9), 128 * 256).save(out, "PNG")

        _, images = drawn(out.getvalue())

        assert abs(images[0].convert("L").getpixel((4, 4)) - 128) < 4

    @pytest.mark.parametrize(
        "content",
        [bomb(), bomb(30, 30), b"", b"GIF89a"],
        ids=["bomb", "lie", "empty", "head"],
    )
    def test_says_what_it_cannot_draw(self, content):
        said, _ = drawn(content)

        assert said["problem"].startswith("The picture ")
