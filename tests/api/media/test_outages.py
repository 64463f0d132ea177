"""The storage of pictures is gone, and the rest of the shop goes on."""

import errno
import os

import pytest
from pictures import picture

from holdfast.api.app import serving
from holdfast.api.health import Health
from holdfast.platform.dependencies import STORAGE
from holdfast.platform.guarded_storage import open_guarded
from holdfast.platform.storage import Folder
from holdfast.resilience.circuit import State

NOWHERE = "s3://key:secret@pictures?region=x&endpoint=http://127.0.0.1:9"


@pytest.fixture
def gone(shop, database):
    """The pictures are in a bucket that nobody answers for."""
    shop.storage = open_guarded(NOWHERE, None, shop.circuits[STORAGE])
    shop.health = Health(database, None, shop.vault, shop.storage)


class TestStorageThatIsGone:
    @pytest.mark.usefixtures("gone")
    async def test_keeps_uploads_out_and_says_when_to_come_again(
        self, upload, database, shop
    ):
        refused = [await upload(**{"Idempotency-Key": "one"}) for _ in range(3)]

        for answer in refused:
            assert answer.status_code == 503
            assert answer.json()["type"] == "/problems/storage-unavailable"
            assert int(answer.headers["Retry-After"]) >= 1
        rows = await database.fetch("SELECT DISTINCT status FROM media_assets")
        assert [row["status"] for row in rows] == ["removed"]
        # By then it is left alone.
        assert shop.circuits[STORAGE].breaker.state is State.OPEN

    async def test_keeps_nobody_from_a_picture_that_they_have(
        self, client, drawn, request
    ):
        url = (await drawn())["url"]
        tag = (await client.get(url)).headers["ETag"]
        request.getfixturevalue("gone")

        first = await client.get(url)
        again = await client.get(url, headers={"If-None-Match": tag})

        assert first.status_code == 503
        assert first.json()["type"] == "/problems/storage-unavailable"
        assert int(first.headers["Retry-After"]) >= 1
        assert "immutable" not in first.headers.get("Cache-Control", "")
        assert (again.status_code, again.headers["ETag"]) == (304, tag)

    @pytest.mark.usefixtures("gone")
    async def test_leaves_the_rest_as_it_is_and_readyz_says_so(
        self, client, operator, upload, a_product
    ):
        await a_product("TEA")
        body = {"lines": [{"sku": "TEA", "quantity": 1}]}

        answers = [
            await client.get("/v1/products"),
            await client.get("/v1/search?q=tea"),
            await client.get("/v1/media", headers=operator),
            await client.post("/v1/carts", json=body),
        ]
        ready = await client.get("/readyz")

        assert [answer.status_code for answer in answers] == [200, 200, 200, 201]
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert ready.json()["checks"]["pictures"]["status"] == "failed"
        # Addresses and keys are for the log.
        assert "127.0.0.1" not in ready.text

    async def test_that_is_there_is_ready(self, client):
        ready = await client.get("/readyz")

        assert ready.json()["checks"]["pictures"]["status"] == "ok"

    async def test_that_is_not_mounted_is_not_taken_for_empty(
        self, client, drawn, upload, shop
    ):
        url = (await drawn())["url"]
        images = shop.settings.home / "images"
        images.rename(images.with_name("elsewhere"))
        images.mkdir()

        answers = [await client.get(url), await upload(), await client.get("/readyz")]

        assert [answer.status_code for answer in answers] == [503, 503, 200]
        assert answers[2].json()["checks"]["pictures"]["status"] == "failed"
        assert list(images.iterdir()) == []

    async def test_that_breaks_at_the_last_moment_acknowledges_nothing(
        self, upload, database, monkeypatch
    ):
        """The disk took the bytes, and could not promise to keep them."""

        def fsync(_):
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(os, "fsync", fsync)

        answer = await upload()

        assert answer.status_code == 503
        rows = await database.fetch("SELECT status FROM media_assets")
        assert [row["status"] for row in rows] == ["removed"]


class TestMetrics:
    @pytest.fixture
    def count(self, shop):
        def of(name, **labels):
            registry = shop.metrics.registry
            return registry.get_sample_value(f"holdfast_media_{name}_total", labels)

        return of

    async def test_tell_what_was_taken_refused_and_removed(
        self, client, upload, anyhow, count
    ):
        key = {"Idempotency-Key": "one"}
        made = [await upload(**key) for _ in range(2)]
        for content in (b"", b"%PDF-1.7", b"<svg>", b"<svg/>"):
            await upload(content)
        await client.delete(made[0].headers["Location"], headers=anyhow)

        # The second was the first.
        assert count("uploads", kind="png") == 1
        assert count("refused", reason="empty") == 1
        assert count("refused", reason="unsupported") == 1
        assert count("refused", reason="svg") == 2
        assert count("removed") == 1

    async def test_tell_of_storage_that_did_not_keep_an_upload(
        self, upload, shop, count, tmp_path
    ):
        (tmp_path / "file").write_text("no folder")
        shop.storage = Folder(tmp_path / "file")

        await upload(picture())

        assert count("refused", reason="not-kept") == 1


class TestUploadThatIsCutOff:
    async def test_leaves_nothing(self, shop, operator, database):
        """The client goes away in the middle of its picture."""
        said = iter(
            [
                {
                    "type": "http.request",
                    "body": b"--x\r\nContent-Disposition: form-data; "
                    b'name="file"; filename="a"\r\n\r\n' + picture()[:40],
                    "more_body": True,
                },
                {"type": "http.disconnect"},
            ]
        )

        async def receive():
            return next(said, {"type": "http.disconnect"})

        async def send(_):
            return None

        headers = {**operator, "Content-Type": "multipart/form-data; boundary=x"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/media",
            "raw_path": b"/v1/media",
            "query_string": b"",
            "root_path": "",
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in headers.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("shop.test", 80),
        }

        await serving(shop)(scope, receive, send)

        assert await database.fetch("SELECT 1 FROM media_assets") == []
        refused = shop.metrics.registry.get_sample_value(
            "holdfast_media_refused_total", {"reason": "cut-off"}
        )
        assert refused == 1
