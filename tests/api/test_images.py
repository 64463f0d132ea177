"""Pictures of the shop's own, and nothing else of its files."""

import pytest
from cases import cases


class TestImages:
    @pytest.fixture
    def picture(self, shop):
        folder = shop.settings.home / "images" / "demo"
        folder.mkdir(parents=True)
        (folder / "tea-1234.webp").write_bytes(b"RIFF")
        (shop.settings.home / "operator-key").write_text("secret")
        return "/images/demo/tea-1234.webp"

    async def test_are_sent_to_be_kept_for_ever(self, client, picture):
        answer = await client.get(picture)

        assert answer.content == b"RIFF"
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.usefixtures("picture")
    @cases(
        "path",
        [
            "demo/none.webp",
            "demo/tea-1234",
            "demo/..%2f..%2foperator-key",
            "%2e%2e/operator-key",
            "..%2f/operator-key.webp",
            "demo/.webp",
            "demo/tea-1234.webp%00.png",
            "demo/" + "a" * 300 + ".webp",
            "demo/TEA-1234.webp",
            "none/tea-1234.webp",
        ],
    )
    async def test_are_nothing_else(self, client, path):
        answer = await client.get(f"/images/{path}")

        assert answer.status_code == 404
        assert b"secret" not in answer.content
