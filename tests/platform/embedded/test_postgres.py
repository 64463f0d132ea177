"""The embedded PostgreSQL starts whatever state it was left in, or says why not."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from holdfast.platform.embedded import CannotStart, PostgresServer, leftovers
from holdfast.platform.embedded.postgres_build import Build


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a server that ran and was stopped; copy it before use."""
    folder = tmp_path_factory.mktemp("finished") / "server"
    with PostgresServer(folder, durable=False):
        pass
    return folder


@pytest.fixture
def folder(finished: Path, awkward: Path) -> Path:
    return shutil.copytree(finished, awkward / "server")


@pytest.fixture
def server(folder: Path):
    with PostgresServer(folder, durable=False) as running:
        yield running


class TestStart:
    async def test_keeps_what_was_written_before_it_was_stopped(self, folder):
        with PostgresServer(folder) as server:
            connection = await asyncpg.connect(server.url)
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            await connection.close()

        with PostgresServer(folder) as server:
            connection = await asyncpg.connect(server.url)
            found = await connection.fetchval("SELECT n FROM kept")
            await connection.close()

        assert found == 7

    async def test_is_set_up_for_a_shop(self, tmp_path):
        with PostgresServer(tmp_path / "new") as server:
            connection = await asyncpg.connect(server.url)
            found = await connection.fetch("SELECT name, setting FROM pg_settings")
            text = await connection.fetchrow(
                "SELECT datlocprovider::text AS provider, datlocale AS locale,"
                " pg_encoding_to_char(encoding) AS encoding"
                " FROM pg_database WHERE datname = current_database()"
            )
            await connection.close()

        settings = {row["name"]: row["setting"] for row in found}
        assert settings["data_checksums"] == "on"
        assert settings["fsync"] == "on"
        assert settings["synchronous_commit"] == "on"
        assert settings["listen_addresses"] == "127.0.0.1"
        assert settings["unix_socket_directories"] == ""
        assert settings["shared_preload_libraries"] == "pg_stat_statements"
        assert settings["max_connections"] == "100"
        assert settings["TimeZone"] == "UTC"
        assert tuple(text) == ("b", "C.UTF-8", "UTF8")

    async def test_asks_everybody_for_the_password(self, server):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url, password="guess")

    def test_shows_its_password_to_nobody_else(self, server):
        command = "\0".join(psutil.Process(server.child.pid).cmdline())
        password = (server.folder / "password").read_text().strip()

        assert password not in command
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
        assert server.data.stat().st_mode & 0o777 == 0o700

    def test_listens_where_it_did_last_time(self, folder):
        with PostgresServer(folder, durable=False) as server:
            first = server.port
        with PostgresServer(folder, durable=False) as server:
            assert server.port == first

    def test_takes_another_port_when_the_last_one_is_taken(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            (folder / "port").write_text(str(port))

            with PostgresServer(folder, durable=False) as server:
                assert server.port != port

    def test_two_run_beside_each_other(self, server, tmp_path):
        with PostgresServer(tmp_path / "other", durable=False) as other:
            assert other.port != server.port

    async def test_settings_written_by_hand_win(self, folder):
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write("work_mem = '3MB'\n")

        with PostgresServer(folder, durable=False) as server:
            connection = await asyncpg.connect(server.url)
            work_mem = await connection.fetchval("SHOW work_mem")
            await connection.close()

        assert work_mem == "3MB"

    def test_can_be_given_up_while_it_makes_its_folder(self, tmp_path):
        class Enough(BaseException):
            pass

        waits = iter(range(3))
        server = PostgresServer(
            tmp_path / "new", durable=False, environ=leftovers.mark(tmp_path)
        )

        def tick() -> None:
            if next(waits, None) is None:
                raise Enough

        with pytest.raises(Enough):
            server.start(tick=tick)

        assert not server.data.exists()
        assert leftovers.find(tmp_path) == []


class TestRecovery:
    async def test_a_half_made_folder_is_made_again(self, tmp_path):
        draft = tmp_path / "server" / "data.new"
        draft.mkdir(parents=True)
        (draft / "PG_VERSION").write_text("18\n")

        with PostgresServer(tmp_path / "server", durable=False) as server:
            connection = await asyncpg.connect(server.url)
            answer = await connection.fetchval("SELECT 1")
            await connection.close()

        assert answer == 1

    async def test_comes_back_after_it_was_killed_and_has_lost_nothing(self, folder):
        with PostgresServer(folder) as server:
            url = server.url
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            os.kill(server.child.pid, signal.SIGKILL)

            server.start()

            again = await asyncpg.connect(url)
            found = await again.fetchval("SELECT n FROM kept")
            await again.close()
            connection.terminate()

        assert server.url == url
        assert found == 7

    def test_a_lock_whose_process_is_gone_does_not_matter(self, folder):
        with PostgresServer(folder, durable=False) as server:
            lock = (server.data / "postmaster.pid").read_text()
        (folder / "data" / "postmaster.pid").write_text(lock)

        with PostgresServer(folder, durable=False) as server:
            assert server.child.alive()

    def test_a_lock_whose_number_is_somebody_elses_now_does_not_matter(self, folder):
        with PostgresServer(folder, durable=False) as server:
            _, *lines = (server.data / "postmaster.pid").read_text().splitlines()
        lock = "\n".join([str(os.getpid()), *lines]) + "\n"
        (folder / "data" / "postmaster.pid").write_text(lock)

        with PostgresServer(folder, durable=False) as server:
            assert server.child.alive()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children")
    def test_does_not_outlive_a_parent_that_was_killed(self, folder, eventually):
        script = (
            "import os, signal, sys; from pathlib import Path;"
            "from holdfast.platform.embedded import PostgresServer;"
            "server = PostgresServer(Path(sys.argv[1]), durable=False);"
            "print(server.start().pid, flush=True);"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        parent = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", script, folder], capture_output=True, check=False
        )

        assert parent.returncode == -signal.SIGKILL
        eventually(lambda: not (folder / "data" / "postmaster.pid").exists())


class TestRefusal:
    def test_names_the_version_that_wrote_the_data(self, folder):
        (folder / "data" / "PG_VERSION").write_text("16\n")

        with pytest.raises(CannotStart, match=r"written by PostgreSQL 16 .* PG_BIN"):
            PostgresServer(folder).start()

    def test_says_that_a_port_it_was_told_to_use_is_taken(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            with pytest.raises(CannotStart, match=f"cannot listen on port {port}"):
                PostgresServer(folder, port=port).start()

    def test_says_that_a_build_is_no_postgresql(self, tmp_path):
        with pytest.raises(CannotStart, match="no working PostgreSQL"):
            PostgresServer(tmp_path / "server", bin_dir=tmp_path).start()

    def test_says_that_a_build_is_too_old(self, tmp_path):
        program = tmp_path / "postgres"
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.8'\n")
        program.chmod(0o755)

        with pytest.raises(CannotStart, match=r"17 or newer is needed, .* 15\.8"):
            Build.find(tmp_path)

    def test_says_that_its_folder_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")

        with pytest.raises(CannotStart, match="PostgreSQL cannot start"):
            PostgresServer(tmp_path / "file" / "server").start()

    def test_shows_the_end_of_the_log_when_the_data_is_broken(self, folder):
        (folder / "data" / "global" / "pg_control").write_bytes(b"")

        with pytest.raises(CannotStart, match="did not start: ") as refused:
            PostgresServer(folder).start()

        assert "pg_control" in refused.value.tail

    def test_says_that_the_disk_is_full(self, tmp_path):
        script = (
            'mount -t tmpfs -o size=24m none "$1" && exec "$2" -c "'
            "import sys; from pathlib import Path;"
            "from holdfast.platform.embedded import PostgresServer;"
            'PostgresServer(Path(sys.argv[1]) / chr(115)).start()" "$1"'
        )
        arguments = ("sh", "-c", script, "-", tmp_path, sys.executable)
        unshare = shutil.which("unshare")
        if unshare is None or os.geteuid() != 0:
            pytest.skip("only root can mount a small disk")
        done = subprocess.run(  # noqa: S603 - our own script
            (unshare, "--mount", *arguments),
            capture_output=True,
            text=True,
            check=False,
        )
        if "mount:" in done.stderr:
            pytest.skip("this machine mounts nothing")

        assert "CannotStart: The disk that holds" in done.stderr
