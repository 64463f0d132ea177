"""Pictures in the making: whatever dies, nothing is lost and nothing is left."""

import io
from uuid import UUID

import pytest
from pictures import picture

from holdfast.domain import media
from holdfast.domain.media import Asset, Picture, Studio, Upload
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.storage import Folder, StorageUnavailable
from holdfast.workflows.media import MAX_ATTEMPTS, Darkroom, Uploading


class Doomed(BaseException):
    """The process dies here."""


class Breaking(Folder):
    """A folder at which a process dies after so many calls; none by default."""

    def __init__(self, root, *, calls=10**9, error=Doomed):
        super().__init__(root)
        self.calls = calls
        self.error = error
        self.root = root

    def _count(self):
        self.calls -= 1
        if self.calls < 0:
            raise self.error

    async def put(self, *args):
        self._count()
        await super().put(*args)
        self._count()

    async def remove(self, *args):
        self._count()
        await super().remove(*args)
        self._count()

    async def remove_folder(self, *args):
        self._count()
        await super().remove_folder(*args)
        self._count()

    @property
    def files(self) -> list[str]:
        return sorted(p.name for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def storage(tmp_path):
    return Breaking(tmp_path / "images")


@pytest.fixture
def darkroom(database, storage, clock):
    return Darkroom(database, storage, Studio(), clock)


@pytest.fixture
def upload(database, vault, storage, clock):
    """Upload a picture; returns its id."""

    async def keep(content=None, claim=None):
        content = picture(size=(8, 8)) if content is None else content
        wanted = Upload(
            new_id(), Picture("png", 8, 8), len(content), "00" * 32, "a.png", ""
        )

        def render(asset: Asset) -> Answer:
            return Answer(201, {}, str(asset.id).encode())

        answer, _ = await Uploading(database, vault, storage, clock, render).upload(
            wanted, io.BytesIO(content), actor="test", claim=claim
        )
        return UUID(answer.body.decode())

    return keep


@pytest.fixture
def swept(darkroom, clock):
    """Let time pass, and sweep as the worker does, until nothing is left to do."""

    async def sweep():
        for _ in range(5):
            clock.advance(hours=2)
            await darkroom.sweep()
        assert await darkroom.sweep() == 0

    return sweep


async def statuses(database):
    rows = await database.fetch("SELECT status FROM media_assets")
    return [row["status"] for row in rows]


class TestUpload:
    @pytest.mark.parametrize("calls", [0, 1])
    async def test_that_dies_leaves_nothing_in_the_end(
        self, upload, storage, database, swept, calls, monkeypatch
    ):
        # Dead is dead: what follows an error does not happen either.
        monkeypatch.setattr(Uploading, "_withdraw", _nothing)
        storage.calls = calls
        with pytest.raises(Doomed):
            await upload()
        assert await statuses(database) == ["arriving"]

        storage.calls = 10**9
        await swept()

        assert storage.files == []
        assert await statuses(database) == []

    async def test_without_storage_leaves_nothing(
        self, upload, storage, database, swept
    ):
        storage.calls, storage.error = 0, StorageUnavailable
        with pytest.raises(StorageUnavailable):
            await upload()
        storage.calls = 10**9

        await swept()

        assert await statuses(database) == []


class TestKey:
    """An upload that is asked for twice under one key."""

    CLAIM = Claim("key:1", "POST /v1/media", "k", b"f")

    async def test_is_done_once(self, upload, database):
        first, second = await upload(claim=self.CLAIM), await upload(claim=self.CLAIM)

        assert first == second
        assert await statuses(database) == ["processing"]

    async def test_is_free_again_when_there_was_no_storage(self, upload, storage):
        storage.calls, storage.error = 0, StorageUnavailable
        with pytest.raises(StorageUnavailable):
            await upload(claim=self.CLAIM)
        storage.calls = 10**9

        assert await upload(claim=self.CLAIM)

    async def test_is_taken_over_from_the_dead(
        self, upload, storage, database, swept, clock, monkeypatch
    ):
        with monkeypatch.context() as dying:
            dying.setattr(Uploading, "_withdraw", _nothing)
            storage.calls = 1
            with pytest.raises(Doomed):
                await upload(claim=self.CLAIM)
        storage.calls = 10**9
        clock.advance(minutes=5)

        made = await upload(claim=self.CLAIM)
        await swept()

        assert (await media.find(database, made)).status == "processing"
        assert await statuses(database) == ["processing"]

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
        self, upload, darkroom, storage, database, swept, calls, clock
    ):
        asset_id = await upload()
        storage.calls = calls
        with pytest.raises(Doomed):
            await darkroom.draw_next()
        assert await statuses(database) == ["processing"]
        storage.calls = 10**9

        # Nobody begins while the dead might still be at it.
        assert not await darkroom.draw_next()
        clock.advance(minutes=3)
        assert await darkroom.draw_next()
        await swept()

        assert (await media.find(database, asset_id)).status == "ready"
        assert storage.files == sorted(media.NAMES)

    async def test_of_what_kills_whoever_draws_it_is_given_up(
        self, upload, darkroom, storage, database, clock
    ):
        asset_id = await upload()
        for _ in range(MAX_ATTEMPTS):
            storage.calls = 0
            with pytest.raises(Doomed):
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
        self, upload, darkroom, database, storage, swept, clock
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
        assert await statuses(database) == []

    async def test_without_the_file_fails(self, upload, darkroom, database, storage):
        asset_id = await upload()
        await storage.remove_folder((await media.find(database, asset_id)).address)

        await darkroom.draw_next()

        assert (await media.find(database, asset_id)).status == "failed"


class TestSweep:
    async def test_leaves_alone_what_is_on_its_way(
        self, upload, darkroom, storage, clock, database
    ):
        await upload()
        clock.advance(days=30)

        await darkroom.sweep()

        assert storage.files == ["original"]
        assert await statuses(database) == ["processing"]

    async def test_removes_the_upload_of_what_failed(
        self, upload, darkroom, storage, swept
    ):
        await upload(b"GIF89a no picture at all")

        await darkroom.draw_next()
        await swept()

        assert storage.files == []

    @pytest.mark.parametrize("calls", [0, 1])
    async def test_that_dies_goes_on_where_it_was(
        self, upload, darkroom, storage, database, swept, clock, calls
    ):
        asset_id = await upload()
        await darkroom.draw_next()
        async with database.transaction() as tx:
            await media.remove(tx, asset_id, at=clock())
        storage.calls = calls
        with pytest.raises(Doomed):
            await darkroom.sweep()

        storage.calls = 10**9
        await swept()

        assert storage.files == []
        assert await statuses(database) == []

    async def test_waits_for_storage_that_is_away(
        self, upload, darkroom, storage, database, clock
    ):
        asset_id = await upload()
        async with database.transaction() as tx:
            await media.remove(tx, asset_id, at=clock())
        storage.calls, storage.error = 0, StorageUnavailable

        with pytest.raises(StorageUnavailable):
            await darkroom.sweep()

        assert await statuses(database) == ["removed"]
