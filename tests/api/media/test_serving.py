"""Pictures as browsers and caches get them."""

import pytest
from buckets import serving_s3
from cases import cases

from holdfast.platform.storage import Bucket


@pytest.fixture
async def url(drawn):
    return (await drawn())["url"]


class TestServing:
    async def test_may_be_kept_for_ever(self, client, url):
        answer = await client.get(url)
        again = await client.get(url, headers={"If-None-Match": answer.headers["ETag"]})

        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]

    async def test_says_by_head_what_it_would_send(self, client, url):
        whole, head = await client.get(url), await client.head(url)

        assert head.headers["Content-Type"] == "image/webp"
        assert head.headers["ETag"] == whole.headers["ETag"]

    @cases(
        ("asked", "start", "end"),
        [
            ("bytes=0-9", 0, 10),
            ("bytes=10-", 10, None),
            ("bytes=-7", -7, None),
            ("bytes=5-999999999", 5, None),
            ("bytes=-999999999", 0, None),
        ],
    )
    async def test_sends_a_part(self, client, url, asked, start, end):
        whole = (await client.get(url)).content

        part = await client.get(url, headers={"Range": asked})

        assert part.status_code == 206
        assert part.content == whole[start:end]
        first = start % len(whole)
        said = f"bytes {first}-{first + len(part.content) - 1}/{len(whole)}"
        assert part.headers["Content-Range"] == said

    @cases("asked", ["bytes=0-1,4-5", "lines=1-2", "bytes=9-3", "bytes=", "nonsense"])
    async def test_sends_all_where_it_is_asked_for_what_it_does_not_know(
        self, client, url, asked
    ):
        answer = await client.get(url, headers={"Range": asked})

        assert answer.status_code == 200

    async def test_sends_all_to_who_has_a_part_of_something_else(self, client, url):
        other = {"Range": "bytes=0-1", "If-Range": '"other"'}

        assert (await client.get(url, headers=other)).status_code == 200

    @pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
    async def test_refuses_a_part_after_the_end(self, client, url, asked):
        size = len((await client.get(url)).content)

        answer = await client.get(url, headers={"Range": asked})

        assert answer.json()["type"] == "/problems/range-not-satisfiable"
        assert answer.headers["Content-Range"] == f"bytes */{size}"

    async def test_shows_no_upload_and_no_other_file(self, client, upload, shop):
        made = (await upload()).json()
        folder = made["url"].split("/")[2]
        assert (shop.settings.home / "images" / folder / "original").exists()

        for name in ("original", "original.webp", "large.png", "%2e%2e", "large.webp."):
            answer = await client.get(f"/images/{folder}/{name}")
            assert answer.status_code == 404, name


class TestBucket:
    @pytest.fixture
    def in_a_bucket(self, shop):
        """The pictures of the shop are in S3."""
        with serving_s3() as url:
            shop.storage = Bucket(url.format("shop"))
            yield

    @pytest.mark.usefixtures("in_a_bucket")
    async def test_of_s3_is_served_in_the_same_way(self, client, shop, anyhow, request):
        # Made after the bucket is there.
        drawn, darkroom = map(request.getfixturevalue, ("drawn", "darkroom"))
        made = await drawn()

        whole = await client.get(made["url"])
        part = await client.get(made["url"], headers={"Range": "bytes=4-7"})
        await client.delete(f"/v1/media/{made['id']}", headers=anyhow)
        await darkroom.sweep()

        assert whole.headers["Content-Type"] == "image/webp"
        assert part.content == whole.content[4:8]
        assert (await client.get(made["url"])).status_code == 404
        assert not (shop.settings.home / "images").exists()
