"""What may pass is no verdict on a picture, and one folder in the way is not all."""

import itertools
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.domain import media
from holdfast.domain.media import DrawingInterrupted, Studio, UploadNotKept
from holdfast.platform.storage import FileMissing, StorageUnavailable
from holdfast.workflows import media as workflows
from holdfast.workflows.media import MAX_ATTEMPTS


@pytest.fixture
def full(monkeypatch):
    """Let every temporary file, or every second one, be on a disk that is full."""

    def fill(every):
        make, made = tempfile.TemporaryFile, itertools.count(1)

        def open_one():
            if next(made) % every:
                return make()
            return Path("/dev/full").open("r+b", buffering=0)

        monkeypatch.setattr(tempfile, "TemporaryFile", open_one)

    return fill


class TestDisk:
    @pytest.mark.parametrize("every", [1, 2], ids=["fetched", "drawn"])
    async def test_that_is_full_is_waited_for_as_long_as_it_takes(
        self, upload, darkroom, database, clock, full, every, monkeypatch
    ):
        asset_id = await upload()
        full(every)
        for _ in range(MAX_ATTEMPTS + 1):
            with pytest.raises(OSError, match=r"No space left|neither read nor"):
                await darkroom.draw_next()
            clock.advance(seconds=16)
        waiting = await media.find(database, asset_id)
        monkeypatch.undo()

        await darkroom.draw_next()

        assert (waiting.status, waiting.problem) == ("processing", None)
        assert (await media.find(database, asset_id)).status == "ready"


class TestLostFile:
    async def test_is_waited_for_as_long_as_the_folder_is_not_mounted(
        self, upload, darkroom, database, storage, clock
    ):
        asset_id = await upload()
        elsewhere = storage.root.with_name("not-mounted")
        storage.root.rename(elsewhere)
        storage.root.mkdir()
        for _ in range(2 * MAX_ATTEMPTS):
            with pytest.raises(StorageUnavailable):
                await darkroom.draw_next()
            clock.advance(hours=2)
        waiting = await media.find(database, asset_id)
        storage.root.rmdir()
        elsewhere.rename(storage.root)

        await darkroom.draw_next()

        assert (waiting.status, waiting.problem) == ("processing", None)
        drawn = await media.find(database, asset_id)
        assert (drawn.status, drawn.problem) == ("ready", None)

    async def test_that_never_comes_is_given_up_in_the_end(
        self, upload, darkroom, database, storage, clock
    ):
        asset_id = await upload()
        address = (await media.find(database, asset_id)).address
        (storage.root / address).rename(storage.root / "elsewhere")
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(FileMissing):
                await darkroom.draw_next()
            clock.advance(hours=2)

        await darkroom.draw_next()

        failed = await media.find(database, asset_id)
        assert failed.status == "failed"
        assert failed.problem == "The uploaded file is lost."

    async def test_of_what_was_removed_meanwhile_is_no_trouble(
        self, upload, darkroom, database, storage, monkeypatch, clock, statuses
    ):
        asset_id = await upload()

        async def removed(*_):
            async with database.transaction() as tx:
                await media.remove(tx, asset_id, at=clock())
            raise FileMissing

        monkeypatch.setattr(storage, "fetch", removed)

        assert await darkroom.draw_next()
        assert await statuses() == ["removed"]


class TestEndedDrawing:
    @pytest.fixture
    def deadly(self, darkroom, tmp_path):
        """A darkroom where each drawing is killed, as by a machine without memory."""
        program = tmp_path / "program.py"
        program.write_text(f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})")
        return replace(darkroom, studio=Studio(program=program))

    async def test_is_tried_again_after_longer_and_longer(
        self, upload, deadly, database, clock
    ):
        asset_id = await upload()
        for minutes in (0.25, 1, 4, 16, 64):
            with pytest.raises(DrawingInterrupted):
                await deadly.draw_next()
            clock.advance(minutes=minutes)
            assert not await deadly.draw_next()
            clock.advance(seconds=1)

        assert await deadly.draw_next()

        failed = await media.find(database, asset_id)
        assert failed.status == "failed"
        assert failed.problem == "The drawing was ended before it was done."

    async def test_can_be_asked_for_again_while_the_upload_is_kept(
        self, upload, deadly, darkroom, database, clock, swept, storage
    ):
        asset_id = await upload()
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(DrawingInterrupted):
                await deadly.draw_next()
            clock.advance(hours=2)
        await deadly.draw_next()
        await swept()

        again = await workflows.draw_again(database, asset_id, clock=clock)
        await darkroom.draw_next()

        assert (again.status, again.problem) == ("processing", None)
        drawn = await workflows.draw_again(database, asset_id, clock=clock)
        assert drawn.status == "ready"
        await swept()
        assert storage.files == sorted(media.NAMES)

    async def test_cannot_be_asked_for_when_it_is_kept_no_more(
        self, upload, darkroom, database, clock, swept
    ):
        asset_id = await upload(b"GIF89a no picture at all")
        await darkroom.draw_next()
        clock.advance(days=8)
        await swept()

        with pytest.raises(UploadNotKept):
            await workflows.draw_again(database, asset_id, clock=clock)


class TestSweep:
    @pytest.fixture
    async def removed(self, upload, darkroom, database, clock, storage):
        """Two pictures that were removed; a link is where the first has its folder."""
        folders = []
        for _ in range(2):
            asset_id = await upload()
            address = (await media.find(database, asset_id)).address
            folders.append(storage.root / address)
            async with database.transaction() as tx:
                await media.remove(tx, asset_id, at=clock())
            clock.advance(seconds=1)
        folders[0].rename(storage.root.with_name("elsewhere"))
        folders[0].symlink_to(storage.root.with_name("elsewhere"))
        return folders

    async def test_goes_on_beside_a_folder_that_cannot_be_removed(
        self, removed, darkroom
    ):
        with pytest.raises(StorageUnavailable):
            await darkroom.sweep()

        assert [folder.exists() for folder in removed] == [True, False]

    async def test_lets_others_be_first_the_next_time(
        self, removed, darkroom, monkeypatch, clock, statuses
    ):
        monkeypatch.setattr(workflows, "SWEEP_AT_ONCE", 1)
        with pytest.raises(StorageUnavailable):
            await darkroom.sweep()

        assert await darkroom.sweep() == 1
        assert [folder.exists() for folder in removed] == [True, False]

        removed[0].unlink()
        clock.advance(minutes=11)
        assert await darkroom.sweep() == 1
        clock.advance(hours=2)
        assert [await darkroom.sweep() for _ in range(3)] == [1, 1, 0]
        assert await statuses() == []

    async def test_leaves_all_as_they_are_while_the_storage_is_away(
        self, removed, darkroom, storage, monkeypatch
    ):
        async def away():
            raise StorageUnavailable

        with monkeypatch.context() as outage:
            outage.setattr(storage, "look", away)
            with pytest.raises(StorageUnavailable):
                await darkroom.sweep()
        removed[0].unlink()

        assert await darkroom.sweep() == 2
