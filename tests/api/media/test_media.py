"""Pictures as those who upload them see them."""

import hashlib
import io

import pytest
from pictures import picture
from PIL import Image


class TestUpload:
    async def test_answers_at_once_and_is_drawn_later(self, upload):
        content = picture("JPEG", (300, 200))

        made = await upload(content, name="C:\\photos\\tea.jpg", texts={"alt": "Tea"})

        assert made.status_code == 201
        body = made.json()
        assert made.headers["Location"] == f"/v1/media/{body['id']}"
        assert body["status"] == "processing"
        assert (body["file_name"], body["alt"]) == ("tea.jpg", "Tea")
        assert (body["kind"], body["bytes"]) == ("jpeg", len(content))
        assert body["sha256"] == hashlib.sha256(content).hexdigest()
        assert (body["width"], body["files"], body["problem"]) == (None, [], None)

    async def test_is_shown_in_every_size_and_format_once_it_is_drawn(
        self, client, drawn
    ):
        body = await drawn(picture("PNG", (400, 300)))

        assert (body["status"], body["width"], body["height"]) == ("ready", 400, 300)
        assert len(body["files"]) == 10
        for file in body["files"]:
            answer = await client.get(file["url"])
            assert len(answer.content) == file["bytes"]
            image = Image.open(io.BytesIO(answer.content))
            assert image.size == (file["width"], file["height"])
            assert image.format == {"webp": "WEBP", "jpg": "JPEG"}[file["format"]]
            assert answer.headers["Content-Type"] == Image.MIME[image.format]
        sizes = {file["size"]: file["width"] for file in body["files"]}
        assert sizes == {
            "thumb": 160,
            "small": 320,
            "medium": 400,
            "large": 400,
            "full": 400,
        }

    async def test_has_its_address_before_it_is_drawn(self, client, upload, darkroom):
        made = (await upload()).json()

        before = await client.get(made["url"])
        await darkroom.draw_next()
        after = await client.get(made["url"])

        assert (before.status_code, after.status_code) == (404, 200)
        assert "immutable" not in before.headers.get("Cache-Control", "")

    async def test_of_the_same_twice_makes_two_that_share_nothing(self, upload):
        first, second = (await upload()).json(), (await upload()).json()

        assert first["sha256"] == second["sha256"]
        assert first["url"] != second["url"]

    async def test_with_a_key_is_kept_once(self, client, upload, operator):
        key = {"Idempotency-Key": "upload-1"}

        first, second = await upload(**key), await upload(**key)
        other = await upload(picture("JPEG"), **key)

        assert first.content == second.content
        assert second.headers["Idempotent-Replayed"] == "true"
        assert other.json()["type"] == "/problems/idempotency-key-reused"
        listed = await client.get("/v1/media", headers=operator)
        assert len(listed.json()["items"]) == 1


class TestList:
    async def test_shows_the_latest_first_page_by_page(self, client, upload, operator):
        made = [(await upload()).json()["id"] for _ in range(3)]

        first = await client.get("/v1/media?limit=2", headers=operator)
        after = first.json()["next"]
        rest = await client.get(f"/v1/media?limit=2&after={after}", headers=operator)

        listed = [m["id"] for page in (first, rest) for m in page.json()["items"]]
        assert listed == made[::-1]
        assert rest.json()["next"] is None

    async def test_can_be_of_one_status(self, client, drawn, upload, operator):
        ready = await drawn()
        await upload()

        listed = await client.get("/v1/media?status=ready", headers=operator)
        odd = await client.get("/v1/media?status=removed", headers=operator)
        bad = await client.get("/v1/media?after=x", headers=operator)

        assert [m["id"] for m in listed.json()["items"]] == [ready["id"]]
        assert odd.status_code == 422
        assert bad.json()["type"] == "/problems/bad-cursor"


class TestChange:
    async def test_gives_another_alternative_text(self, client, upload, anyhow):
        made = await upload()
        path = made.headers["Location"]

        changed = await client.patch(path, json={"alt": "שלום 🫖 é"}, headers=anyhow)
        odd = await client.patch(path, json={"alt": "two\nlines"}, headers=anyhow)

        assert changed.json()["alt"] == "שלום 🫖 é"
        assert odd.json()["errors"][0]["pointer"] == "/alt"


class TestDraw:
    async def test_lets_a_picture_that_failed_be_tried_again(
        self, client, drawn, anyhow, darkroom, clock
    ):
        failed = await drawn(b"GIF89a/*\x01\x00" + bytes(20) + b"*/=1")
        path = f"/v1/media/{failed['id']}"

        again = await client.post(f"{path}/draw", headers=anyhow)
        await darkroom.draw_next()
        clock.advance(days=8)
        await darkroom.sweep()
        late = await client.post(f"{path}/draw", headers=anyhow)

        assert (failed["status"], again.json()["status"]) == ("failed", "processing")
        assert again.headers["ETag"].startswith('"1.')
        assert late.json()["type"] == "/problems/upload-not-kept"

    async def test_leaves_a_picture_that_is_drawn(self, client, drawn, anyhow):
        made = await drawn()

        again = await client.post(f"/v1/media/{made['id']}/draw", headers=anyhow)

        assert again.json() == made


class TestRemove:
    async def test_leaves_no_picture_and_in_the_end_no_file(
        self, client, drawn, anyhow, darkroom, clock, shop, database
    ):
        made = await drawn()
        path = f"/v1/media/{made['id']}"

        removed = await client.delete(path, headers=anyhow)
        again = await client.delete(path, headers=anyhow)
        await darkroom.sweep()
        clock.advance(hours=2)
        await darkroom.sweep()

        assert (removed.status_code, again.status_code) == (204, 404)
        assert (await client.get(path, headers=anyhow)).status_code == 404
        assert (await client.get(made["url"])).status_code == 404
        assert list((shop.settings.home / "images").glob("*/*")) == []
        assert await database.fetch("SELECT 1 FROM media_assets") == []

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
    async def test_of_what_is_not_there_is_not_found(self, client, anyhow, method):
        path = "/v1/media/01a205d7-7ed0-71a0-a490-e2450f0d678c"
        path += "/draw" * (method == "POST")
        body = {"alt": ""} if method == "PATCH" else None

        answer = await client.request(method, path, json=body, headers=anyhow)

        assert answer.json()["type"] == "/problems/media-not-found"
