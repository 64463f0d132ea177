"""A flood ends at the door: with an answer like any other, and one count a request."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
import uvicorn

from holdfast.api.app import Application
from holdfast.api.connection import Connection
from holdfast.api.policy import Priority
from holdfast.cli.serve import Server


async def show():
    return {"tea": True}


@asynccontextmanager
async def door_of(site, routes):
    """The edge's shop, served by a real server: there is a door."""

    @asynccontextmanager
    async def shop():
        yield site.shop

    config = uvicorn.Config(
        Application(shop, routes),
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
    )
    server = Server(config, parent=None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(server._serve([listener]))
            try:
                async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                    yield client
            finally:
                server.should_exit = True
                await running


@pytest.fixture
def flooded(edge, route, hasher):
    """A served shop that takes three requests an hour from an address."""

    def make(**settings):
        routes = [
            route("GET", "/v1/tea", show),
            route("GET", "/livez", show, priority=Priority.EXEMPT),
        ]
        site = edge(
            *routes,
            HOLDFAST_RATE_LIMITS="address=1/h:3",
            HOLDFAST_TRUSTED_PROXIES="127.0.0.1",
            **settings,
        )
        site.shop.hasher = hasher
        return site, door_of(site, routes)

    return make


class TestDoor:
    async def test_refuses_what_is_too_many_and_counts_each_once(self, flooded):
        site, served = flooded()
        said = {"X-Forwarded-For": "192.0.2.1", "X-Request-Id": "f1"}
        async with served as client:
            seen = [await client.get("/v1/tea", headers=said) for _ in range(5)]
            other = await client.get(
                "/v1/tea", headers={"X-Forwarded-For": "192.0.2.2"}
            )

        assert [a.status_code for a in seen] == [200, 200, 200, 429, 429]
        assert other.status_code == 200
        refused = seen[3]
        assert refused.headers["ratelimit-policy"] == '"address";q=3;w=10800'
        assert refused.headers["ratelimit"] == '"address";r=0;t=3600'
        assert int(refused.headers["retry-after"]) >= 3600
        assert refused.headers["cache-control"] == "no-store"
        assert refused.json() == {
            "type": "/problems/quota-exceeded",
            "title": "The caller has used up a quota; the same call may succeed later.",
            "status": 429,
            "violated-policies": ["address"],
            "retry_after": int(refused.headers["retry-after"]),
            "instance": "/requests/f1",
        }
        counted = site.shop.metrics.expose().decode()
        assert 'method="*",route="unmatched",status="429"} 2.0' in counted
        assert (
            'holdfast_ratelimit_decisions_total{outcome="allowed",policy="address",'
            'role="any",route_class="any"} 4.0'
        ) in counted

    async def test_logs_some_of_it_with_the_address(self, flooded):
        site, served = flooded()
        async with served as client:
            for _ in range(5):
                await client.get("/x", headers={"X-Forwarded-For": "192.0.2.1"})

        refused = [line for line in site.logged if line["status"] == 429]
        assert [(x["client"], x["level"], x["route"]) for x in refused] == [
            ("192.0.2.1", "info", "unmatched")
        ]
        assert refused[0]["decisions"] == ["rate:address=denied"]

    async def test_is_open_to_those_who_ask_for_health(self, flooded):
        _, served = flooded()
        async with served as client:
            seen = {(await client.get("/livez?x=1")).status_code for _ in range(9)}

        assert seen == {200}

    async def test_spellings_of_health_gain_nothing(self, flooded):
        _, served = flooded()
        async with served as client:
            seen = [(await client.get("/%6civez")).status_code for _ in range(5)]

        assert seen == [200] * 3 + [429] * 2

    async def test_tells_the_pages_of_origins_that_may_know(self, flooded):
        _, served = flooded(HOLDFAST_CORS_ORIGINS="https://store.example")
        async with served as client:
            for _ in range(3):
                await client.get("/v1/tea")
            said = [
                await client.get("/v1/tea", headers={"Origin": origin})
                for origin in ("https://store.example", "https://evil.example")
            ]

        assert [a.status_code for a in said] == [429, 429]
        assert [a.headers.get("access-control-allow-origin") for a in said] == [
            "https://store.example",
            None,
        ]
        assert "Retry-After" in said[0].headers["access-control-expose-headers"]

    async def test_says_what_holds_after_an_operator_changed_it(self, flooded):
        site, served = flooded()
        async with served as client:
            for _ in range(4):
                await client.get("/v1/tea")
            site.shop.quotas.policies.take_over(
                {"address": {"tokens": 1, "period_seconds": 60, "burst": 1}}
            )
            answer = await client.get("/v1/tea")

        assert answer.headers["ratelimit-policy"] == '"address";q=1;w=60'
        assert msgspec.json.decode(answer.content)["violated-policies"] == ["address"]

    async def test_is_gone_where_protection_is_off(self, flooded):
        _, served = flooded(HOLDFAST_PROTECTION="off")
        async with served as client:
            seen = {(await client.get("/v1/tea")).status_code for _ in range(9)}

        assert seen == {200}
