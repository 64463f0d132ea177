"""Whoever keeps the files may hang or be gone: the shop is told soon, and goes on."""

import asyncio
import os
import tempfile
from contextlib import suppress

import pytest
from buckets import serving_s3

from holdfast.platform.dependencies import LIMITS, STORAGE
from holdfast.platform.guard import Guard
from holdfast.platform.guarded_storage import (
    Anew,
    Guarded,
    behind,
    in_time,
    open_guarded,
)
from holdfast.platform.storage import (
    Bucket,
    FileMissing,
    Folder,
    StorageUnavailable,
)
from holdfast.resilience.circuit import State
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.errors import NotEnoughTime

URL = "s3://key:secret@pictures?region=x&endpoint=http://127.0.0.1:{}"


@pytest.fixture
def guard():
    return Guard(STORAGE, LIMITS[STORAGE], chance=lambda: 0.0)


@pytest.fixture
def seen():
    return []


@pytest.fixture
def watch(seen):
    return lambda *said: seen.append(said[:2])


class Server:
    """Speaks as much HTTP as it takes to be a bucket that does not work."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked = 0
        self.serving: dict[asyncio.Task, asyncio.StreamWriter] = {}

    async def __aenter__(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self.serving.values():
            writer.close()
        if self.serving:
            await asyncio.wait(self.serving)

    async def _serve(self, reader, writer) -> None:
        self.serving[asyncio.current_task()] = writer
        with suppress(OSError, EOFError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
            writer.close()
            await writer.wait_closed()


class Flaky(Folder):
    """Takes the first bytes of a file, and then fails, the first time."""

    fails = 1

    async def put(self, folder, name, content):
        if self.fails:
            self.fails -= 1
            content.read(3)
            raise StorageUnavailable from OSError("half of it")
        await super().put(folder, name, content)


class TestBucketThatIsGone:
    async def test_is_asked_again_and_then_left_alone(self, guard, seen, watch):
        storage = open_guarded(URL.format(9), None, guard, observe=watch)

        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                await storage.load("a", "x")

        assert guard.breaker.state is State.OPEN
        asked = len(seen)
        with pytest.raises(StorageUnavailable) as refused:
            await storage.put("a", "x", b"1")
        assert refused.value.retry_after_seconds > 0
        # Nobody was asked any more.
        assert len(seen) == asked == 5
        assert set(seen) == {("load", "unavailable")}

    @pytest.mark.parametrize("status", [b"500 Oops", b"503 Slow Down"])
    async def test_fails_with_what_the_server_says(self, guard, status):
        server = Server(
            b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
        )
        async with server as port:
            storage = open_guarded(URL.format(port), None, guard)

            with pytest.raises(StorageUnavailable):
                await storage.remove("a", "x")

        assert server.asked == LIMITS[STORAGE].attempts

    async def test_that_does_not_let_us_in_is_well(self, guard):
        server = Server(
            b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        async with server as port:
            storage = open_guarded(URL.format(port), None, guard)

            for _ in range(25):
                with pytest.raises(StorageUnavailable):
                    await storage.load("a", "x")

        # Once each: it would say the same again.
        assert server.asked == 25
        assert guard.breaker.state is State.CLOSED

    async def test_without_the_bucket_is_unavailable_and_no_missing_file(self, guard):
        body = b"<Error><Code>NoSuchBucket</Code></Error>"
        head = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(body)
        async with Server(head + body) as port:
            storage = open_guarded(URL.format(port), None, guard)

            for call in (storage.look(), storage.put("a", "x", b"1")):
                with pytest.raises(StorageUnavailable):
                    await call


class TestBucketThatIsWell:
    async def test_keeps_and_gives_what_it_was_given(self, guard, seen, watch):
        """More than one part of an upload, by a real server."""
        with serving_s3() as url, tempfile.TemporaryFile() as file:
            storage = open_guarded(url.format("shop"), None, guard, observe=watch)
            whole = bytes(range(256)) * (6 << 12)
            file.write(whole)
            file.flush()

            await storage.look()
            await storage.put("a", "x", file)
            assert await storage.load("a", "x") == whole
            await storage.fetch("a", "x", file)
            await storage.remove_folder("a")
            with pytest.raises(FileMissing):
                await storage.load("a", "x")

        done = [operation for operation, word in seen if word == "done"]
        assert done == ["look", "put", "load", "fetch", "remove"]
        assert guard.breaker.state is State.CLOSED


class TestBucketThatHangs:
    async def test_takes_no_longer_than_the_limits(self, guard):
        def around(_seconds, _in_all):
            return behind(guard)(0.05, 0.2)

        async with Server(None) as port:
            storage = Guarded(Bucket(URL.format(port)), around)
            async with asyncio.timeout(5):
                for call in (
                    storage.load("a", "x"),
                    storage.put("a", "x", b"1"),
                    storage.look(),
                    storage.remove_folder("a"),
                ):
                    with pytest.raises(StorageUnavailable):
                        await call

    async def test_takes_no_longer_than_the_client_has(self, guard):
        async with Server(None) as port:
            storage = open_guarded(URL.format(port), None, guard)

            with pytest.raises(StorageUnavailable):
                await Deadline(0.1)(lambda: storage.load("a", "x"))

    async def test_is_not_asked_when_there_is_no_time_left(self, tmp_path):
        storage = Guarded(Folder(tmp_path), in_time)

        with pytest.raises(NotEnoughTime):
            await Deadline(0.005)(lambda: storage.load("a", "x"))


class TestFile:
    async def test_is_put_from_its_beginning_each_time(self, tmp_path, guard):
        storage = Guarded(Flaky(tmp_path), behind(guard))
        with tempfile.TemporaryFile() as file:
            file.write(b"0123456789")
            file.flush()

            await storage.put("a", "x", file)

        assert await storage.load("a", "x") == b"0123456789"

    async def test_that_is_missing_says_nothing_against_the_server(
        self, tmp_path, guard, seen, watch
    ):
        storage = Guarded(Folder(tmp_path), behind(guard), observe=watch)

        for _ in range(25):
            with pytest.raises(FileMissing):
                await storage.load("a", "x")

        assert guard.breaker.state is State.CLOSED
        assert set(seen) == {("load", "missing")}

    async def test_is_fetched_into_another(self, tmp_path, guard):
        storage = open_guarded(None, tmp_path, guard)
        await storage.put("a", "x", b"0123456789")
        with tempfile.TemporaryFile() as file:
            file.write(b"what a first attempt has left")

            await storage.fetch("a", "x", file)

            file.seek(0)
            assert file.read() == b"0123456789"

    async def test_and_its_folder_are_removed(self, tmp_path, guard):
        storage = open_guarded(None, tmp_path, guard)
        await storage.look()
        await storage.put("a", "x", b"1")
        await storage.put("a", "y", b"2")

        await storage.remove("a", "x")
        await storage.remove_folder("a")

        assert not (tmp_path / "a").exists()


class TestAnew:
    def test_reads_from_its_own_place(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"0123456789")
            file.flush()
            with Anew(file) as one, Anew(file) as other:
                assert one.read(4) == b"0123"
                assert other.read() == b"0123456789"
                assert one.tell() == 4
                assert one.seek(-2, os.SEEK_CUR) == 2
                assert one.read(1) == b"2"
                assert one.seek(-1, os.SEEK_END) == 9
                assert one.readable()
                assert one.seekable()
            one.close()
            assert file.tell() == 10
