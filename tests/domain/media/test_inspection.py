"""What an upload is, told by its parts and without decoding it."""

import io
import mmap
import struct
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import bomb, picture, png_chunk
from PIL import Image

from holdfast.domain.media import MAX_PIXELS, MediaInvalid, Picture, inspect

KINDS = {
    "png": ("PNG", "RGB", {}),
    "jpeg": ("JPEG", "RGB", {}),
    "progressive jpeg": ("JPEG", "RGB", {"progressive": True}),
    "gif": ("GIF", "P", {}),
    "lossy webp": ("WEBP", "RGB", {}),
    "lossless webp": ("WEBP", "RGB", {"lossless": True}),
    "webp with alpha": ("WEBP", "RGBA", {"exif": b"Exif\0\0MM\0*"}),
}


def outcome(content: bytes) -> Picture | str:
    """What it is, or why it is not taken."""
    try:
        return inspect(content)
    except MediaInvalid as refused:
        return refused.reason


class TestInspect:
    @pytest.mark.parametrize("kind", KINDS)
    @given(width=st.integers(1, 300), height=st.integers(1, 300))
    def test_finds_the_size_that_a_decoder_finds(self, kind, width, height):
        name, mode, how = KINDS[kind]
        content = picture(name, (width, height), mode, **how)

        found = inspect(content)

        assert found == Picture(name.lower(), width, height)
        assert Image.open(io.BytesIO(content)).size == (width, height)

    @pytest.mark.parametrize("kind", KINDS)
    @given(data=st.data())
    def test_of_a_beginning_never_fails_otherwise_than_by_saying_so(self, kind, data):
        name, mode, how = KINDS[kind]
        content = picture(name, (40, 40), mode, **how)
        cut = data.draw(st.integers(0, len(content) - 1))

        found = outcome(content[:cut])

        # Only the end of a GIF cannot be told without decoding it; and some files end
        # in zeros that nobody misses.
        missed = name == "GIF" or content[cut:].count(0) == len(content) - cut
        assert found in {"empty", "unsupported", "broken"} or missed

    @given(
        start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a"]),
        rest=st.binary(max_size=200),
    )
    def test_of_anything_is_a_picture_or_a_reason(self, start, rest):
        found = outcome(start + rest)

        assert isinstance(found, str) or found.width * found.height <= MAX_PIXELS

    @given(rest=st.binary(max_size=100))
    def test_of_any_webp_is_a_picture_or_a_reason(self, rest):
        for kind in (b"VP8X", b"VP8L", b"VP8 ", b"ALPH"):
            size = struct.pack("<I", len(rest))
            found = outcome(b"RIFF" + size + b"WEBP" + kind + rest)

            known = {"broken", "too-many-pixels"}
            assert isinstance(found, Picture) or found in known

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\xff\xd8\xff\xd9", "no content"),
            (b"\xff\xd8\xff\x01\x00\x00", "marker"),
            (b"\xff\xd8" + b"\xff\x01" * 100_001, "too many parts"),
            (b"\xff\xd8" + b"\xff" * 9 + b"\xda\x00\x02\xff\xd9", "no size"),
            (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", b""), "header"),
            (bomb(8, 8).replace(b"IEND", b"tEXt"), "too soon"),
            (bomb(8, 8)[:33] + png_chunk(b"tEXt", b"") * 100_001, "too many parts"),
        ],
        ids=["empty", "gap", "many", "sizeless", "headless", "endless", "chunks"],
    )
    def test_says_what_is_wrong(self, content, said):
        with pytest.raises(MediaInvalid, match=said):
            inspect(content)

    def test_does_not_mind_what_comes_after_the_end(self):
        content = picture("JPEG", (30, 20)) + b"a video that a telephone adds"

        assert inspect(content) == Picture("jpeg", 30, 20)

    def test_reads_a_file_where_it_is(self):
        with tempfile.TemporaryFile() as file:
            file.write(picture("WEBP", (30, 20)))
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                assert inspect(content) == Picture("webp", 30, 20)
