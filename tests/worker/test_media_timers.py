"""What the worker does with pictures, by itself."""

import asyncio
import io

import pytest
from pictures import picture

from holdfast.domain.media import ORIGINAL, Picture, Upload
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import Answer
from holdfast.platform.storage import Folder
from holdfast.worker.handlers import Reach
from holdfast.worker.media_timers import drawing, media_timers
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

        (activity,) = drawing(reach)
        running = asyncio.create_task(activity.run(stop))
        await promised(drawn)
        stop.set()
        await running
        assert (folder / ORIGINAL).exists()
        await media_timers(reach)[0].run()

        assert activity.works
        assert not (folder / ORIGINAL).exists()
        assert len(list(folder.iterdir())) == 10

    def test_is_left_out_where_there_is_no_storage(self, database, vault, clock):
        bare = Reach(database, vault, None, clock)

        assert (drawing(bare), media_timers(bare)) == ((), ())
