"""Time runs out in a checkout, and clients leave: what they were told was true."""

import asyncio
import json

import aiohttp
import asyncpg
import httpx
import pytest
from cases import cases

from holdfast.api.protection.deadlines import seconds_of
from holdfast.api.routes import ROUTES
from holdfast.kernel.clock import monotonic
from holdfast.resilience import deadline

# What a busy machine may add. Without a deadline, the shop waits for the provider for
# four seconds, and for the database for ten.
SLACK = 3.0


def within(milliseconds):
    return {"X-Request-Timeout-Ms": str(milliseconds)}


@pytest.fixture
def orders_of(database):
    """How the orders of a bag stand."""

    async def read(bag):
        rows = await database.fetch(
            "SELECT status::text FROM orders WHERE cart_id = $1", bag.cart["id"]
        )
        return [row["status"] for row in rows]

    return read


class Told(asyncio.Event):
    """That a client has its whole answer, however long the work still goes on."""

    at = 0.0

    def by(self, site):
        """A client of *site* of which this is noted."""

        async def app(scope, receive, send):
            async def watch(message):
                await send(message)
                if message["type"] == "http.response.body":
                    self.at = monotonic()
                    self.set()

            await site.app(scope, receive, watch)

        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://edge.test")


@pytest.fixture
def told():
    return Told()


class Steps:
    """Counts what a request asks of database and provider, and ends its time."""

    def __init__(self, monkeypatch):
        self.taken = 0
        self.ends_at = 0
        self.when = "before"
        for owner, name in (
            (asyncpg.Connection, "execute"),
            (asyncpg.Connection, "_execute"),
            (aiohttp.ClientSession, "_request"),
        ):
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name)))

    def end_at(self, step, when):
        self.taken, self.ends_at, self.when = 0, step, when

    def _watched(self, call):
        async def watched(*args, **named):
            budget = deadline.current()
            if budget is None:
                return await call(*args, **named)
            self.taken += 1
            is_it = self.taken == self.ends_at
            if is_it and self.when == "before":
                asyncio.get_running_loop().call_soon(budget.end)
            answer = await call(*args, **named)
            if is_it and self.when == "after":
                asyncio.get_running_loop().call_soon(budget.end)
            return answer

        return watched


class TestCheckout:
    @pytest.mark.slow
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_is_told_the_truth_wherever_its_time_ends(
        self, a_bag, orders_of, payment_provider, monkeypatch, when
    ):
        """And the same request again gives the one order there is to be."""
        await (await a_bag(TEA=1)).check_out("warm")
        paid = payment_provider.get("/v1/summary")["captured"]["count"]
        # Longer than what is forgiven: whoever waits for the provider then is told so.
        payment_provider.misbehave(latency_ms={"fixed": 80})
        steps = Steps(monkeypatch)
        told = []
        for step in range(1, 60):
            steps.end_at(0, when)
            bag = await a_bag(**{f"TEA-{step}": 1})
            steps.end_at(step, when)

            answer = await bag.check_out(f"key-{step}")

            taken = steps.taken
            steps.end_at(0, when)
            body = answer.json()
            outcome = body.get("outcome", "done")
            told.append(outcome)
            known = await orders_of(bag)
            if answer.status_code == 201:
                assert known == ["confirmed"]
            else:
                assert answer.status_code == 504
                assert body["type"] in {
                    "/problems/deadline-exceeded",
                    "/problems/not-enough-time",
                }
                # It has come to its end when the client of a test has its answer.
                assert (
                    known == {"nothing-happened": [], "unknown": ["confirmed"]}[outcome]
                )

            again = await bag.check_out(f"key-{step}")

            assert again.status_code == 201
            assert await orders_of(bag) == ["confirmed"]
            paid += 1
            if taken < step:
                break
        assert payment_provider.get("/v1/summary")["captured"]["count"] == paid
        assert told[0] == "nothing-happened"
        assert told[-1] == "done"
        assert "unknown" in told

    async def test_in_a_hurry_is_accepted_when_the_provider_hangs(
        self, a_bag, payment_provider, orders_of
    ):
        bag = await a_bag(TEA=1)
        payment_provider.misbehave(fail="hang")
        began = monotonic()

        answer = await bag.check_out(**within(900))

        assert monotonic() - began < 0.9 + SLACK
        assert answer.status_code == 202
        assert await orders_of(bag) == ["pending"]

    async def test_that_could_not_be_finished_is_not_begun(self, a_bag, orders_of):
        for n in range(3):
            await (await a_bag(TEA=1)).check_out(f"usual-{n}")
        bag = await a_bag(TEA=1)

        answer = await bag.check_out(**within(1))

        assert answer.status_code == 504
        assert answer.json()["type"] == "/problems/not-enough-time"
        assert answer.json()["outcome"] == "nothing-happened"
        assert await orders_of(bag) == []
        assert (await bag.check_out()).status_code == 201


class TestHeader:
    @cases("value", ["", "-5", "1.5", "5s", "1e3", "0x1f"])
    async def test_that_is_no_number_is_refused(self, client, value):
        answer = await client.get(
            "/v1/products", headers={"X-Request-Timeout-Ms": value}
        )

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/timeout-malformed"

    async def test_said_twice_is_refused(self, client):
        answer = await client.get(
            "/v1/products",
            headers=[("X-Request-Timeout-Ms", "500"), ("x-request-timeout-ms", "900")],
        )

        assert answer.status_code == 400

    @pytest.mark.parametrize("value", ["60000", "9" * 300])
    async def test_that_asks_for_too_much_gets_what_there_is(self, client, shop, value):
        answer = await client.get(
            "/v1/products", headers={"X-Request-Timeout-Ms": value}
        )

        assert answer.status_code == 200
        exposed = shop.metrics.expose().decode()
        assert "holdfast_timeout_budget_clamped_total 1.0" in exposed


class TestRoutes:
    def test_have_the_time_that_those_they_ask_may_take(self, settings):
        needed = {
            "payment": 1.2 * settings.payment_timeout_seconds,
            "carrier": 4 * settings.carrier_timeout_seconds,
            "openid": 3 * settings.openid_timeout_seconds,
            None: 0,
        }
        short = [
            route.path
            for route in ROUTES
            if seconds_of(route, settings) <= needed[route.asks]
        ]

        assert short == []
        assert {route.asks for route in ROUTES} == set(needed)


class TestSlowDatabase:
    async def test_nothing_in_it_is_older_than_its_request_may_be(
        self, edge, route, shop, database
    ):
        """Sleeps, locks and transactions; many, with little time."""
        async with database.statement() as tx:
            await tx.execute("CREATE TABLE cups AS SELECT 1 AS id")

        async def sleeping():
            return await shop.db.fetchval("SELECT pg_sleep(20)::text")

        async def waiting():
            async with shop.db.transaction() as tx:
                return await tx.fetchval("UPDATE cups SET id = id RETURNING id")

        async def pausing():
            async with shop.db.transaction() as tx:
                await tx.fetchval("SELECT 1")
                await asyncio.Event().wait()

        site = edge(
            route("GET", "/v1/sleeping", sleeping),
            route("POST", "/v1/waiting", waiting),
            route("POST", "/v1/pausing", pausing),
        )
        oldest, done = [], asyncio.Event()

        async def look():
            while not done.is_set():
                oldest.append(
                    await database.fetchval(
                        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() "
                        "- coalesce(xact_start, query_start))), 0)::float8 "
                        "FROM pg_stat_activity WHERE state <> 'idle' "
                        "AND datname = current_database() "
                        "AND pid <> pg_backend_pid() AND query NOT LIKE 'LOCK%'"
                    )
                )

        async def ask(method, path):
            began = monotonic()
            answer = await site.client.request(method, path, headers=within(300))
            return answer, monotonic() - began

        async with database.transaction() as tx, asyncio.TaskGroup() as group:
            await tx.execute("LOCK TABLE cups")
            looking = group.create_task(look())
            asked = [
                asyncio.create_task(ask(*one))
                for one in [
                    ("GET", "/v1/sleeping"),
                    ("POST", "/v1/waiting"),
                    ("POST", "/v1/pausing"),
                ]
                * 10
            ]
            answers = [await one for one in asked]
            done.set()
            await looking

        assert max(oldest) < 0.3 + 0.1 + SLACK
        assert {answer.status_code for answer, _ in answers} <= {503, 504}
        assert {
            answer.json().get("outcome", "nothing-happened") for answer, _ in answers
        } == {"nothing-happened"}
        assert max(seconds for _, seconds in answers) < 0.3 + SLACK
        assert shop.db.in_use == 0


class TestExplained:
    async def test_a_cut_request_says_so_in_its_line(self, edge, route):
        async def hang():
            await asyncio.Event().wait()

        site = edge(route("GET", "/v1/tea", hang))

        answer = await site.client.get("/v1/tea", headers=within(50))

        assert answer.status_code == 504
        assert answer.json() == {
            "type": "/problems/deadline-exceeded",
            "title": "The time for this request ran out before it was done.",
            "status": 504,
            "after_seconds": 0.05,
            "outcome": "nothing-happened",
            "stage": "handler",
            "instance": f"/requests/{answer.headers['x-request-id']}",
        }
        (line,) = site.logged
        assert line["decisions"][-2:] == [
            "deadline:asked=50ms",
            "deadline:exceeded@handler=nothing-happened",
        ]
        counted = site.shop.metrics.expose().decode()
        assert (
            'holdfast_deadline_exceeded_total{outcome="nothing-happened",'
            'stage="handler"} 1.0' in counted
        )

    async def test_the_line_says_how_long_its_client_waited(self, edge, route, told):
        """And not how long the work went on without it."""

        async def go_on():
            deadline.note_effect()
            await told.wait()
            await asyncio.sleep(0.1)

        site = edge(route("POST", "/v1/tea", go_on))
        began = monotonic()

        answer = await told.by(site).post("/v1/tea", headers=within(50))

        assert answer.json()["outcome"] == "unknown"
        (line,) = site.logged
        assert line["status"] == 504
        assert 50 <= line["ms"] <= (told.at - began) * 1000
        assert 'holdfast_deadline_finished_late_total{result="done"} 1.0' in (
            site.shop.metrics.expose().decode()
        )

    async def test_what_fails_without_its_client_is_in_the_log(
        self, edge, route, log, told
    ):
        async def fail():
            deadline.note_effect()
            await told.wait()
            raise RuntimeError("late")

        site = edge(route("POST", "/v1/tea", fail))

        answer = await told.by(site).post("/v1/tea", headers=within(50))

        assert answer.status_code == 504
        assert "request_failed_late" in json.dumps(log())
