"""What the worker does with pictures, by itself."""

import asyncio
import io
from dataclasses import replace

import pytest
from pictures import picture
from prometheus_client import CollectorRegistry

from holdfast.domain.media import ORIGINAL, Picture, Upload
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import Answer
from holdfast.platform.storage import Folder, StorageUnavailable
from holdfast.worker.handlers import Reach
from holdfast.worker.health import Health
from holdfast.worker.media_timers import MediaWork, media_work
from holdfast.worker.metrics import Metrics
from holdfast.workflows.media import Uploading


@pytest.fixture
def reach(database, vault, clock, tmp_path):
    return Reach(database, vault, None, clock, storage=Folder(tmp_path))


class TestDrawing:
    async def test_draws_what_waits_and_sweeps_what_is_left_of_it(
        self, reach, vault, tmp_path, promised
    ):
        content = picture()
        upload = Upload(
            new_id(), Picture("png", 64, 48), len(content), "00" * 32, "", ""
        )
        await Uploading(
            *(reach.db, vault, reach.storage, reach.clock),
            lambda _: Answer(201, {}, b""),
        ).upload(upload, io.BytesIO(content), actor="test", claim=None)
        folder = tmp_path / upload.address
        stop = asyncio.Event()

        async def drawn():
            return await reach.db.fetchval(
                "SELECT true FROM media_assets WHERE status = 'ready'"
            )

        registry = CollectorRegistry()
        work = media_work(reach, registry)
        (activity,) = work.drawing
        running = asyncio.create_task(activity.run(stop))
        await promised(drawn)
        stop.set()
        await running
        assert (folder / ORIGINAL).exists()
        await work.timers[0].run()

        assert activity.works
        assert not (folder / ORIGINAL).exists()
        assert len(list(folder.iterdir())) == 10
        count = registry.get_sample_value
        ready = {"outcome": "ready"}
        assert count("holdfast_media_draw_seconds_count", ready) == 1
        assert count("holdfast_media_derived_total", {"format": "webp"}) == 5
        assert count("holdfast_media_derived_total", {"format": "jpg"}) == 5
        assert count("holdfast_media_swept_total") == 1

    def test_is_left_out_where_there_is_no_storage(self, database, vault, clock):
        bare = Reach(database, vault, None, clock)

        assert media_work(bare, CollectorRegistry()) == MediaWork()

    async def test_fails_without_making_the_worker_of_no_use(
        self, reach, vault, tmp_path
    ):
        """The storage is away: everything else goes on."""
        (tmp_path / "file").write_text("no folder")
        away = replace(reach, storage=Folder(tmp_path / "file"))
        content = picture()
        upload = Upload(
            new_id(), Picture("png", 64, 48), len(content), "00" * 32, "", ""
        )
        await Uploading(
            *(reach.db, vault, reach.storage, reach.clock),
            lambda _: Answer(201, {}, b""),
        ).upload(upload, io.BytesIO(content), actor="test", claim=None)
        (activity,) = media_work(away, CollectorRegistry()).drawing
        health = Health([activity], Metrics())

        with pytest.raises(StorageUnavailable):
            await activity.step()
        activity.failures = 1

        assert health.failing() == []
        assert health.failing(dispensable=True) == ["draw_media"]
