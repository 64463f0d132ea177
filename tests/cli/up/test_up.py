"""`holdfast up` opens a shop in one command and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import httpx
import pytest

import holdfast
from holdfast.platform.embedded import leftovers

pytestmark = pytest.mark.slow


class TestFirstStart:
    def test_opens_a_shop_where_three_pasted_lines_buy_something(self, shop):
        calls = [line for line in shop.said.splitlines() if "curl " in line]

        pasted = subprocess.run(  # noqa: S603 - what the user is told to paste
            ["/bin/sh", "-c", "\n".join(calls)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )

        cart, paid, read = map(json.loads, pasted.stdout.splitlines())
        assert len(calls) == 3
        assert cart["lines"]
        assert paid["status"] == "confirmed"
        assert read == paid
        assert len(shop.get("/v1/products?limit=100")["items"]) >= 60

    def test_keeps_its_secrets_to_this_user(self, shop):
        for name in (
            *("operator-key", "operator-password", "env"),
            *("postgres/password", "valkey/password"),
        ):
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

    def test_says_how_to_sign_in_and_that_works(self, shop):
        password = (shop.home / "operator-password").read_text().strip()
        email = re.search(r"^  sign in +\S+/sign-in as (\S+)$", shop.said, re.MULTILINE)
        assert f"  password           {password}   (" in shop.said

        answer = httpx.post(
            f"{shop.url}/v1/sessions",
            json={"client_id": "holdfast", "email": email[1], "password": password},
            trust_env=False,
            timeout=60,
        )

        assert answer.status_code == 201
        token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        me = httpx.get(f"{shop.url}/v1/me", headers=token, trust_env=False).json()
        assert me["email"] == email[1]
        assert me["roles"] == ["admin", "customer"]

    def test_lets_links_in_mails_lead_to_it(self, shop):
        assert f"HOLDFAST_PUBLIC_URL={shop.url}" in (shop.home / "env").read_text()


class TestLaterStart:
    def test_finds_everything_as_it_was(self, start, closed):
        key = (closed / "operator-key").read_text().strip()
        password = (closed / "operator-password").read_text()

        up = start()
        up.wait_until_open()

        assert up.operator_key == key
        assert (closed / "operator-password").read_text() == password
        assert password.strip() in up.said
        assert [k["name"] for k in up.get("/v1/api-keys")["items"]] == ["operator"]

    def test_fresh_starts_over(self, start, closed):
        key = (closed / "operator-key").read_text().strip()

        up = start("--fresh")
        up.wait_until_open()

        assert up.operator_key != key
        assert len(up.get("/v1/api-keys")["items"]) == 1

    def test_ends_what_a_killed_one_left_behind(self, start, closed):
        killed = start()
        killed.wait_until_open()
        killed.process.kill()
        killed.process.wait()

        again = start("--port", str(killed.port))
        again.wait_until_open()

        assert again.port == killed.port
        assert len(leftovers.find(closed)) >= 6

    def test_recovers_after_everything_was_killed(self, start, closed):
        killed = start()
        killed.wait_until_open()
        killed.process.kill()
        for process in leftovers.find(closed):
            process.kill()
        killed.process.wait()

        again = start()
        again.wait_until_open()

        assert again.get("/v1/api-keys")["items"]


class TestStop:
    def test_stops_every_process_in_order(self, start, closed):
        up = start()
        up.wait_until_open()

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
        with urllib.request.urlopen(f"{shop.url}/livez", timeout=60) as answer:  # noqa: S310
            assert answer.status == 200


class TestRealServers:
    def test_what_the_environment_names_is_used_and_not_started(
        self, start, postgres, valkey, database_url
    ):
        up = start("--workers", "2", DATABASE_URL=database_url, REDIS_URL=valkey.url)
        up.wait_until_open()

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
        up.wait_until_open()
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
