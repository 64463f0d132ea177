"""What must not become a picture of the shop's, however it is sent."""

import zipfile
from io import BytesIO

import pytest
from cases import cases
from pictures import bomb, picture

from holdfast.api.media import BODY_LIMIT_BYTES
from holdfast.domain import media

SVG = (
    b'<?xml version="1.0"?>\n<!-- innocent -->\n'
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)
GIF_OF_SCRIPT = b"GIF89a/*\x01\x00" + b"\x00" * 20 + b"*/=1;alert(1)//"
FORM = "multipart/form-data; boundary=x"


def form(content: bytes, *, name: str = "file", end: bytes = b"\r\n--x--\r\n") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
    return head.encode() + content + end


REFUSED = {
    "nothing": (b"", "empty"),
    "an SVG with a script": (SVG, "svg"),
    "an SVG in capitals behind a mark": (b"\xef\xbb\xbf  " + SVG.upper(), "svg"),
    "a PDF": (b"%PDF-1.7", "unsupported"),
    "a page": (b"<html><script>alert(1)</script>", "unsupported"),
    "a program": (b"MZ\x90\x00", "unsupported"),
    "a bomb": (bomb(), "too-many-pixels"),
    "a line": (bomb(40_000, 1), "too-many-pixels"),
    "no pixels": (bomb(0, 10), "broken"),
    "half a JPEG": (picture("JPEG", (200, 200))[:-300], "broken"),
    "half a PNG": (picture("PNG")[:-20], "broken"),
    "half a WebP": (picture("WEBP", (300, 300), lossless=True)[:-10], "broken"),
    "a signature": (b"\x89PNG\r\n\x1a\n", "broken"),
}

CUT = (400, "malformed-request")
WRONG = (422, "invalid-request")
FORMS = {
    "JSON": (b"{}", "application/json", 415, "unsupported-media-type"),
    "no boundary": (form(b"x"), "multipart/form-data", *CUT),
    "a boundary of 80": (form(b"x"), FORM + "x" * 80, *CUT),
    "no end": (form(b"x", end=b""), FORM, *CUT),
    "nothing": (b"", FORM, *CUT),
    "zeros": (b"\x00" * 100, FORM, *CUT),
    "no parts": (b"--x--\r\n", FORM, *WRONG),
    "another name": (form(b"x", name="picture"), FORM, *WRONG),
    "two files": (form(b"x", end=b"\r\n") + form(b"x"), FORM, *WRONG),
    "no UTF-8": (form(b"\xff\xfe", name="alt"), FORM, *WRONG),
    "a long text": (form(b"x" * 5000, name="alt"), FORM, *WRONG),
    "no disposition": (b"--x\r\nX: y\r\n\r\n--x--", FORM, *CUT),
    "a long header": (b"--x\r\nX: " + b"y" * 9000, FORM, *CUT),
}


class TestContent:
    @cases(
        ("content", "reason"),
        REFUSED.values(),
    )
    async def test_is_refused_with_its_reason(self, upload, database, content, reason):
        # Neither the name nor the type that is claimed counts.
        answer = await upload(content, name="photo.jpg")

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/media-invalid"
        assert answer.json()["reason"] == reason
        assert await database.fetch("SELECT 1 FROM media_assets") == []

    async def test_is_what_it_is_under_a_wrong_ending(self, upload):
        made = await upload(picture("GIF"), name="invoice.pdf")

        assert made.json()["kind"] == "gif"

    async def test_that_cannot_be_decoded_fails_and_says_so(self, drawn, client):
        body = await drawn(GIF_OF_SCRIPT)

        assert body["status"] == "failed"
        assert body["problem"] == "The picture cannot be decoded."
        assert (await client.get(body["url"])).status_code == 404

    async def test_of_two_kinds_at_once_ends_with_the_drawing(self, drawn, client):
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("evil.html", "<script>alert(1)</script>")
        polyglot = picture("JPEG", comment=b"<script>x</script>") + archive.getvalue()

        body = await drawn(polyglot, name="evil.html")

        assert body["status"] == "ready"
        for file in body["files"]:
            served = (await client.get(file["url"])).content
            assert b"script" not in served
            assert b"PK\x03\x04" not in served


class TestForm:
    @cases(("body", "type_", "status", "problem"), FORMS.values())
    async def test_is_refused_if_it_is_none(
        self, client, operator, body, type_, status, problem
    ):
        answer = await client.post(
            "/v1/media", content=body, headers={**operator, "Content-Type": type_}
        )

        assert (answer.status_code, answer.json()["type"]) == (
            status,
            f"/problems/{problem}",
        )

    @pytest.mark.parametrize("alt", ["a\nb", "a\x00b", "x" * 513, "\u2028"])
    async def test_takes_a_text_of_one_line(self, upload, alt):
        answer = await upload(texts={"alt": alt})

        assert answer.json()["errors"][0]["pointer"] == "/alt"

    async def test_takes_any_script_and_shows_it_as_it_is(self, upload):
        made = await upload(
            name="../../<b>\u202e\u05d0\u05d1\r.png",
            texts={"alt": "<script>é🫖</script>"},
        )

        assert made.json()["alt"] == "<script>é🫖</script>"
        assert "/" not in made.json()["file_name"]


class TestSize:
    async def test_is_refused_before_the_first_byte_where_it_is_said(
        self, client, operator
    ):
        async def nothing():
            raise AssertionError("the body was read")
            yield b""

        answer = await client.post(
            "/v1/media",
            content=nothing(),
            headers={
                **operator,
                "Content-Type": FORM,
                "Content-Length": str(5 << 30),
            },
        )

        assert answer.json()["type"] == "/problems/body-too-large"

    async def test_is_refused_at_the_byte_that_is_too_much(self, client, operator):
        sent = 0

        async def endless():
            nonlocal sent
            yield form(b"", end=b"")
            while True:
                sent += 1 << 20
                yield bytes(1 << 20)

        answer = await client.post(
            "/v1/media",
            content=endless(),
            headers={**operator, "Content-Type": FORM},
        )

        assert answer.json()["type"] == "/problems/body-too-large"
        assert answer.json()["limit_bytes"] <= BODY_LIMIT_BYTES
        assert sent <= media.MAX_BYTES + (2 << 20)

    async def test_is_that_of_the_file_and_not_of_the_form(self, upload):
        answer = await upload(bytes(media.MAX_BYTES + 1))

        assert answer.json()["type"] == "/problems/body-too-large"
        assert answer.json()["limit_bytes"] == media.MAX_BYTES
