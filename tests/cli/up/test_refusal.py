"""What `holdfast up` cannot do is one clear sentence, and nothing is left running."""

import os
import re
import socket
import subprocess
import sys

import asyncpg
import pytest

from holdfast.platform.embedded import LOOPBACK, PostgresServer, leftovers

pytestmark = pytest.mark.slow


class TestRefusal:
    def test_a_second_one_in_the_same_home(self, start, shop, tmp_path):
        (tmp_path / "home").symlink_to(shop.home)

        second = start()

        assert second.ended() == 1
        assert re.fullmatch(
            r"holdfast up: Holdfast is already running in .* \(process "
            rf"{shop.process.pid}\): stop it first, .*\n",
            second.said,
        )
        assert shop.get("/v1/api-keys")["items"]

    def test_a_port_that_is_taken(self, start):
        with socket.create_server((LOOPBACK, 0)) as taken:
            port = taken.getsockname()[1]

            up = start("--port", str(port))

            assert up.ended() == 1
        assert up.said == (
            f"holdfast up: Port {port} is in use by another program: choose another "
            "with --port.\n"
        )

    def test_a_folder_that_is_not_ours(self, start, tmp_path):
        home = tmp_path / "home"
        home.mkdir(parents=True)
        (home / "thesis.tex").write_text("years of work")

        up = start("--fresh")

        assert up.ended() == 1
        assert "does not look like a folder of Holdfast" in up.said
        assert (home / "thesis.tex").exists()

    def test_data_of_another_version_of_postgresql(self, start, closed):
        (closed / "postgres/data/PG_VERSION").write_text("16\n")

        up = start()

        assert up.ended() == 1
        assert "was written by PostgreSQL 16" in up.said
        assert "Traceback" not in up.said
        assert leftovers.find(closed) == []

    async def test_data_of_a_newer_release(self, start, closed):
        with PostgresServer(closed / "postgres") as server:
            connection = await asyncpg.connect(server.url)
            await connection.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES ('9999_x', '')"
            )
            await connection.close()

        up = start()

        assert up.ended() == 1
        assert up.said.splitlines()[-1].startswith("holdfast up: the database has 9999")
        assert "Traceback" not in up.said
        assert leftovers.find(closed) == []

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
    def test_a_disk_that_is_full(self, tmp_path):
        script = (
            'mount -t tmpfs -o size=60m none "$1" || exit 77;'
            'HOLDFAST_HOME="$1/home" exec "$2" -m holdfast up --port 0'
        )
        done = subprocess.run(  # noqa: S603 - our own command
            ["unshare", "--mount", "sh", "-c", script, "-", tmp_path, sys.executable],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode == 77:
            pytest.skip("this machine mounts nothing")

        assert done.returncode == 1
        assert re.fullmatch(
            r"holdfast up: The disk that holds .* is full: \d+ MB are left, .*\n",
            done.stderr,
        )

    def test_settings_that_are_wrong(self, start):
        up = start(REDIS_URL="amqp://somewhere", HOLDFAST_CURRENCY="XXY")

        assert up.ended() == 1
        assert up.said.count("\n") == 1
        assert "REDIS_URL must be a URL" in up.said
        assert "HOLDFAST_CURRENCY must be one of" in up.said

    def test_a_child_that_cannot_start_shows_the_end_of_its_log(self, start, closed):
        (closed / "postgres/data/global/pg_control").write_bytes(b"")

        up = start()

        assert up.ended() == 1
        assert re.search(r"^  \| .*pg_control", up.said, re.MULTILINE)
        assert leftovers.find(closed) == []
