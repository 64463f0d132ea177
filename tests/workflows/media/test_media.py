"""Pictures in the making: whatever dies, nothing is lost and nothing is left."""

import pytest

from holdfast.domain import media
from holdfast.platform.idempotency import Claim
from holdfast.platform.storage import StorageUnavailable
from holdfast.workflows.media import MAX_ATTEMPTS, Uploading


class TestUpload:
    @pytest.mark.parametrize("calls", [0, 1])
    async def test_that_dies_leaves_nothing_in_the_end(
        self, upload, storage, swept, calls, monkeypatch, statuses, doomed
    ):
        # Dead is dead: what follows an error does not happen either.
        monkeypatch.setattr(Uploading, "_withdraw", _nothing)
        storage.calls = calls
        with pytest.raises(doomed):
            await upload()
        assert await statuses() == ["arriving"]

        storage.calls = 10**9
        await swept()

        assert storage.files == []
        assert await statuses() == []

    async def test_without_storage_leaves_nothing(
        self, upload, storage, swept, statuses
    ):
        storage.calls, storage.error = 0, StorageUnavailable
        with pytest.raises(StorageUnavailable):
            await upload()
        storage.calls = 10**9

        await swept()

        assert await statuses() == []


class TestKey:
    """An upload that is asked for twice under one key."""

    CLAIM = Claim("key:1", "POST /v1/media", "k", b"f")

    async def test_is_done_once(self, upload, statuses):
        first, second = await upload(claim=self.CLAIM), await upload(claim=self.CLAIM)

        assert first == second
        assert await statuses() == ["processing"]

    async def test_is_free_again_when_there_was_no_storage(self, upload, storage):
        storage.calls, storage.error = 0, StorageUnavailable
        with pytest.raises(StorageUnavailable):
            await upload(claim=self.CLAIM)
        storage.calls = 10**9

        assert await upload(claim=self.CLAIM)

    async def test_is_taken_over_from_the_dead(
        self, upload, storage, database, swept, clock, monkeypatch, statuses, doomed
    ):
        with monkeypatch.context() as dying:
            dying.setattr(Uploading, "_withdraw", _nothing)
            storage.calls = 1
            with pytest.raises(doomed):
                await upload(claim=self.CLAIM)
        storage.calls = 10**9
        clock.advance(minutes=5)

        made = await upload(claim=self.CLAIM)
        await swept()

        assert (await media.find(database, made)).status == "processing"
        assert await statuses() == ["processing"]

    async def test_of_one_that_was_swept_is_unavailable(
        self, upload, database, storage, monkeypatch, clock
    ):
        put = storage.put

        async def slow(*args):
            await put(*args)
            clock.advance(hours=2)
            async with database.transaction() as tx:
                await media.give_up(tx, now=clock())

        monkeypatch.setattr(storage, "put", slow)

        with pytest.raises(StorageUnavailable):
            await upload()


async def _nothing(*_args):
    return None


class TestDraw:
    @pytest.mark.parametrize("calls", [0, 1, 5, 18, 19])
    async def test_that_dies_is_done_again(
        self, upload, darkroom, storage, database, swept, calls, clock, statuses, doomed
    ):
        asset_id = await upload()
        storage.calls = calls
        with pytest.raises(doomed):
            await darkroom.draw_next()
        assert await statuses() == ["processing"]
        storage.calls = 10**9

        # Nobody begins while the dead might still be at it.
        assert not await darkroom.draw_next()
        clock.advance(minutes=3)
        assert await darkroom.draw_next()
        await swept()

        assert (await media.find(database, asset_id)).status == "ready"
        assert storage.files == sorted(media.NAMES)

    async def test_of_what_kills_whoever_draws_it_is_given_up(
        self, upload, darkroom, storage, database, clock, doomed
    ):
        asset_id = await upload()
        for _ in range(MAX_ATTEMPTS):
            storage.calls = 0
            with pytest.raises(doomed):
                await darkroom.draw_next()
            clock.advance(minutes=3)
        storage.calls = 10**9

        await darkroom.draw_next()

        assert (await media.find(database, asset_id)).status == "failed"

    async def test_waits_for_storage_that_is_away_as_long_as_it_takes(
        self, upload, darkroom, storage, database, clock
    ):
        asset_id = await upload()
        for _ in range(2 * MAX_ATTEMPTS):
            storage.calls, storage.error = 0, StorageUnavailable
            with pytest.raises(StorageUnavailable):
                await darkroom.draw_next()
            clock.advance(seconds=16)
        storage.calls = 10**9

        await darkroom.draw_next()

        assert (await media.find(database, asset_id)).status == "ready"

    async def test_takes_the_oldest_first_and_each_once(
        self, upload, darkroom, database
    ):
        first, second = await upload(), await upload()

        await darkroom.draw_next()
        assert (await media.find(database, first)).status == "ready"
        assert (await media.find(database, second)).status == "processing"

        third = await upload()
        async with database.transaction() as one, database.transaction() as other:
            now = darkroom.clock()
            claimed = [await media.take(tx, now=now) for tx in (one, other, other)]
        ids = [taken and taken[0].id for taken in claimed]
        assert ids == [second, third, None]

    async def test_of_what_was_removed_meanwhile_leaves_nothing(
        self, upload, darkroom, database, storage, swept, clock, statuses
    ):
        """The one who draws has read the upload, and then stands still."""
        asset_id = await upload()
        asset = await media.find(database, asset_id)
        async with database.transaction() as tx:
            await media.remove(tx, asset_id, at=clock())
        await darkroom.sweep()
        assert storage.files == []

        await storage.put(asset.address, "large.webp", b"late")
        await swept()

        assert storage.files == []
        assert await statuses() == []


class TestSweep:
    async def test_leaves_alone_what_is_on_its_way(
        self, upload, darkroom, storage, clock, statuses
    ):
        await upload()
        clock.advance(days=30)

        await darkroom.sweep()

        assert storage.files == ["original"]
        assert await statuses() == ["processing"]

    async def test_keeps_the_upload_of_what_failed_for_a_week(
        self, upload, darkroom, storage, swept, clock
    ):
        await upload(b"GIF89a no picture at all")
        await darkroom.draw_next()

        await swept()
        kept = storage.files
        clock.advance(days=7)
        await swept()

        assert (kept, storage.files) == (["original"], [])

    @pytest.mark.parametrize("calls", [0, 1])
    async def test_that_dies_goes_on_where_it_was(
        self, upload, darkroom, storage, database, swept, clock, calls, statuses, doomed
    ):
        asset_id = await upload()
        await darkroom.draw_next()
        async with database.transaction() as tx:
            await media.remove(tx, asset_id, at=clock())
        storage.calls = calls
        with pytest.raises(doomed):
            await darkroom.sweep()

        storage.calls = 10**9
        await swept()

        assert storage.files == []
        assert await statuses() == []

    async def test_waits_for_storage_that_is_away(
        self, upload, darkroom, storage, database, clock, statuses
    ):
        asset_id = await upload()
        async with database.transaction() as tx:
            await media.remove(tx, asset_id, at=clock())
        storage.calls, storage.error = 0, StorageUnavailable

        with pytest.raises(StorageUnavailable):
            await darkroom.sweep()

        assert await statuses() == ["removed"]
