"""Many duplicates of many keyed requests, while the processes that serve them die.

Two processes over one database; each duplicate is sent to one of them, again and again
until it is answered. One effect a key, the same bytes for all, and no key stuck.
"""

import asyncio
import random
from collections import defaultdict

import httpx
import pytest

from holdfast.kernel.clock import monotonic, system_clock
from holdfast.kernel.ids import new_id
from holdfast.platform.data_keys import open_vault
from holdfast.platform.settings import Settings
from holdfast.workflows import keys

STUCK_SECONDS = 30
# Still running, too busy, and an outcome that the process did not learn.
HONEST = {409, 503, 504}
FORMS = [
    pytest.param(20, 20, marks=pytest.mark.slow, id="short"),
    pytest.param(500, 200, marks=pytest.mark.long, id="long"),
]


class Storm:
    """What clients send until they are answered, and what they are told."""

    def __init__(self, urls, operator, die):
        self.urls = urls
        self.operator = operator
        self.die = die
        self.told = defaultdict(set)
        self.firsts = defaultdict(int)
        self.slowest = 0.0
        self.calm_since = 0.0
        self.odd = []

    def request(self, number, key):
        """Half of them of an operator, half of strangers, whose answers are secret."""
        if number % 2:
            return "/v1/carts", {"currency": "EUR"}, {"Idempotency-Key": key}
        body = {"name": f"Category {number}", "handle": f"category-{number}"}
        return "/v1/categories", body, {**self.operator, "Idempotency-Key": key}

    async def send(self, client, number, key):
        path, body, headers = self.request(number, key)
        began = monotonic()
        while True:
            url = self.die.choice(self.urls)
            try:
                answer = await client.post(url + path, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.is_success:
                break
            if answer.status_code not in HONEST:
                self.odd.append(answer.text)
                return
            await asyncio.sleep(0.05)
        # What waited because everything was down is not a key that is stuck.
        self.slowest = max(self.slowest, monotonic() - max(began, self.calm_since))
        self.told[key].add((answer.status_code, answer.content))
        self.firsts[key] += "idempotent-replayed" not in answer.headers


@pytest.fixture
def processes(api, environ, tmp_path):
    other = type(api)(
        environ, "serve", "--host", "127.0.0.1", log=tmp_path / "other.log"
    )
    other.start()
    yield [api, other]
    other.kill()


@pytest.fixture
async def operator(environ, shop_database):
    settings = Settings.read(environ)
    vault = await open_vault(shop_database, settings.data_key, clock=system_clock)
    _, token = await keys.create_key(
        *(shop_database, vault),
        name="Test",
        scopes=["products:write"],
        clock=system_clock,
    )
    return {"Authorization": f"Bearer {token}"}


class TestKeys:
    @pytest.mark.parametrize(("count", "duplicates"), FORMS)
    async def test_have_one_effect_though_processes_are_killed(
        self, processes, operator, shop_database, count, duplicates
    ):
        die = random.Random(count)  # noqa: S311 - reproducible, not secret
        storm = Storm([process.url for process in processes], operator, die)
        sent = [(number, str(new_id())) for number in range(count)] * duplicates
        die.shuffle(sent)
        done = asyncio.Event()

        async def work(client):
            while sent:
                await storm.send(client, *sent.pop())

        async def kill():
            for victim in (processes * 50)[: max(4, count // 5)]:
                await asyncio.sleep(die.uniform(0.05, 0.5))
                if done.is_set():
                    return
                await asyncio.to_thread(victim.kill)
                await asyncio.to_thread(victim.start)
                storm.calm_since = monotonic()

        limits = httpx.Limits(max_connections=50)
        async with (
            httpx.AsyncClient(trust_env=False, limits=limits, timeout=20) as client,
            asyncio.TaskGroup() as everything,
        ):
            everything.create_task(kill())
            async with asyncio.TaskGroup() as group:
                for _ in range(40):
                    group.create_task(work(client))
            done.set()

        assert storm.odd == []
        assert {len(answers) for answers in storm.told.values()} == {1}
        assert len(storm.told) == count
        # Of a process that died after the commit nobody heard the first answer.
        assert set(storm.firsts.values()) <= {0, 1}
        for table in ("carts", "categories"):
            made = await shop_database.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of two
            assert made == count // 2
        assert storm.slowest < STUCK_SECONDS
