"""The embedded Valkey keeps what it was told and lets nobody in without a password."""

import os
import signal
import socket

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.platform.embedded import CannotStart, ValkeyServer


def reach(server: ValkeyServer) -> redis.Redis:
    return redis.Redis.from_url(server.url)


@pytest.fixture
def server(awkward):
    with ValkeyServer(awkward / "server") as running:
        yield running


class TestStart:
    def test_keeps_what_was_written_before_it_was_stopped(self, awkward):
        with ValkeyServer(awkward / "server") as server, reach(server) as client:
            client.set("kept", 7)
        with ValkeyServer(awkward / "server") as server, reach(server) as client:
            assert client.get("kept") == b"7"

    def test_asks_everybody_for_the_password(self, server):
        stranger = redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0))

        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("kept")

    def test_shows_its_password_to_nobody_else(self, server):
        command = "\0".join(psutil.Process(server.child.pid).cmdline())
        password = (server.folder / "password").read_text().strip()

        assert password not in command
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
        assert (server.folder / "valkey.conf").stat().st_mode & 0o777 == 0o600

    def test_takes_another_port_when_the_last_one_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (tmp_path / "port").write_text(str(port))

            with ValkeyServer(tmp_path) as server:
                assert server.port != port

    def test_comes_back_on_the_same_port_after_it_was_killed(self, server):
        port = server.port
        os.kill(server.child.pid, signal.SIGKILL)

        server.start()

        assert server.port == port
        with reach(server) as client:
            assert client.ping()


class TestRefusal:
    def test_says_that_a_port_it_was_told_to_use_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            with pytest.raises(CannotStart, match=f"cannot listen on port {port}"):
                ValkeyServer(tmp_path, port=port).start()

    def test_shows_the_end_of_the_log_when_its_files_are_broken(self, awkward):
        with ValkeyServer(awkward / "server") as server, reach(server) as client:
            client.set("kept", "x" * 1000)
        for part in (awkward / "server" / "data").rglob("*.incr.aof"):
            part.write_bytes(b"nonsense" * 100)

        with pytest.raises(CannotStart, match="Valkey did not start") as refused:
            ValkeyServer(awkward / "server").start()

        assert "aof" in refused.value.tail.lower()
