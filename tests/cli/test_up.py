"""`holdfast up` opens a shop in one command and leaves nothing behind.

Every test runs the command as a user does, in a home of its own, and looks at it
from outside: what it prints, what answers over HTTP, which processes are left.
"""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import asyncpg
import pytest

import holdfast
from holdfast.platform.embedded import LOOPBACK, PostgresServer, leftovers

pytestmark = pytest.mark.slow

OPEN = "Ctrl-C stops it all."
_SECONDS = 60.0
_number = itertools.count()


class Up:
    """A `holdfast up` that was started, and what it has printed so far."""

    def __init__(self, home: Path, arguments: tuple[str, ...], environ) -> None:
        self.home = home
        self._output = home.parent / f"output-{next(_number)}"
        clean = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251 - handed on
            if not name.startswith("HOLDFAST_") and not name.endswith("_URL")
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "holdfast", "up", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**clean, "HOLDFAST_HOME": str(home), **environ},
                cwd=home.parent,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    @property
    def url(self) -> str:
        return re.search(r"^  api +(\S+)", self.said, re.MULTILINE)[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def operator_key(self) -> str:
        return (self.home / "operator-key").read_text().strip()

    def pid(self, part: str) -> int:
        """The process of a part, after its latest start."""
        again = re.findall(rf"{part} runs again \(process (\d+)\)", self.said)
        first = re.findall(rf"{part} is ready \(process (\d+)\)", self.said)
        return int((first + again)[-1])

    def wait_for(self, text: str) -> None:
        give_up = time.perf_counter() + _SECONDS
        while text not in self.said:
            assert self.process.poll() is None, f"it ended:\n{self.said}"
            assert time.perf_counter() < give_up, f"no {text!r} in:\n{self.said}"
            time.sleep(0.02)

    def stop(self, which: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(which)
        return self.process.wait(_SECONDS)

    def get(self, path: str):
        request = urllib.request.Request(self.url + path)  # noqa: S310 - our own API
        request.add_header("Authorization", f"Bearer {self.operator_key}")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop that is open while this file is tested."""
    home = tmp_path_factory.mktemp("it's my shop") / "home"
    up = Up(home, ("--port", "0"), {})
    try:
        up.wait_for(OPEN)
        yield up
    finally:
        up.stop()
        leftovers.end(home)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The home of a shop that was open once; copy it before use."""
    home = tmp_path_factory.mktemp("finished") / "home"
    up = Up(home, ("--port", "0", "--no-seed"), {})
    try:
        up.wait_for(OPEN)
    finally:
        up.stop()
    return home


@pytest.fixture
def closed(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "home")


@pytest.fixture
def start(tmp_path: Path):
    """Start `holdfast up` without anything to sell; ended after the test."""
    started: list[Up] = []

    def up(*arguments: str, home: Path | None = None, **environ: str) -> Up:
        chosen = home or tmp_path / "home"
        started.append(Up(chosen, ("--port", "0", "--no-seed", *arguments), environ))
        return started[-1]

    yield up
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        for process in leftovers.find(each.home):
            process.kill()


class TestFirstStart:
    def test_opens_a_shop_where_three_pasted_lines_buy_something(self, shop):
        calls = [line for line in shop.said.splitlines() if "curl " in line]

        pasted = subprocess.run(  # noqa: S603 - what the user is told to paste
            ["/bin/sh", "-c", "\n".join(calls)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )

        cart, paid, read = map(json.loads, pasted.stdout.splitlines())
        assert len(calls) == 3
        assert cart["lines"]
        assert paid["status"] == "paid"
        assert read == paid
        assert len(shop.get("/v1/products?limit=100")["items"]) >= 60

    def test_keeps_its_secrets_to_this_user(self, shop):
        for name in ("operator-key", "env", "postgres/password", "valkey/password"):
            assert (shop.home / name).stat().st_mode & 0o777 == 0o600
        assert shop.home.stat().st_mode & 0o777 == 0o700
        assert shop.operator_key not in (shop.home / "logs/api.log").read_text()

    def test_says_where_everything_runs(self, shop):
        for part in (
            *("postgres", "valkey", "payment simulator", "carrier simulator"),
            *("worker", "api"),
        ):
            assert re.search(rf"^  {part} +\S+ +process \d+", shop.said, re.MULTILINE)
        assert f"{shop.url}/docs" in shop.said
        assert shop.operator_key in shop.said


class TestLaterStart:
    def test_finds_everything_as_it_was(self, start, closed):
        key = (closed / "operator-key").read_text().strip()

        up = start()
        up.wait_for(OPEN)

        assert up.operator_key == key
        assert [k["name"] for k in up.get("/v1/api-keys")["items"]] == ["operator"]

    def test_fresh_starts_over(self, start, closed):
        key = (closed / "operator-key").read_text().strip()

        up = start("--fresh")
        up.wait_for(OPEN)

        assert up.operator_key != key
        assert len(up.get("/v1/api-keys")["items"]) == 1

    def test_ends_what_a_killed_one_left_behind(self, start, closed):
        killed = start()
        killed.wait_for(OPEN)
        killed.process.kill()
        killed.process.wait()

        again = start("--port", str(killed.port))
        again.wait_for(OPEN)

        assert again.port == killed.port
        assert len(leftovers.find(closed)) >= 6

    def test_recovers_after_everything_was_killed(self, start, closed):
        killed = start()
        killed.wait_for(OPEN)
        killed.process.kill()
        for process in leftovers.find(closed):
            process.kill()
        killed.process.wait()

        again = start()
        again.wait_for(OPEN)

        assert again.get("/v1/api-keys")["items"]


class TestStop:
    def test_stops_every_process_in_order(self, start, closed):
        up = start()
        up.wait_for(OPEN)

        code = up.stop()

        assert code == 0
        assert re.findall("stopping (.+)", up.said) == [
            *("api", "worker", "carrier simulator", "payment simulator"),
            *("valkey", "postgres"),
        ]
        assert leftovers.find(closed) == []
        assert not (closed / "env").exists()
        log = (closed / "logs/postgres.log").read_text()
        assert log.splitlines()[-1].endswith("database system is shut down")

    @pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_start_can_be_given_up(self, start, closed, which):
        up = start()
        up.wait_for("is ready")

        code = up.stop(which)

        assert code == 130
        assert leftovers.find(closed) == []
        assert "Traceback" not in up.said


class TestChildDies:
    @pytest.mark.parametrize(
        "part", ["api", "worker", "payment simulator", "valkey", "postgres"]
    )
    def test_brings_it_back_and_says_so(self, shop, part):
        os.kill(shop.pid(part), signal.SIGKILL)

        shop.wait_for(f"{part} runs again")

        assert f"{part} ended (killed by SIGKILL)" in shop.said
        with urllib.request.urlopen(f"{shop.url}/livez", timeout=10) as answer:  # noqa: S310
            assert answer.status == 200


class TestRefusal:
    def test_a_second_one_in_the_same_home(self, start, shop, tmp_path):
        (tmp_path / "home").symlink_to(shop.home)

        second = start()

        assert second.process.wait(_SECONDS) == 1
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

            assert up.process.wait(_SECONDS) == 1
        assert up.said == (
            f"holdfast up: Port {port} is in use by another program: choose another "
            "with --port.\n"
        )

    def test_a_folder_that_is_not_ours(self, start, tmp_path):
        home = tmp_path / "home"
        home.mkdir(parents=True)
        (home / "thesis.tex").write_text("years of work")

        up = start("--fresh")

        assert up.process.wait(_SECONDS) == 1
        assert "does not look like a folder of Holdfast" in up.said
        assert (home / "thesis.tex").exists()

    def test_data_of_another_version_of_postgresql(self, start, closed):
        (closed / "postgres/data/PG_VERSION").write_text("16\n")

        up = start()

        assert up.process.wait(_SECONDS) == 1
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

        assert up.process.wait(_SECONDS) == 1
        assert up.said.splitlines()[-1].startswith("holdfast up: the database has 9999")
        assert "Traceback" not in up.said
        assert leftovers.find(closed) == []

    def test_settings_that_are_wrong(self, start):
        up = start(REDIS_URL="amqp://somewhere", HOLDFAST_CURRENCY="XXY")

        assert up.process.wait(_SECONDS) == 1
        assert up.said.count("\n") == 1
        assert "REDIS_URL must be a URL" in up.said
        assert "HOLDFAST_CURRENCY must be one of" in up.said

    def test_a_child_that_cannot_start_shows_the_end_of_its_log(self, start, closed):
        (closed / "postgres/data/global/pg_control").write_bytes(b"")

        up = start()

        assert up.process.wait(_SECONDS) == 1
        assert re.search(r"^  \| .*pg_control", up.said, re.MULTILINE)
        assert leftovers.find(closed) == []


class TestRealServers:
    def test_what_the_environment_names_is_used_and_not_started(
        self, start, postgres, valkey, database_url
    ):
        up = start("--workers", "2", DATABASE_URL=database_url, REDIS_URL=valkey.url)
        up.wait_for(OPEN)

        assert "postgres is ready" not in up.said
        assert "valkey is ready" not in up.said
        assert not (up.home / "postgres").exists()
        assert up.get("/v1/api-keys")["items"]
        assert up.stop() == 0
        assert postgres.child.alive()
        assert leftovers.find(up.home) == []


class TestReload:
    def test_a_change_of_the_code_starts_api_and_worker_again(
        self, start, closed, tmp_path
    ):
        copy = tmp_path / "source"
        shutil.copytree(Path(holdfast.__file__).parent, copy / "holdfast")
        up = start("--reload", PYTHONPATH=str(copy))
        up.wait_for(OPEN)
        before = up.pid("api"), up.pid("worker"), up.pid("postgres")

        with (copy / "holdfast" / "api" / "app.py").open("a") as file:
            file.write("# changed\n")
        up.wait_for("worker runs again")
        up.wait_for("api runs again")

        assert "api/app.py changed" in up.said
        assert up.pid("api") != before[0]
        assert up.pid("worker") != before[1]
        assert up.pid("postgres") == before[2]
        up.wait_for("api      | ")  # its log, in the terminal
