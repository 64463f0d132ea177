"""``holdfast worker`` as a process: killed, restarted, stopped."""

import asyncio
import json
import signal
import sys

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from holdfast.cli import worker as command
from holdfast.domain.notifications import Mailer
from holdfast.platform import controls, http, jobs
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings


@pytest.fixture
async def worker(database_url, data_key, tmp_path):
    """Start the command; whatever still runs is killed after the test."""
    started = []

    async def start(*arguments, **environ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "holdfast", "worker", *arguments),
            env={
                "DATABASE_URL": database_url,
                "HOLDFAST_HOME": str(tmp_path),
                "HOLDFAST_DATA_KEY": data_key,
                "HOLDFAST_LOG_FORMAT": "json",
            }
            | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def written(database):
    async def count():
        return await database.fetchval("SELECT count(*) FROM emails")

    return count


class TestWorker:
    @pytest.mark.slow
    async def test_killed_at_any_point_every_order_is_told_once(
        self, worker, buy, database, promised, written
    ):
        bought = [await buy() for _ in range(120)]

        for killed_after in (1, 40, 60):
            process = await worker()

            async def some(enough=killed_after):
                return await written() >= enough

            await promised(some, seconds=120)
            process.kill()
            await process.wait()
        process = await worker()

        async def all_done():
            left = await jobs.backlog(database)
            return await written() == len(bought) and (left.queued + left.running) == 0

        await promised(all_done, seconds=120)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        emails = await database.fetch("SELECT event_id FROM emails")
        assert sorted(email["event_id"] for email in emails) == sorted(
            one.event.id for one in bought
        )
        assert (await jobs.backlog(database)).failed == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_answers_about_its_health_and_stops_when_told(self, worker, number):
        process = await worker("--health-port", "0")
        lines = []
        while not lines or lines[-1]["event"] != "worker_started":
            lines.append(json.loads(await process.stdout.readline()))

        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{lines[-1]['health_port']}"
            answer = await client.get(url + "/livez")
        process.send_signal(number)
        out, err = await process.communicate()

        assert answer.text == "ok\n"
        assert json.loads(out.splitlines()[-1])["event"] == "worker_stopped"
        assert (process.returncode, err) == (0, b"")

    @pytest.mark.slow
    async def test_hears_of_circuits_from_operators_and_other_processes(
        self, worker, database, clock, valkey, promised
    ):
        process = await worker("--health-port", "0", REDIS_URL=valkey.url)
        lines = []
        while not lines or lines[-1]["event"] != "worker_started":
            lines.append(json.loads(await process.stdout.readline()))
        cache = Cache.connect(valkey.url)
        await cache.set("holdfast:circuit:payment", b"another", ttl_seconds=60)
        async with database.transaction() as tx:
            said = {"mode": "forced_open"}
            await controls.put(tx, "circuit.mail", said, by="key:1", at=clock())

        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{lines[-1]['health_port']}/metrics"

            async def heard():
                text = (await client.get(url)).text
                forced = 'circuit_state{dep="mail",state="forced_open"} 1.0'
                hinted = '{dep="payment",from="closed",reason="hint",to="half_open"}'
                return f"holdfast_{forced}" in text and hinted in text

            await promised(heard)
        await cache.delete("holdfast:circuit:payment")
        await cache.close()

    @pytest.mark.slow
    async def test_waits_for_a_database_that_is_not_there(self, worker):
        process = await worker(DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
        events = []
        while "failing" not in events:
            events.append(json.loads(await process.stdout.readline())["event"])

        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    @pytest.mark.slow
    async def test_settings_that_cannot_work_end_it_with_a_sentence(self, worker):
        process = await worker(HOLDFAST_MAIL_URL="carrier-pigeon://x")

        _, err = await process.communicate()

        assert process.returncode == 1
        assert err.decode() == (
            "holdfast: HOLDFAST_MAIL_URL must be a URL with smtp:// or smtps://\n"
        )


class TestPaying:
    async def test_without_a_provider_it_says_that_payments_stay_as_they_are(self):
        settings = Settings.read({})

        with capture_logs() as logs:
            calls = OutgoingCalls(CollectorRegistry())
            assert command.outside(settings, None, calls) is None

        assert logs[0]["event"] == "payments_stay_as_they_are"

    async def test_asks_the_provider_of_the_settings(self, database):
        settings = Settings.read(
            {
                "HOLDFAST_PAYMENT_URL": "http://127.0.0.1:1",
                "HOLDFAST_CARRIER_URL": "http://127.0.0.1:1",
            }
        )
        session = http.session()

        others = command.outside(settings, session, OutgoingCalls(CollectorRegistry()))
        settle = command.settling(settings, database, None, others.payments)

        assert await settle(10) == 0
        await session.close()


class TestMailer:
    def test_is_the_server_of_the_settings_or_none(self):
        named = Settings.read({"HOLDFAST_MAIL_URL": "smtp://127.0.0.1:25"})

        assert isinstance(command.mailer(named), Mailer)
        assert command.mailer(Settings.read({})) is None
