"""Files in a folder and in a bucket: the same promises, by real servers."""

import asyncio
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from buckets import serving_s3

from holdfast.platform.storage import (
    Bucket,
    FileMissing,
    Folder,
    Storage,
    StorageUnavailable,
    open_storage,
)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with serving_s3() as url:
        yield url


def bucket(s3: str, prefix: str = "shop/one") -> Storage:
    return open_storage(s3.format(prefix), None)


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path, s3) -> Storage:
    return Folder(tmp_path / "files") if request.param == "folder" else bucket(s3)


async def content(storage: Storage, *where: object) -> bytes:
    found = await storage.read(*where)
    return b"".join([piece async for piece in found.pieces])


class TestStorage:
    async def test_keeps_what_was_put(self, storage):
        await storage.put("a", "x.jpg", b"first")
        await storage.put("a", "x.jpg", b"second")

        assert await content(storage, "a", "x.jpg") == b"second"

    async def test_takes_an_open_file_larger_than_a_part(self, storage):
        whole = bytes(range(256)) * (6 << 12)

        await storage.put("a", "large", io.BytesIO(whole))

        assert await content(storage, "a", "large") == whole

    async def test_reads_a_part(self, storage):
        await storage.put("a", "x", b"0123456789")

        found = await storage.read("a", "x", 2, 5)

        assert (found.start, found.end, found.size) == (2, 5, 10)
        assert await content(storage, "a", "x", 2, 5) == b"234"
        assert await content(storage, "a", "x", 7) == b"789"

    async def test_says_what_is_missing(self, storage):
        with pytest.raises(FileMissing):
            await storage.read("a", "nothing")

    async def test_removes_one_file_or_none(self, storage):
        await storage.put("b", "x", b"1")
        await storage.put("b", "y", b"2")

        for _ in range(2):
            await storage.remove("b", "x")

        assert await content(storage, "b", "y") == b"2"
        with pytest.raises(FileMissing):
            await storage.read("b", "x")

    async def test_removes_a_folder_with_all_that_is_in_it(self, storage):
        await storage.put("c", "x", b"1")
        await storage.put("cc", "x", b"2")

        for _ in range(2):
            await storage.remove_folder("c")

        assert await content(storage, "cc", "x") == b"2"
        with pytest.raises(FileMissing):
            await storage.read("c", "x")


class TestFolder:
    async def test_keeps_what_was_put_through_a_loss_of_power(
        self, tmp_path, monkeypatch
    ):
        """The file, and each folder that names it, are on the disk by then."""
        synced, sync = [], os.fsync

        def fsync(descriptor):
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            synced.append((path, path.is_dir() or path.read_bytes()))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        root = tmp_path / "images"

        await Folder(root).put("a", "x", b"1")

        # The mark of the folder before the note beside it, which speaks of the mark.
        assert synced[:3] == [(root, True), (tmp_path, True), (tmp_path, True)]
        assert synced[-3:] == [
            *((root / "a" / "x", b"1"), (root / "a", True), (root, True))
        ]

    async def test_is_unavailable_when_the_disk_does_not_keep_it(
        self, tmp_path, monkeypatch
    ):
        storage = Folder(tmp_path)
        await storage.put("a", "x", b"1")

        def fsync(_):
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(os, "fsync", fsync)

        with pytest.raises(StorageUnavailable):
            await storage.put("a", "y", b"2")

    async def test_is_usable_where_it_can_be_made(self, tmp_path):
        await Folder(tmp_path / "not" / "yet").look()
        (tmp_path / "file").write_text("not a folder")

        with pytest.raises(StorageUnavailable):
            await Folder(tmp_path / "file").look()

    async def test_is_not_usable_on_a_full_disk(self, tmp_path, monkeypatch):
        room = os.statvfs(tmp_path)
        full = os.statvfs_result((*room[:3], 1, 1, *room[5:]))
        monkeypatch.setattr(os, "statvfs", lambda _: full)

        with pytest.raises(StorageUnavailable):
            await Folder(tmp_path).look()

    async def test_removes_what_a_killed_process_left_half_written(self, tmp_path):
        storage = Folder(tmp_path)
        await storage.put("a", "x", b"1")
        (tmp_path / "a" / "x#1").write_bytes(b"half")

        await storage.remove_folder("a")

        assert not (tmp_path / "a").exists()

    async def test_removes_them_with_a_file_as_well(self, tmp_path):
        storage = Folder(tmp_path)
        await storage.put("a", "x", b"1")
        await storage.put("a", "y", b"2")
        (tmp_path / "a" / "y#1").write_bytes(b"half")

        await storage.remove("a", "x")

        assert [path.name for path in (tmp_path / "a").iterdir()] == ["y"]

    async def test_that_cannot_be_written_is_unavailable(self, tmp_path):
        (tmp_path / "file").write_text("not a folder")

        with pytest.raises(StorageUnavailable):
            await Folder(tmp_path / "file").put("a", "x", b"1")

    def test_is_not_made_before_it_is_needed(self, tmp_path):
        open_storage(None, tmp_path / "images")

        assert not (tmp_path / "images").exists()


class TestBucket:
    async def test_is_usable_if_it_is_there(self, s3):
        await bucket(s3).look()

        with pytest.raises(StorageUnavailable):
            await open_storage(s3.format("").replace("@pictures", "@none"), None).look()

    async def test_keeps_to_its_prefix(self, s3):
        one, two = bucket(s3, "p1"), bucket(s3, "p2")
        await one.put("a", "x", b"1")

        with pytest.raises(FileMissing):
            await two.read("a", "x")

    async def test_that_does_not_answer_is_unavailable_in_bounded_time(self):
        url = "s3://key:secret@pictures?region=x&endpoint=http://127.0.0.1:9"

        async with asyncio.timeout(30):
            with pytest.raises(StorageUnavailable):
                await Bucket(url).put("a", "x", b"1")


class TestFolderThatIsNotMounted:
    """An empty folder stands where the files were."""

    @pytest.fixture
    async def folder(self, tmp_path):
        folder = Folder(tmp_path / "files")
        await folder.put("a", "x", b"1")
        (tmp_path / "files").rename(tmp_path / "elsewhere")
        (tmp_path / "files").mkdir()
        return folder

    async def test_is_away_and_not_empty(self, folder):
        with pytest.raises(StorageUnavailable):
            await folder.look()
        with pytest.raises(StorageUnavailable):
            await folder.load("a", "x")

    async def test_takes_nothing_that_would_be_hidden_by_the_mount(
        self, folder, tmp_path
    ):
        with pytest.raises(StorageUnavailable):
            await folder.put("a", "y", b"2")

        assert list((tmp_path / "files").iterdir()) == []

    async def test_has_nothing_removed_that_would_be_there_again(self, folder):
        with pytest.raises(StorageUnavailable):
            await folder.remove("a", "x")
        with pytest.raises(StorageUnavailable):
            await folder.remove_folder("a")

    async def test_that_is_gone_altogether_is_not_made_anew(self, folder, tmp_path):
        (tmp_path / "files").rmdir()

        with pytest.raises(StorageUnavailable):
            await Folder(tmp_path / "files").put("a", "y", b"2")
        assert not (tmp_path / "files").exists()

    async def test_that_is_mounted_again_is_as_before(self, folder, tmp_path):
        (tmp_path / "files").rmdir()
        (tmp_path / "elsewhere").rename(tmp_path / "files")

        await folder.look()
        assert await folder.load("a", "x") == b"1"

    async def test_of_an_older_release_is_marked_by_the_next_file(self, tmp_path):
        (tmp_path / "files" / "a").mkdir(parents=True)
        (tmp_path / "files" / "a" / "x").write_bytes(b"1")
        folder = Folder(tmp_path / "files")

        assert await folder.load("a", "x") == b"1"
        await folder.put("a", "y", b"2")

        assert (tmp_path / "files" / ".holdfast").exists()
